//! What a request's path names.

use super::failure::{Failure, Told};

/// The decoded segments of a path below `/api`; `None` when it is not below it.
///
/// A path that two readers could understand differently is refused, not cleaned: empty segments, dots, encoded
/// slashes, backslashes, `@`.
pub(super) fn read(target: &str) -> Told<Option<Vec<String>>> {
    let Some(below) = target.strip_prefix("/api/") else { return Ok(None) };
    if below.contains('?') {
        return Err(
            Failure::invalid("The gateway takes no query parameters.").with_hint("Put what you mean into the body.")
        );
    }
    below.split('/').map(segment).collect::<Told<_>>().map(Some)
}

fn segment(encoded: &str) -> Told<String> {
    let segment =
        decoded(encoded).ok_or_else(|| Failure::invalid("The path of the request is not encoded rightly."))?;
    // Characters that no name of a program has, and that other readers of a path may take for its structure.
    let forbidden = |c: char| c.is_ascii_control() || "/\\@%?#".contains(c);
    if matches!(segment.as_str(), "" | "." | "..") || segment.contains(forbidden) {
        return Err(Failure::invalid("The path of the request has a segment that names nothing."));
    }
    Ok(segment)
}

/// The text that was percent-encoded.
fn decoded(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digit = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        bytes.push(u8::try_from(digit(0)? * 16 + digit(1)?).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
