//! What a thread asks of its node, and why the node was chosen.

use super::{Malformed, nonempty, parse};
use crate::wire::client as wire;
use capstan_types::hosts::{MOST_HOSTS, ThreadHost};
use capstan_types::placement::{Choice, Packing, PlacementSettings, Priority, Rejection, Why};
use capstan_types::resources::Resources;
use capstan_types::stock;
use wire::reason::Reason;

/// The most tolerations of one thread.
const MOST_TOLERATIONS: usize = 64;

/// The longest name of a batch, in bytes.
const LONGEST_BATCH: usize = 256;

impl From<PlacementSettings> for wire::Placement {
    fn from(asked: PlacementSettings) -> Self {
        Self {
            selector: asked.selector.to_string(),
            tolerations: asked.tolerations.iter().map(ToString::to_string).collect(),
            amounts: Some(asked.resources.into()),
            pack: asked.packing == Packing::Pack,
            batch: asked.batch.unwrap_or_default(),
            priority: Some(u8::from(asked.priority).into()),
            near: asked.near.unwrap_or_default(),
            hosts: asked.hosts.map(|hosts| hosts.to_string()).unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::Placement> for PlacementSettings {
    type Error = Malformed;

    fn try_from(wire: wire::Placement) -> Result<Self, Malformed> {
        if wire.tolerations.len() > MOST_TOLERATIONS {
            return Err(Malformed::new("placement.tolerations", format!("there are more than {MOST_TOLERATIONS}")));
        }
        if wire.batch.len() > LONGEST_BATCH {
            return Err(Malformed::new("placement.batch", format!("it has more than {LONGEST_BATCH} bytes")));
        }
        let priority = |number: u32| {
            let number = u8::try_from(number).unwrap_or(u8::MAX);
            Priority::try_from(number).map_err(|error| Malformed::new("placement.priority", error))
        };
        Ok(Self {
            selector: parse("placement.selector", &wire.selector)?,
            tolerations: wire
                .tolerations
                .iter()
                .map(|text| parse("placement.tolerations", text))
                .collect::<Result<_, Malformed>>()?,
            resources: wire.amounts.map(TryInto::try_into).transpose()?.unwrap_or_default(),
            packing: if wire.pack { Packing::Pack } else { Packing::Spread },
            batch: nonempty(wire.batch),
            priority: wire.priority.map(priority).transpose()?.unwrap_or_default(),
            near: nonempty(wire.near)
                .map(|near| stock::held(&near).map_err(|error| Malformed::new("placement.near", error)))
                .transpose()?,
            hosts: nonempty(wire.hosts).map(|hosts| parse("placement.hosts", &hosts)).transpose()?,
        })
    }
}

impl From<ThreadHost> for wire::ThreadHost {
    fn from(host: ThreadHost) -> Self {
        Self { node_id: host.node.into(), dir: host.dir.map(Into::into).unwrap_or_default() }
    }
}

impl TryFrom<wire::ThreadHost> for ThreadHost {
    type Error = Malformed;

    fn try_from(wire: wire::ThreadHost) -> Result<Self, Malformed> {
        let dir = nonempty(wire.dir).map(|dir| parse("hosts.dir", &dir)).transpose()?;
        Ok(Self { node: parse("hosts.node_id", &wire.node_id)?, dir })
    }
}

/// The hosts that a thread may use besides its node.
///
/// # Errors
/// Too many, or one that is none.
pub(super) fn hosts(wire: Vec<wire::ThreadHost>) -> Result<Vec<ThreadHost>, Malformed> {
    if wire.len() > MOST_HOSTS {
        return Err(Malformed::new("settings.hosts", format!("there are more than {MOST_HOSTS}")));
    }
    wire.into_iter().map(TryInto::try_into).collect()
}

impl From<Resources> for wire::Amounts {
    fn from(amounts: Resources) -> Self {
        let custom = amounts.custom.into_iter().map(|(key, amount)| (key.into(), amount)).collect();
        Self { cpu_milli: amounts.cpu_milli, memory_bytes: amounts.memory_bytes, disk_bytes: amounts.disk_bytes, custom }
    }
}

impl TryFrom<wire::Amounts> for Resources {
    type Error = Malformed;

    fn try_from(wire: wire::Amounts) -> Result<Self, Malformed> {
        let custom = wire.custom.iter().map(|(key, amount)| Ok((parse("amounts.custom", key)?, *amount)));
        Ok(Self {
            cpu_milli: wire.cpu_milli,
            memory_bytes: wire.memory_bytes,
            disk_bytes: wire.disk_bytes,
            custom: custom.collect::<Result<_, Malformed>>()?,
        })
    }
}

impl From<Choice> for wire::Choice {
    fn from(choice: Choice) -> Self {
        let rejected = choice.rejected.into_iter().map(|(why, count)| (why.as_str().to_owned(), count)).collect();
        Self {
            node_id: choice.node.into(),
            nodes: choice.nodes,
            candidates: choice.candidates,
            why: choice.why.into_iter().map(|why| wire::Reason { reason: Some(why.into()) }).collect(),
            rejected,
        }
    }
}

impl TryFrom<wire::Choice> for Choice {
    type Error = Malformed;

    fn try_from(wire: wire::Choice) -> Result<Self, Malformed> {
        let named = |name: &str| Rejection::ALL.into_iter().find(|why| why.as_str() == name);
        Ok(Self {
            node: parse("placed.node_id", &wire.node_id)?,
            nodes: wire.nodes,
            candidates: wire.candidates,
            // A reason that this release does not know is passed over: it is for people.
            why: wire.why.into_iter().filter_map(|reason| reason.reason.map(Into::into)).collect(),
            rejected: wire.rejected.iter().filter_map(|(name, count)| Some((named(name)?, *count))).collect(),
        })
    }
}

impl From<Why> for Reason {
    fn from(why: Why) -> Self {
        match why {
            Why::Named => Self::Named(true),
            Why::Held => Self::Held(true),
            Why::Selected(selector) => Self::Selected(selector),
            Why::Tolerated(taint) => Self::Tolerated(taint),
            Why::NoneWithoutTaint => Self::NoneWithoutTaint(true),
            Why::Mirror(repository) => Self::Mirror(repository),
            Why::Apart(batch) => Self::Apart(batch),
            Why::Together(count) => Self::Together(count),
            Why::LeastLoaded(load) => Self::LeastLoaded(load.into()),
            Why::MostLoaded(load) => Self::MostLoaded(load.into()),
        }
    }
}

impl From<Reason> for Why {
    fn from(reason: Reason) -> Self {
        let load = |load: u32| u16::try_from(load).unwrap_or(u16::MAX);
        match reason {
            Reason::Named(_) => Self::Named,
            Reason::Held(_) => Self::Held,
            Reason::Selected(selector) => Self::Selected(selector),
            Reason::Tolerated(taint) => Self::Tolerated(taint),
            Reason::NoneWithoutTaint(_) => Self::NoneWithoutTaint,
            Reason::Mirror(repository) => Self::Mirror(repository),
            Reason::Apart(batch) => Self::Apart(batch),
            Reason::Together(count) => Self::Together(count),
            Reason::LeastLoaded(thousandths) => Self::LeastLoaded(load(thousandths)),
            Reason::MostLoaded(thousandths) => Self::MostLoaded(load(thousandths)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_and_why_a_node_was_chosen_survive_the_wire() {
        let asked = PlacementSettings {
            selector: "zone in (a,b),!spot".parse().unwrap(),
            tolerations: vec!["gpu=a100:NoSchedule".parse().unwrap(), "*".parse().unwrap()],
            resources: Resources {
                cpu_milli: 1500,
                memory_bytes: 7,
                disk_bytes: 9,
                custom: [("x.io/gpu".parse().unwrap(), 2)].into(),
            },
            packing: Packing::Pack,
            batch: Some("b1".to_owned()),
            priority: Priority::HIGHEST,
            near: Some("github.com/a/b".to_owned()),
            hosts: Some("a,b:/srv/x".parse().unwrap()),
        };
        assert_eq!(PlacementSettings::try_from(wire::Placement::from(asked.clone())), Ok(asked));
        assert_eq!(PlacementSettings::try_from(wire::Placement::default()), Ok(PlacementSettings::default()));
        let text = String::from;
        let why = vec![
            Why::Named,
            Why::Held,
            Why::Selected(text("a=b")),
            Why::Tolerated(text("t:NoSchedule")),
            Why::NoneWithoutTaint,
            Why::Mirror(text("r")),
            Why::Apart(text("b1")),
            Why::Together(3),
            Why::LeastLoaded(17),
            Why::MostLoaded(999),
        ];
        let rejected = Rejection::ALL.into_iter().zip(1..).collect();
        let choice = Choice { node: "n1".parse().unwrap(), nodes: 9, candidates: 4, why, rejected };
        assert_eq!(Choice::try_from(wire::Choice::from(choice.clone())), Ok(choice));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |wire: wire::Placement| PlacementSettings::try_from(wire).unwrap_err().to_string();
        assert!(refused(wire::Placement { selector: "a b".into(), ..Default::default() }).contains("not a part of a selector"));
        assert!(refused(wire::Placement { priority: Some(10), ..Default::default() }).contains("not a priority"));
        assert!(refused(wire::Placement { tolerations: vec!["a".into(); 65], ..Default::default() }).contains("more than 64"));
    }
}
