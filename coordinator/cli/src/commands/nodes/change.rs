//! `capstan nodes label|taint|cordon|uncordon`.

use super::{reach, refused, which};
use crate::args::{ChangeNodesArgs, CloseNodesArgs, DaemonArgs, WhichNodesArgs};
use crate::client::{Client, Ordering};
use crate::failure::{Exit, Failure};
use crate::runtime;
use crate::surroundings::Surroundings;
use crate::who;
use capstan_proto::convert::client_nodes::Asked;
use capstan_types::label::LabelKey;
use capstan_types::taint::Effect;
use std::fmt::Display;
use std::io::{self, Write};

pub(super) fn label(args: &ChangeNodesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let is_change = |word: &str| word.contains('=') || word.ends_with('-');
    let (nodes, changes) = parted(args, is_change, "write KEY=VALUE to set a label, KEY- to take it away")?;
    let changes = changes.into_iter().map(|word| labelled(word, args.overwrite)).collect::<Result<Vec<_>, _>>()?;
    changed(&nodes, &args.daemon, (changes, &args.reason), surroundings)
}

pub(super) fn taint(args: &ChangeNodesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let is_change = |word: &str| word.contains([':', '=']) || word.ends_with('-');
    let (nodes, changes) =
        parted(args, is_change, "write KEY=VALUE:EFFECT or KEY:EFFECT to set a taint, KEY:EFFECT- or KEY- to take it away")?;
    let changes = changes.into_iter().map(tainted).collect::<Result<Vec<_>, _>>()?;
    changed(&nodes, &args.daemon, (changes, &args.reason), surroundings)
}

pub(super) fn cordon(args: &CloseNodesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let change = Named { asked: Asked::Cordon, done: "cordoned".to_owned(), already: "is closed already".to_owned() };
    changed(&args.which, &args.daemon, (vec![change], &args.reason), surroundings)
}

pub(super) fn uncordon(args: &CloseNodesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let change = Named { asked: Asked::Uncordon, done: "uncordoned".to_owned(), already: "is open already".to_owned() };
    changed(&args.which, &args.daemon, (vec![change], &args.reason), surroundings)
}

/// A change, and what is said of it.
#[derive(Debug, Clone)]
struct Named {
    asked: Asked,
    done: String,
    already: String,
}

/// The words that are nodes, and those that are changes.
fn parted<'a>(
    args: &'a ChangeNodesArgs,
    is_change: impl Fn(&str) -> bool,
    how: &str,
) -> Result<(WhichNodesArgs, Vec<&'a str>), Failure> {
    let (changes, nodes): (Vec<&String>, Vec<&String>) = args.words.iter().partition(|word| is_change(word));
    if changes.is_empty() {
        return Err(Failure::bad_input("nothing is to be changed").hint(how));
    }
    let which = WhichNodesArgs { nodes: nodes.into_iter().cloned().collect(), selector: args.selector.clone() };
    Ok((which, changes.into_iter().map(String::as_str).collect()))
}

fn labelled(word: &str, overwrite: bool) -> Result<Named, Failure> {
    let done = |key: &LabelKey| format!("label {key}");
    if let Some((key, value)) = word.split_once('=') {
        let key: LabelKey = key.parse().map_err(bad)?;
        let (done, already) = (format!("{} is {value} now", done(&key)), format!("has the label {word} already"));
        return Ok(Named { asked: Asked::Label(key, value.parse().map_err(bad)?, overwrite), done, already });
    }
    let key: LabelKey = word.trim_end_matches('-').parse().map_err(bad)?;
    let (done, already) = (format!("{} is gone", done(&key)), format!("has no label {key}"));
    Ok(Named { asked: Asked::Unlabel(key), done, already })
}

fn tainted(word: &str) -> Result<Named, Failure> {
    let Some(gone) = word.strip_suffix('-') else {
        let asked = Asked::Taint(word.parse().map_err(bad)?);
        return Ok(Named { asked, done: format!("taint {word} is set"), already: format!("has the taint {word} already") });
    };
    let (key, effect) = match gone.split_once(':') {
        Some((key, effect)) => (key, Some(effect.parse::<Effect>().map_err(bad)?)),
        None => (gone, None),
    };
    // As kubectl has it, a value may stand there and says nothing.
    let key = key.split_once('=').map_or(key, |(key, _)| key).parse().map_err(bad)?;
    Ok(Named {
        asked: Asked::Untaint(key, effect),
        done: format!("taint {gone} is gone"),
        already: format!("has no taint {gone}"),
    })
}

fn bad(error: impl Display) -> Failure {
    Failure::bad_input(error)
}

fn changed(
    which: &WhichNodesArgs,
    daemon: &DaemonArgs,
    (changes, reason): (Vec<Named>, &Option<String>),
    surroundings: &Surroundings,
) -> Result<Exit, Failure> {
    let ordering = Ordering { by: who::person(surroundings)?, reason: reason.clone() };
    which::checked(&which.nodes)?;
    let reach = reach(daemon, surroundings)?;
    runtime::block_on(async {
        let mut client = Client::connect(reach).await?;
        for status in which::meant(&mut client, which).await? {
            for change in &changes {
                let node = status.id.as_str();
                let done = client.order(node, change.asked.clone(), &ordering).await.map_err(|error| refused(&error))?;
                let said = if done { format!("node {node}: {}", change.done) } else { format!("node {node} {}", change.already) };
                // What was done is done, whether anybody reads it.
                let _ = writeln!(io::stdout(), "{said}");
            }
        }
        Ok(Exit::Success)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(result: Result<Named, Failure>) -> String {
        let failure = result.unwrap_err();
        assert_eq!(failure.exit, Exit::BadInput);
        failure.sentence
    }

    #[test]
    fn labels_and_taints_are_read_as_kubectl_writes_them() {
        assert_eq!(labelled("zone=b", false).unwrap().asked, Asked::Label("zone".parse().unwrap(), "b".parse().unwrap(), false));
        assert_eq!(labelled("zone-", true).unwrap().asked, Asked::Unlabel("zone".parse().unwrap()));
        assert_eq!(tainted("gpu=a:NoSchedule").unwrap().asked, Asked::Taint("gpu=a:NoSchedule".parse().unwrap()));
        let gone = |effect| Asked::Untaint("gpu".parse().unwrap(), effect);
        assert_eq!(tainted("gpu-").unwrap().asked, gone(None));
        for word in ["gpu:NoSchedule-", "gpu=a:NoSchedule-"] {
            assert_eq!(tainted(word).unwrap().asked, gone(Some(Effect::NoSchedule)), "{word}");
        }
    }

    #[test]
    fn what_is_neither_is_told_with_the_form() {
        assert!(refusal(labelled("zo ne=b", false)).contains("`zo ne` is not a label's key"));
        assert!(refusal(labelled("zone=b b", false)).contains("`b b` is not a label's value"));
        assert!(refusal(tainted("gpu=a")).contains("has no effect; write KEY=VALUE:NoSchedule"));
        assert!(refusal(tainted("gpu:Never")).contains("has no effect"));
    }
}
