//! Threads, their settings, and what a turn is begun with.

use super::{Malformed, client_money, client_overrides, client_placement, client_profile, client_session, nonempty, parse};
use crate::wire::client as wire;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use capstan_types::history::Image;
use capstan_types::id::{ThreadId, TurnId};
use capstan_types::output::clean::Cleaning;
use capstan_types::thread::{ThreadSettings, TurnInput};
use capstan_types::window::WindowSettings;

/// The largest picture, in bytes: 20 MiB.
pub const MAX_IMAGE: usize = 20 << 20;

/// The most bytes of all pictures of a turn together: 96 MiB, so that they fit into a request with all else.
pub const MAX_IMAGES: usize = 96 << 20;

/// The most pictures that one turn may begin with.
pub const MOST_IMAGES: usize = 32;

impl From<ThreadSettings> for wire::ThreadSettings {
    fn from(settings: ThreadSettings) -> Self {
        let approval = client_overrides::approval_to_wire(settings.approval);
        Self {
            model: settings.model,
            provider: settings.provider,
            effort: settings.effort.unwrap_or_default(),
            cwd: settings.cwd.into(),
            node_id: settings.node.map(Into::into).unwrap_or_default(),
            sandbox: wire::SandboxMode::from(settings.sandbox).into(),
            profile: settings.profile.map(|profile| (*profile).into()),
            writable_roots: settings.writable_roots.into_iter().map(Into::into).collect(),
            network_access: settings.network_access,
            exclude_slash_tmp: settings.exclude_slash_tmp,
            approval: approval.into(),
            environment: settings.environment.into_iter().collect(),
            instructions: settings.instructions.unwrap_or_default(),
            plan_tool: settings.plan_tool,
            raw_output: settings.cleaning == Cleaning::Raw,
            fallbacks: settings.fallbacks.into_iter().map(Into::into).collect(),
            budgets: Some(settings.budgets.into()),
            context_window: settings.window.context,
            compact_at: settings.window.compact_at,
            docs: Some(settings.docs.into()),
            placement: Some((*settings.placement).into()),
            placed: settings.placed.map(|choice| (*choice).into()),
            hosts: settings.hosts.into_iter().map(Into::into).collect(),
            source: settings.source.map(|source| (*source).into()),
        }
    }
}

impl TryFrom<wire::ThreadSettings> for ThreadSettings {
    type Error = Malformed;

    fn try_from(wire: wire::ThreadSettings) -> Result<Self, Malformed> {
        let sandbox = client_profile::mode("settings.sandbox", wire.sandbox())?;
        let approval = client_overrides::approval("settings.approval", wire.approval())?;
        Ok(Self {
            model: nonempty(wire.model).ok_or_else(|| Malformed::missing("settings.model"))?,
            provider: nonempty(wire.provider).ok_or_else(|| Malformed::missing("settings.provider"))?,
            effort: nonempty(wire.effort),
            cwd: parse("settings.cwd", &wire.cwd)?,
            node: nonempty(wire.node_id).map(|id| parse("settings.node_id", &id)).transpose()?,
            sandbox,
            profile: wire.profile.map(|profile| profile.try_into().map(Box::new)).transpose()?,
            writable_roots: wire
                .writable_roots
                .iter()
                .map(|root| parse("settings.writable_roots", root))
                .collect::<Result<_, _>>()?,
            network_access: wire.network_access,
            exclude_slash_tmp: wire.exclude_slash_tmp,
            approval,
            environment: wire.environment.into_iter().collect(),
            instructions: nonempty(wire.instructions),
            plan_tool: wire.plan_tool,
            cleaning: client_session::cleaning(wire.raw_output),
            fallbacks: client_money::fallbacks(wire.fallbacks)?,
            budgets: wire.budgets.unwrap_or_default().into(),
            window: WindowSettings { context: wire.context_window, compact_at: wire.compact_at },
            docs: wire.docs.map(TryInto::try_into).transpose()?.unwrap_or_default(),
            placement: Box::new(wire.placement.map(TryInto::try_into).transpose()?.unwrap_or_default()),
            placed: wire.placed.map(|choice| choice.try_into().map(Box::new)).transpose()?,
            hosts: client_placement::hosts(wire.hosts)?,
            source: wire.source.map(|source| source.try_into().map(Box::new)).transpose()?,
        })
    }
}

/// The settings that a message must hold.
///
/// # Errors
/// Settings that are missing or malformed.
pub fn settings(wire: Option<wire::ThreadSettings>) -> Result<ThreadSettings, Malformed> {
    wire.ok_or_else(|| Malformed::missing("settings"))?.try_into()
}

/// An id that a client may have chosen; `None` leaves it to the coordinator.
///
/// # Errors
/// A text that is no id.
pub fn chosen<T>(field: &'static str, text: &str) -> Result<Option<T>, Malformed>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    if text.is_empty() { Ok(None) } else { parse(field, text).map(Some) }
}

/// What a client sends to start a turn of a thread under an id of its own.
///
/// # Errors
/// A picture that is not base64.
pub fn start_turn(thread: ThreadId, turn: TurnId, input: TurnInput) -> Result<wire::StartTurnRequest, Malformed> {
    let image = |image: Image| {
        let data = STANDARD.decode(&image.base64).map_err(|error| Malformed::new("images", error))?;
        Ok(wire::Image { media_type: image.media_type, data: data.into() })
    };
    Ok(wire::StartTurnRequest {
        thread_id: thread.to_string(),
        turn_id: turn.to_string(),
        text: input.text,
        images: input.images.into_iter().map(image).collect::<Result<_, Malformed>>()?,
        output_schema: input.output_schema.map(|schema| schema.to_string()).unwrap_or_default(),
        budgets: input.budgets.map(Into::into),
        overrides: (!input.overrides.is_empty()).then(|| input.overrides.into()),
        queue: false,
        compact: input.compact,
    })
}

impl TryFrom<wire::StartTurnRequest> for TurnInput {
    type Error = Malformed;

    fn try_from(wire: wire::StartTurnRequest) -> Result<Self, Malformed> {
        let image = |image: wire::Image| match image.data.len() {
            0 => Err(Malformed::new("images", "a picture is empty")),
            size if size > MAX_IMAGE => Err(Malformed::new("images", format!("a picture has {size} bytes; at most {MAX_IMAGE}"))),
            _ if !Image::KINDS.contains(&image.media_type.as_str()) => Err(Malformed::new(
                "images",
                format!("`{}` is none of {}", image.media_type.escape_debug(), Image::KINDS.join(", ")),
            )),
            _ => Ok(Image { media_type: image.media_type, base64: STANDARD.encode(&image.data) }),
        };
        if wire.images.len() > MOST_IMAGES {
            let reason = format!("there are {} pictures; at most {MOST_IMAGES} are taken", wire.images.len());
            return Err(Malformed::new("images", reason));
        }
        let together: usize = wire.images.iter().map(|image| image.data.len()).sum();
        if together > MAX_IMAGES {
            return Err(Malformed::new("images", format!("they have {together} bytes together; at most {MAX_IMAGES} are taken")));
        }
        let schema = nonempty(wire.output_schema).map(|text| serde_json::from_str(&text)).transpose();
        Ok(Self {
            text: wire.text,
            images: wire.images.into_iter().map(image).collect::<Result<_, _>>()?,
            output_schema: schema.map_err(|error| Malformed::new("output_schema", error))?,
            budgets: wire.budgets.map(Into::into),
            overrides: wire.overrides.map(TryInto::try_into).transpose()?.unwrap_or_default(),
            compact: wire.compact,
        })
    }
}
