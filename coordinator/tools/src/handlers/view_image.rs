//! `view_image`: the model looks at a picture of the workspace, which is read through the node under the thread's own sandbox.

use crate::arguments;
use crate::effects::Effects;
use crate::fault::ToolFault;
use crate::handler::{BadCall, Effect, Handler, Prepared, not_started, record};
use crate::host::{FileRequest, HostError};
use crate::invocation::{CallContext, CallResult};
use crate::spec::ToolSpec;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use capstan_types::call::{Call, Outcome, ReplayClass};
use capstan_types::file_read::FileRead;
use capstan_types::history::Image;
use capstan_types::item::{ItemBody, ItemStatus};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use serde::Deserialize;
use serde_json::json;

/// The largest picture, in bytes: 5 MiB, the most that every provider takes.
const LARGEST: u64 = 5 << 20;

/// The tool.
#[derive(Debug)]
pub(crate) struct ViewImage;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
}

impl Handler for ViewImage {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "view_image",
            description: "Shows you a picture file of the workspace: PNG, JPEG, GIF or WebP, at most 5 MiB.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "path": { "type": "string", "description": "The file; a relative path starts from the working directory." }
                },
                "required": ["path"],
                "additionalProperties": false
            }),
        }
    }

    fn replay_class(&self, _arguments: &str) -> ReplayClass {
        ReplayClass::Pure
    }

    fn effects(&self, _arguments: &str) -> Effects {
        Effects::Reads
    }

    fn takes_host(&self) -> bool {
        true
    }

    fn prepare(&self, call: &Call, context: &CallContext) -> Result<Box<dyn Prepared>, BadCall> {
        let Arguments { path } = arguments::parse(call)?;
        let absolute = context.cwd.join(&path).map_err(|error| BadCall::of(call, format!("view_image: {error}")))?;
        Ok(Box::new(View { path: absolute }))
    }
}

#[derive(Debug)]
struct View {
    path: AbsPath,
}

impl View {
    /// The picture, or why there is none: a sentence that the model can act on.
    fn picture(&self, read: FileRead) -> Result<Image, String> {
        let path = &self.path;
        let (bytes, size) = match read {
            FileRead::Missing => {
                return Err(format!("there is no file `{path}`, or sessions may not see it; look for it with exec_command"));
            }
            FileRead::Refused { reason } => return Err(format!("`{path}` {reason}")),
            FileRead::Content { bytes, size } => (bytes, size),
        };
        let Some(media_type) = Image::kind_of(&bytes) else {
            return Err(format!("`{path}` is no PNG, JPEG, GIF or WebP picture; convert it first, or read it with exec_command"));
        };
        if size > LARGEST || bytes.len() as u64 != size {
            return Err(format!("`{path}` has {size} bytes, and at most {LARGEST} are shown; make a smaller copy and view that"));
        }
        Ok(Image { media_type: media_type.to_owned(), base64: STANDARD.encode(&bytes) })
    }

    fn shown(&self, call: &Call, status: ItemStatus, output: String) -> ItemBody {
        ItemBody::ToolCall { call: call.id, tool: call.tool.clone(), arguments: call.arguments.clone(), output, status }
    }
}

#[async_trait]
impl Prepared for View {
    fn effect(&self) -> Effect {
        Effect::None
    }

    fn action(&self) -> String {
        format!("look at the picture {}", self.path)
    }

    fn item(&self, call: &Call, _context: &CallContext, status: ItemStatus, reason: Option<String>) -> Option<ItemBody> {
        Some(self.shown(call, status, reason.unwrap_or_default()))
    }

    async fn run(self: Box<Self>, call: &Call, context: &CallContext, policy: SandboxPolicy) -> Result<CallResult, ToolFault> {
        let request = FileRequest { path: self.path.clone(), cwd: context.cwd.clone(), max_bytes: LARGEST, policy };
        let picture = match context.host.read_file(request).await {
            Ok(read) => self.picture(read),
            Err(HostError::Fenced) => return Err(ToolFault::Fenced),
            // Nothing was changed, so it may be asked for again.
            Err(error) => Err(error.to_string()),
        };
        let (result, status) = match picture {
            Ok(picture) => (seen(&self.path, picture), ItemStatus::Completed),
            Err(reason) => (not_started(reason.clone(), format!("view_image: {reason}")), ItemStatus::Failed),
        };
        let (began, ended) = (String::new(), result.output.clone());
        record(context, self.shown(call, ItemStatus::InProgress, began), self.shown(call, status, ended)).await?;
        Ok(result)
    }
}

fn seen(path: &AbsPath, picture: Image) -> CallResult {
    CallResult {
        outcome: Outcome::Finished { end: None },
        output: format!("The picture {path} ({}) follows.", picture.media_type),
        release: Vec::new(),
        changes: Vec::new(),
        picture: Some(Box::new(picture)),
    }
}
