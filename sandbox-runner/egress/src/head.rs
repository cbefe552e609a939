//! The head of an HTTP/1 request as bytes: where it ends, and its lines. Strict, for what two readers understand differently is how one of
//! them is deceived.

/// The most fields of a head.
const MOST_FIELDS: usize = 100;

/// A request line and its fields.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    /// Whether it is HTTP/1.1 rather than 1.0.
    pub(crate) modern: bool,
    fields: Vec<(&'a str, &'a [u8])>,
}

/// Where the head ends, behind its empty line; `None` when more must come. What lies before `looked` was found good by an earlier call.
pub(crate) fn end(bytes: &[u8], looked: usize) -> Result<Option<usize>, &'static str> {
    for at in looked..bytes.len() {
        let before = |back: usize| at.checked_sub(back).map(|at| bytes[at]);
        match bytes[at] {
            b'\n' if before(1) != Some(b'\r') => return Err("a line ends without a carriage return"),
            b'\n' if before(2) == Some(b'\n') => return Ok(Some(at + 1)),
            b'\n' if at == 1 => return Err("it begins with an empty line"),
            b'\n' | b'\r' | b'\t' if before(1) != Some(b'\r') || bytes[at] == b'\n' => {}
            _ if before(1) == Some(b'\r') => return Err("a carriage return stands within a line"),
            byte if byte < b' ' || byte == 0x7f => return Err("it holds a control character"),
            _ => {}
        }
    }
    Ok(None)
}

impl<'a> Head<'a> {
    /// Reads a head up to and with its empty line.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, &'static str> {
        if end(bytes, 0)? != Some(bytes.len()) {
            return Err("its head is not complete");
        }
        let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let first = lines.next().and_then(|line| std::str::from_utf8(line).ok()).ok_or("its first line is not text")?;
        let mut words = first.split(' ');
        let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next()) else {
            return Err("its first line is not a method, a target and a version");
        };
        let modern = match version {
            "HTTP/1.1" => true,
            "HTTP/1.0" => false,
            "HTTP/2.0" => return Err("HTTP/2 is not spoken to this proxy; speak it within a CONNECT"),
            _ => return Err("its version is neither HTTP/1.0 nor HTTP/1.1"),
        };
        if !is_token(method.as_bytes()) {
            return Err("its method is not a word");
        }
        if target.is_empty() || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("its target holds what a URI does not");
        }
        let fields = lines.take_while(|line| !line.is_empty()).map(field).collect::<Result<Vec<_>, _>>()?;
        if fields.len() > MOST_FIELDS {
            return Err("it has more than 100 header fields");
        }
        Ok(Self { method, target, modern, fields })
    }

    /// The fields in their order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.fields.iter().copied()
    }

    /// The value of a field that may be there once.
    pub(crate) fn once(&self, name: &str) -> Result<Option<&'a str>, &'static str> {
        let mut found = self.fields().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some((_, value)), None) => std::str::from_utf8(value).map(Some).map_err(|_| "a header field is not text"),
            (Some(_), Some(_)) => Err("a header field that may stand once stands twice"),
        }
    }

    /// The words of all `Connection` fields.
    pub(crate) fn connection_options(&self) -> impl Iterator<Item = &'a [u8]> {
        let connection = self.fields().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
        connection.flat_map(|(_, value)| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
    }
}

fn field(line: &[u8]) -> Result<(&str, &[u8]), &'static str> {
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return Err("a header field goes on in a second line");
    }
    let colon = line.iter().position(|byte| *byte == b':').ok_or("a header field has no colon")?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let name = std::str::from_utf8(name).ok().filter(|name| is_token(name.as_bytes()));
    Ok((name.ok_or("the name of a header field is not a word")?, value.trim_ascii()))
}

/// A token of RFC 9110, section 5.6.2.
fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_at_its_empty_line_however_it_arrives() {
        let whole = b"GET / HTTP/1.1\r\na: b\r\n\r\nrest";
        let ends = whole.len() - 4;
        let mut looked = 0;
        for have in 0..=whole.len() {
            let found = end(&whole[..have], looked).unwrap();
            assert_eq!(found, (have >= ends).then_some(ends), "{have}");
            looked = if found.is_some() { looked } else { have };
        }
    }

    #[test]
    fn lines_that_are_not_quite_lines_are_refused() {
        for bad in ["a\nb", "a\rb", "a\r\rb", "a\0b", "a\x7fb", "\r\n\r\n", "\n", "a\r\n\n", "a\r\n\r\r\n"] {
            assert!(end(bad.as_bytes(), 0).is_err(), "{bad:?}");
        }
    }
}
