//! How long a file may be: a file that does not fit in a head has more than one reason to change.

use crate::repository::{TextFile, assert_none, rust_files};

/// The most lines of any Rust file, its inline tests included.
const LONGEST: usize = 400;
/// The most lines of the median file of the product.
const MEDIAN: usize = 150;

fn complaints(files: &[TextFile]) -> Vec<String> {
    let mut found: Vec<String> = files
        .iter()
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(file, lines)| format!("{}: {lines} lines, more than {LONGEST}: split it by reason to change", file.path))
        .collect();
    let product = sorted_lengths(files);
    let (median, p90) = (quantile(&product, 50), quantile(&product, 90));
    if median > MEDIAN {
        found.push(format!("the median Rust file has {median} lines, more than {MEDIAN} (nine of ten have at most {p90})"));
    }
    found
}

fn sorted_lengths(files: &[TextFile]) -> Vec<usize> {
    let mut lengths: Vec<usize> =
        files.iter().filter(|file| !file.is_for_tests()).map(|file| file.text.lines().count()).collect();
    lengths.sort_unstable();
    lengths
}

fn quantile(sorted: &[usize], percent: usize) -> usize {
    sorted.get(sorted.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0)
}

#[test]
fn a_file_over_the_limit_is_found() {
    let short = TextFile::example("a/src/short.rs", &"x\n".repeat(LONGEST));
    assert_eq!(complaints(&[TextFile::example("tests/e2e/long.rs", &"x\n".repeat(LONGEST + 1))]).len(), 1);
    let found = complaints(&[short]);
    assert_eq!(found, [format!("the median Rust file has 400 lines, more than {MEDIAN} (nine of ten have at most 400)")]);
}

#[test]
fn the_median_counts_the_product_only() {
    let files = [TextFile::example("a/src/x.rs", "x\n"), TextFile::example("a/src/x/tests.rs", &"x\n".repeat(300))];
    assert_eq!(sorted_lengths(&files), [1]);
}

#[test]
fn no_file_is_too_long() {
    assert_none(&complaints(&rust_files()));
}
