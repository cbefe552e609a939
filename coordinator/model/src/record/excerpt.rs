//! Chooses of an output what will be the same the next time: not times, numbers of sessions and processes, or temporary paths.

use crate::script_file::Matcher;

/// The longest excerpt, in bytes.
const LONGEST: usize = 120;

/// Something by which the same output is known again in another run; anything, if it holds nothing that lasts.
pub(super) fn stable(output: &str) -> Matcher {
    if !output.is_empty() && output.len() <= LONGEST && lasts(output) {
        return Matcher::Equals(output.to_owned());
    }
    // The head of an output is made of what varies; the text of the tool comes after it.
    let (head, body) = output.split_once("\nOutput:\n").unwrap_or(("", output));
    let lines = body.lines().map(str::trim_end).filter(|line| line.trim().len() > 2 && line.len() <= LONGEST && lasts(line));
    // Of equals the first: it is the least likely to be cut away with the middle.
    let longest = lines.reduce(|best, line| if line.len() > best.len() { line } else { best });
    let exit = head.lines().find(|line| line.starts_with("Process exited with code"));
    longest.or(exit).map_or(Matcher::Anything, |text| Matcher::Contains(text.to_owned()))
}

fn lasts(text: &str) -> bool {
    !text.contains(|letter: char| letter.is_ascii_digit()) && !text.contains("/tmp") && !text.contains('\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXEC: &str =
        "Chunk ID: ec86b0\nWall time: 0.2508 seconds\nProcess exited with code 0\nOriginal token count: 2\nOutput:\n";

    #[test]
    fn what_varies_is_left_out() {
        let contains = |text: &str| Matcher::Contains(text.to_owned());
        let of = |body: &str| stable(&format!("{EXEC}{body}"));
        assert_eq!(of("running tests in 0.12 s\ntest result: ok\nall is well here\n"), contains("all is well here"));
        assert_eq!(of("/tmp/x was made\n17 files\n"), contains("Process exited with code 0"));
        assert_eq!(of(""), contains("Process exited with code 0"));
        assert_eq!(stable("Plan updated"), Matcher::Equals("Plan updated".to_owned()));
        assert_eq!(stable(""), Matcher::Anything);
        assert_eq!(stable("12:30"), Matcher::Anything);
    }

    proptest! {
        #[test]
        fn an_output_is_known_again(output in "(Output:\n|[a-z0-9 ä/]{0,30}\n){0,8}", headed: bool) {
            let output = if headed { format!("{EXEC}{output}") } else { output };
            prop_assert!(stable(&output).accepts(&output));
        }
    }
}
