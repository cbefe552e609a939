//! One change of a node's orders.

use super::{Act, ActKind, AtDeadline, Closed, Drain, Given, KEPT_ACTS, LONGEST_REASON, NodeOrders, Ordered};
use crate::label::{LabelKey, LabelValue};
use crate::taint::{Effect, Taint};
use std::fmt::Write as _;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Set a label. One that an operator has set to something else stays, unless it is to be overwritten.
    Label {
        /// Its name.
        key: LabelKey,
        /// Its value.
        value: LabelValue,
        /// What the node says of itself under that name.
        own: Option<String>,
        /// Whether another value is replaced.
        overwrite: bool,
    },
    /// Take a label away; one that the node states itself is hidden.
    Unlabel {
        /// Its name.
        key: LabelKey,
        /// Whether the node states it itself.
        own: bool,
    },
    /// Set a taint. Of one key and effect there is one value.
    Taint(Taint),
    /// Take the taints of this key, and of this effect if one is named, away.
    Untaint(LabelKey, Option<Effect>),
    /// Close it to new work. A drain goes on.
    Cordon,
    /// Open it; a drain is over.
    Uncordon,
    /// Drain it.
    Drain(Drain),
    /// What ran there has ended, as this sentence tells. Without effect when the drain is over or has been begun anew since.
    Drained(String),
}

/// Why a change was not made. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unchanged {
    /// It is so already.
    #[error("it is so already")]
    Already,
    /// The label has another value.
    #[error("label {key} is `{present}` there; give --overwrite to change it")]
    Labelled {
        /// The label.
        key: LabelKey,
        /// What it is.
        present: String,
    },
    /// There is no such label.
    #[error("label {0} is not there")]
    NoLabel(LabelKey),
    /// There is no such taint.
    #[error("taint {0} is not there")]
    NoTaint(String),
}

impl NodeOrders {
    /// The orders after a change.
    ///
    /// # Errors
    /// It changes nothing, or cannot be made.
    pub fn obey(&self, change: &Change, given: &Given) -> Result<Self, Unchanged> {
        let mut new = self.clone();
        let (kind, what) = match change {
            Change::Label { key, value, own, overwrite } => new.label((key, value), own.as_deref(), *overwrite, given)?,
            Change::Unlabel { key, own } => new.unlabel(key, *own, given)?,
            Change::Taint(taint) => new.taint(taint, given)?,
            Change::Untaint(key, effect) => new.untaint(key, *effect)?,
            Change::Cordon => new.cordon(given)?,
            Change::Uncordon => {
                new.closed.take().ok_or(Unchanged::Already)?;
                (ActKind::Uncordoned, String::new())
            }
            Change::Drain(drain) => new.drain(drain, given)?,
            Change::Drained(how) => {
                new.draining().ok_or(Unchanged::Already)?;
                // Whose order it was stays known.
                new.closed.iter_mut().for_each(|closed| closed.what = Closed::Drained);
                (ActKind::Drained, how.clone())
            }
        };
        new.count += 1;
        let Given { by, at, reason } = given.cut();
        new.acts.push(Act { number: new.count, kind, what, by, at, reason });
        let over = new.acts.len().saturating_sub(KEPT_ACTS);
        new.acts.drain(..over);
        Ok(new)
    }

    fn label(
        &mut self,
        (key, value): (&LabelKey, &LabelValue),
        own: Option<&str>,
        overwrite: bool,
        given: &Given,
    ) -> Result<(ActKind, String), Unchanged> {
        let ordered = self.labels.get(key).map(|ordered| ordered.what.as_ref().map(LabelValue::as_str));
        let present = ordered.unwrap_or(own);
        match present {
            Some(present) if present == value.as_str() => return Err(Unchanged::Already),
            Some(present) if !overwrite => {
                return Err(Unchanged::Labelled { key: key.clone(), present: present.to_owned() });
            }
            Some(_) | None => {}
        }
        self.labels.insert(key.clone(), given.order(Some(value.clone())));
        Ok((ActKind::Labelled, format!("{key}={value}")))
    }

    fn unlabel(&mut self, key: &LabelKey, own: bool, given: &Given) -> Result<(ActKind, String), Unchanged> {
        let present = self.labels.get(key).map_or(own, |ordered| ordered.what.is_some());
        if !present {
            return Err(Unchanged::NoLabel(key.clone()));
        }
        if own {
            self.labels.insert(key.clone(), given.order(None));
        } else {
            self.labels.remove(key);
        }
        Ok((ActKind::Unlabelled, key.to_string()))
    }

    fn taint(&mut self, taint: &Taint, given: &Given) -> Result<(ActKind, String), Unchanged> {
        if self.taints.iter().any(|present| present.what == *taint) {
            return Err(Unchanged::Already);
        }
        self.taints.retain(|present| present.what.key != taint.key || present.what.effect != taint.effect);
        self.taints.push(given.order(taint.clone()));
        self.taints.sort_by(|a, b| a.what.cmp(&b.what));
        Ok((ActKind::Tainted, taint.to_string()))
    }

    fn untaint(&mut self, key: &LabelKey, effect: Option<Effect>) -> Result<(ActKind, String), Unchanged> {
        let before = self.taints.len();
        self.taints.retain(|present| present.what.key != *key || effect.is_some_and(|effect| effect != present.what.effect));
        let mut what = key.to_string();
        if let Some(effect) = effect {
            // It never fails.
            let _ = write!(what, ":{}", effect.as_str());
        }
        if self.taints.len() == before { Err(Unchanged::NoTaint(what)) } else { Ok((ActKind::Untainted, what)) }
    }

    fn cordon(&mut self, given: &Given) -> Result<(ActKind, String), Unchanged> {
        if self.closed.is_some() {
            return Err(Unchanged::Already);
        }
        self.closed = Some(given.order(Closed::Cordoned));
        Ok((ActKind::Cordoned, String::new()))
    }

    fn drain(&mut self, drain: &Drain, given: &Given) -> Result<(ActKind, String), Unchanged> {
        if self.draining().is_some_and(|(present, _)| present == drain) {
            return Err(Unchanged::Already);
        }
        self.closed = Some(given.order(Closed::Draining(drain.clone())));
        let then = match (drain.deadline, drain.then) {
            (None, _) => "without a deadline",
            (Some(_), AtDeadline::Cancel) => "what runs at the deadline is cancelled",
            (Some(_), AtDeadline::Tell | AtDeadline::Wait) => "what runs at the deadline runs on",
        };
        Ok((ActKind::Draining, then.to_owned()))
    }
}

impl Given {
    fn order<T>(&self, what: T) -> Ordered<T> {
        let Self { by, at, reason } = self.cut();
        Ordered { what, by, at, reason }
    }

    /// Without what is too long to be kept.
    fn cut(&self) -> Self {
        let clean = |reason: &String| reason.chars().take(LONGEST_REASON).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let reason = self.reason.as_ref().map(clean);
        Self { by: self.by.clone(), at: self.at, reason }
    }
}
