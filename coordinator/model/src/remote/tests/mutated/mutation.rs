//! One good stream made bad, as its seed says.

use super::super::server::Act;
use super::super::{sse, status};
use serde_json::{Value, json};

/// A stream made bad.
#[derive(Debug)]
pub(super) struct Mutated {
    /// What the server does.
    pub(super) acts: Vec<Act>,
    /// The bytes that it sends.
    pub(super) body: Vec<u8>,
    /// What was done to it.
    pub(super) what: String,
}

/// Numbers that a seed alone decides (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % limit.max(1)
    }
}

impl Mutated {
    pub(super) fn of(events: &[Value], seed: u64) -> Self {
        let mut numbers = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut lines: Vec<Vec<u8>> = events.iter().map(|event| format!("data: {event}\n\n").into_bytes()).collect();
        let mut what = Vec::new();
        if numbers.below(12) == 0 {
            return Self::error_body(&mut numbers);
        }
        for _ in 0..=numbers.below(3) {
            what.push(on_events(&mut lines, &mut numbers));
        }
        let head = sse(&[]);
        let mut body = lines.concat();
        if numbers.below(3) == 0 {
            what.push(on_bytes(&mut body, &mut numbers));
        }
        let all = [head, body.clone()].concat();
        let mut acts = match numbers.below(4) {
            0 => {
                what.push("dripped");
                vec![Act::Drip(all)]
            }
            _ => vec![Act::Send(all)],
        };
        match numbers.below(10) {
            0 => acts.push(Act::Hold),
            1 => acts.push(Act::Comment),
            _ => {}
        }
        Self { acts, body, what: what.join(", ") }
    }

    /// An error in the place of a stream, most often with status 200.
    fn error_body(numbers: &mut Numbers) -> Self {
        let bodies = [
            json!({"error": {"message": "busy", "type": "server_error", "code": "server_error"}}).to_string(),
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}).to_string(),
            "<html><body>502 Bad Gateway</body></html>".to_owned(),
            String::new(),
            "null".to_owned(),
        ];
        let body = bodies[numbers.below(bodies.len())].clone();
        let code = [200, 200, 200, 500, 503, 529][numbers.below(6)];
        let acts = status(code, "content-type: application/json\r\n", &body);
        Self { acts, body: body.into_bytes(), what: format!("an error body under {code}") }
    }
}

fn on_events(lines: &mut Vec<Vec<u8>>, numbers: &mut Numbers) -> &'static str {
    let place = numbers.below(lines.len());
    match numbers.below(9) {
        0 => {
            lines.truncate(place);
            "ended early"
        }
        1 => {
            if !lines.is_empty() {
                lines.remove(place);
            }
            "one left out"
        }
        2 => {
            if let Some(line) = lines.get(place).cloned() {
                lines.insert(numbers.below(lines.len()), line);
            }
            "one doubled"
        }
        3 => {
            let other = numbers.below(lines.len());
            if place < lines.len() {
                lines.swap(place, other);
            }
            "two swapped"
        }
        4 => {
            if let Some(line) = lines.get_mut(place) {
                let kept = numbers.below(line.len());
                line.truncate(kept);
                line.extend_from_slice(b"\n\n");
            }
            "one cut in the middle"
        }
        5 => {
            let error = json!({"type": "error", "error": {"type": "api_error", "code": "server_error", "message": "broken"}});
            lines.insert(place, format!("data: {error}\n\n").into_bytes());
            "an error between"
        }
        6 => {
            let strange: [&[u8]; 5] =
                [b": a comment\n\n", b"data:\n\n", b"event: ping\n\n", b"data: {}\n\n", b"data: [DONE]\n\n"];
            lines.insert(place, strange[numbers.below(strange.len())].to_vec());
            "something strange between"
        }
        7 => {
            // Arguments that stop in the middle, in an event that is whole.
            if let Some(line) = lines.get_mut(place) {
                let text = String::from_utf8_lossy(line).replacen(r#"\"cmd\":\"r"#, r#"\"cm"#, 1);
                *line = text.into_bytes();
            }
            "partial arguments"
        }
        _ => "nothing",
    }
}

fn on_bytes(body: &mut Vec<u8>, numbers: &mut Numbers) -> &'static str {
    let place = numbers.below(body.len());
    match numbers.below(3) {
        0 => {
            body.truncate(place);
            "cut anywhere"
        }
        1 => {
            if let Some(byte) = body.get_mut(place) {
                *byte ^= 1 << numbers.below(8);
            }
            "a bit flipped"
        }
        _ => {
            let piece = body.get(place..).unwrap_or_default().iter().take(1 + numbers.below(60)).copied().collect::<Vec<u8>>();
            body.splice(place..place, piece);
            "a piece doubled"
        }
    }
}
