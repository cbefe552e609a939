//! `update_plan`: the model shows what it means to do, and how far it is.

use crate::arguments;
use crate::effects::Effects;
use crate::fault::ToolFault;
use crate::handler::{BadCall, Effect, Handler, Prepared};
use crate::invocation::{CallContext, CallResult};
use crate::spec::ToolSpec;
use async_trait::async_trait;
use capstan_types::call::{Call, Outcome, ReplayClass};
use capstan_types::item::{ItemBody, ItemStatus, PlanStatus, PlanStep};
use capstan_types::policy::SandboxPolicy;
use serde::Deserialize;
use serde_json::json;

/// The tool.
#[derive(Debug)]
pub(crate) struct UpdatePlan;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    plan: Vec<Step>,
    /// Why the plan changed. It is in the history with the call; the item shows the steps.
    #[serde(rename = "explanation")]
    _explanation: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    step: String,
    status: PlanStatus,
}

impl Handler for UpdatePlan {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "update_plan",
            description: "Shows the user your plan and how far you are. Send the whole list each time; have at most one step in progress.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "explanation": { "type": "string", "description": "Why the plan changed." },
                    "plan": {
                        "type": "array",
                        "description": "All steps, in order.",
                        "items": {
                            "type": "object",
                            "properties": {
                                "step": { "type": "string", "description": "What is to be done, in a few words." },
                                "status": { "type": "string", "enum": ["pending", "in_progress", "completed"] }
                            },
                            "required": ["step", "status"],
                            "additionalProperties": false
                        }
                    }
                },
                "required": ["plan"],
                "additionalProperties": false
            }),
        }
    }

    fn replay_class(&self, _arguments: &str) -> ReplayClass {
        ReplayClass::Pure
    }

    fn effects(&self, _arguments: &str) -> Effects {
        Effects::Plans
    }

    fn prepare(&self, call: &Call, _context: &CallContext) -> Result<Box<dyn Prepared>, BadCall> {
        let arguments: Arguments = arguments::parse(call)?;
        let steps = arguments.plan.into_iter().map(|Step { step, status }| PlanStep { step, status }).collect();
        Ok(Box::new(NewPlan { steps }))
    }
}

#[derive(Debug)]
struct NewPlan {
    steps: Vec<PlanStep>,
}

#[async_trait]
impl Prepared for NewPlan {
    fn effect(&self) -> Effect {
        Effect::None
    }

    fn action(&self) -> String {
        "show a plan".to_owned()
    }

    fn item(&self, _: &Call, _: &CallContext, _: ItemStatus, _: Option<String>) -> Option<ItemBody> {
        None
    }

    async fn run(self: Box<Self>, _call: &Call, context: &CallContext, _policy: SandboxPolicy) -> Result<CallResult, ToolFault> {
        context.plan.show(self.steps, context.items.as_ref()).await?;
        Ok(CallResult {
            outcome: Outcome::Finished { end: None },
            output: "Plan updated".to_owned(),
            release: Vec::new(),
            changes: Vec::new(),
            picture: None,
        })
    }
}
