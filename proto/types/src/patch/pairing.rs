//! Which of a chunk's old lines stay: the longest common subsequence of old and new.
//!
//! A line that stays is copied from the file and not from the patch, so that a context that matched only roughly does not change it.

/// One step from the old lines to the new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The next old line stays.
    Keep,
    /// The next old line goes.
    Remove,
    /// The next new line comes.
    Insert,
}

/// The largest table, in cells. Past it the middle is replaced as a whole, which is correct and only less fine.
const CELLS: usize = 1 << 20;

/// The steps from `old` to `new`, with removals before insertions.
pub(super) fn steps(old: &[String], new: &[String]) -> Vec<Step> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let mut steps = vec![Step::Keep; head];
    middle(old, new, &mut steps);
    steps.extend(std::iter::repeat_n(Step::Keep, tail));
    steps
}

fn middle(old: &[String], new: &[String], steps: &mut Vec<Step>) {
    let width = new.len() + 1;
    let (mut i, mut j) = (0, 0);
    if (old.len() + 1).saturating_mul(width) <= CELLS {
        let common = table(old, new);
        while i < old.len() && j < new.len() {
            let step = if old[i] == new[j] {
                Step::Keep
            } else if common[(i + 1) * width + j] >= common[i * width + j + 1] {
                Step::Remove
            } else {
                Step::Insert
            };
            i += usize::from(step != Step::Insert);
            j += usize::from(step != Step::Remove);
            steps.push(step);
        }
    }
    steps.extend(std::iter::repeat_n(Step::Remove, old.len() - i));
    steps.extend(std::iter::repeat_n(Step::Insert, new.len() - j));
}

/// In row `i` and column `j`: how many lines `old[i..]` and `new[j..]` have in common.
fn table(old: &[String], new: &[String]) -> Vec<u32> {
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    common
}
