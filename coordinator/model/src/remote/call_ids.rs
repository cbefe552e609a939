//! Makes the names of calls unique in a thread. Some providers name no calls, and the provider library counts those from 0 in every
//! piece of every answer; outputs would then be taken for those of another call.

use capstan_types::history::Entry;
use std::collections::HashSet;

/// Renames the calls of an answer whose names are missing or already taken, in the history or in the answer itself.
pub(super) fn make_unique(answer: &mut [Entry], history: &[Entry]) {
    let mut taken: HashSet<String> = history.iter().filter_map(call_id).map(str::to_owned).collect();
    for entry in answer {
        if let Entry::Call { model_call_id, tool, .. } = entry {
            if model_call_id.is_empty() || taken.contains(model_call_id) {
                *model_call_id = fresh(model_call_id, tool, &taken);
            }
            taken.insert(model_call_id.clone());
        }
    }
}

const fn call_id(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Call { model_call_id, .. } => Some(model_call_id.as_str()),
        _ => None,
    }
}

fn fresh(id: &str, tool: &str, taken: &HashSet<String>) -> String {
    // The library takes such a name for one of its own making, which Gemini must not see.
    let made_up = id.starts_with("call#");
    let mut number = taken.len();
    loop {
        let name = if made_up { format!("call#{tool}#{number}") } else { format!("call_{number}") };
        if !taken.contains(&name) {
            return name;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn calls(ids: &[&str]) -> Vec<Entry> {
        let call =
            |id: &&str| Entry::Call { model_call_id: (*id).to_owned(), tool: "exec".to_owned(), arguments: "{}".to_owned() };
        ids.iter().map(call).collect()
    }

    fn unique(answer: &[&str], history: &[&str]) -> Vec<String> {
        let mut answer = calls(answer);
        make_unique(&mut answer, &calls(history));
        answer.iter().filter_map(call_id).map(str::to_owned).collect()
    }

    #[test]
    fn good_names_stay() {
        assert_eq!(unique(&["a", "b"], &["c"]), ["a", "b"]);
    }

    #[test]
    fn names_that_are_missing_or_taken_are_replaced() {
        assert_eq!(unique(&["", "", "call_1"], &[]), ["call_0", "call_1", "call_2"]);
        assert_eq!(unique(&["call#exec#0", "call#exec#0"], &["call#exec#0"]), ["call#exec#1", "call#exec#2"]);
    }

    proptest! {
        #[test]
        fn no_name_is_used_twice(answer in proptest::collection::vec("(call_[0-3])?", 0..6), history in proptest::collection::hash_set("call_[0-9]", 0..6)) {
            let answer: Vec<&str> = answer.iter().map(String::as_str).collect();
            let history: Vec<&str> = history.iter().map(String::as_str).collect();
            let mut all = unique(&answer, &history);
            all.extend(history.iter().map(|id| (*id).to_owned()));
            let count = all.len();
            prop_assert!(all.iter().all(|id| !id.is_empty()));
            prop_assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), count);
        }
    }
}
