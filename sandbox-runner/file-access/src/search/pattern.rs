//! What is looked for, and where.

use crate::refusal::{Answer, refusal};
use capstan_types::files::document::{Case, MOST_PATTERN, SearchQuery};
use capstan_types::files::report::Why;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use ignore::overrides::{Override, OverrideBuilder};

/// How much memory a pattern may take, in bytes, once when it is read and once while it is looked for.
const SIZE: usize = 16 << 20;

/// The most globs.
const MOST_GLOBS: usize = 100;

pub(super) fn matcher(query: &SearchQuery) -> Answer<RegexMatcher> {
    if query.pattern.len() > MOST_PATTERN {
        return Err(refusal(Why::Question, format!("the pattern is longer than {MOST_PATTERN} bytes")));
    }
    RegexMatcherBuilder::new()
        .fixed_strings(query.fixed)
        .case_insensitive(query.case == Case::Insensitive)
        .case_smart(query.case == Case::Smart)
        .line_terminator(Some(b'\n'))
        .size_limit(SIZE)
        .dfa_size_limit(SIZE)
        .build(&query.pattern)
        .map_err(|error| refusal(Why::Question, format!("the pattern cannot be searched for: {error}")))
}

pub(super) fn globs(globs: &[String]) -> Answer<Override> {
    if globs.len() > MOST_GLOBS {
        return Err(refusal(Why::Question, format!("there are {} globs; at most {MOST_GLOBS} are taken", globs.len())));
    }
    let mut builder = OverrideBuilder::new("");
    for glob in globs {
        builder.add(glob).map_err(|error| refusal(Why::Question, format!("`{glob}` is not a glob: {error}")))?;
    }
    builder.build().map_err(|error| refusal(Why::Question, format!("the globs are too many or too long: {error}")))
}
