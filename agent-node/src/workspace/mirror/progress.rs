//! What git says of its progress, for people.

/// The longest line that is looked at, in bytes.
const LONGEST: usize = 512;

/// Hears what git writes, and finds lines such as `Receiving objects:  45% (450/1000)`.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    line: Vec<u8>,
    last: Option<(String, u8)>,
}

impl Progress {
    /// Hears a piece, and tells each step that is news, with how much of it is done in hundredths.
    pub(crate) fn hear(&mut self, bytes: &[u8], mut tell: impl FnMut(&str, u8)) {
        for byte in bytes {
            if !matches!(byte, b'\r' | b'\n') {
                if self.line.len() < LONGEST {
                    self.line.push(*byte);
                }
                continue;
            }
            let step = step(&String::from_utf8_lossy(&self.line));
            self.line.clear();
            if step.is_some() && step != self.last {
                if let Some((said, percent)) = &step {
                    tell(said, *percent);
                }
                self.last = step;
            }
        }
    }
}

fn step(line: &str) -> Option<(String, u8)> {
    let (said, rest) = line.rsplit_once(": ").filter(|(_, rest)| rest.contains('%'))?;
    let percent: u8 = rest.trim_start().split_once('%')?.0.parse().ok().filter(|percent| *percent <= 100)?;
    let said = said.trim().trim_start_matches("remote: ");
    // What a server says is not for a terminal as it is.
    let is_plain = said.chars().all(|char| char.is_ascii_alphabetic() || char == ' ');
    (is_plain && said.len() <= 40).then(|| (said.to_ascii_lowercase(), percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_told_once_and_nothing_that_a_server_makes_up() {
        let (mut progress, mut told) = (Progress::default(), Vec::new());
        let said = b"From h\nremote: Counting objects:  50% (1/2)\rReceiving obj".as_slice();
        let rest =
            b"ects:   7% (7/100), 3 KiB | 1 KiB/s\rReceiving objects:   7% (8/100)\r\x1b[2Jevil: 9% (\rx: 300% (\r".as_slice();
        for piece in [said, rest] {
            progress.hear(piece, |step, percent| told.push((step.to_owned(), percent)));
        }
        assert_eq!(told, [("counting objects".to_owned(), 50), ("receiving objects".to_owned(), 7)]);
    }
}
