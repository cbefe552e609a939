//! The model's plan as a checklist.

use super::page::Page;
use crate::render::ink::Role;
use crate::render::text;
use capstan_types::item::{PlanStatus, PlanStep};

/// Steps that are shown.
const STEPS: usize = 20;

pub(super) fn lines(page: &Page, steps: &[PlanStep]) -> Vec<String> {
    let step = |step: &PlanStep| {
        let (sign, role) = match step.status {
            PlanStatus::Completed => ("✓", Some(Role::Good)),
            PlanStatus::InProgress => ("▸", Some(Role::Strong)),
            PlanStatus::Pending => ("○", Some(Role::Faint)),
        };
        page.indented(role, &format!("{sign} {}", text::line(&step.step)))
    };
    let hidden = steps.len().saturating_sub(STEPS);
    let more = (hidden > 0).then(|| page.indented(Some(Role::Faint), &format!("… {} more", text::counted(hidden, "step"))));
    ["plan".to_owned()].into_iter().chain(steps.iter().take(STEPS).map(step)).chain(more).collect()
}
