//! The variables that a tool's session gets beside the node's base environment: no colours, no pagers, UTF-8.

use crate::invocation::CallContext;
use capstan_types::call::Call;
use std::collections::BTreeMap;

const QUIET: [(&str, &str); 10] = [
    ("NO_COLOR", "1"),
    ("TERM", "dumb"),
    ("COLORTERM", ""),
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("LC_CTYPE", "C.UTF-8"),
    ("PAGER", "cat"),
    ("GIT_PAGER", "cat"),
    ("GH_PAGER", "cat"),
    ("CAPSTAN", "1"),
];

/// The variables of one call. The settings may change the quiet ones, but not those that say whose session it is.
pub(in crate::handlers) fn variables(call: &Call, context: &CallContext) -> BTreeMap<String, String> {
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut variables: BTreeMap<String, String> = QUIET.into_iter().map(own).collect();
    variables.extend(context.environment.clone());
    variables.insert("CAPSTAN_THREAD_ID".to_owned(), context.thread.to_string());
    variables.insert("CAPSTAN_CALL_ID".to_owned(), call.id.to_string());
    variables
}
