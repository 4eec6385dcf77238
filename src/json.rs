//! JSON text, written straight into a buffer.

use std::fmt::Write;

/// Adds a JSON string: quotes, `\` and control characters are escaped, everything else stays as it is.
///
/// Python's `json.dumps(ensure_ascii=False)` and `serde_json` give the same bytes.
///
/// ```
/// let mut out = String::new();
/// lakelet::json::write_str(&mut out, "é \"1\"\n");
/// assert_eq!(out, r#""é \"1\"\n""#);
/// ```
pub fn write_str(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    write_escaped(out, text);
    out.push('"');
}

/// Adds the inside of a JSON string.
fn write_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some((plain, special)) = first_special(rest.as_bytes()).and_then(|at| rest.split_at_checked(at)) {
        out.push_str(plain);
        let mut chars = special.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some(control) => _ = write!(out, "\\u{:04x}", control as u32),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

/// Where the first byte stands that a JSON string must escape. Text is long and such bytes are rare, so eight bytes are
/// looked at together: a byte below a limit, and only such a byte, borrows into its highest bit when the limit is
/// subtracted, up to the first one found.
fn first_special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let (words, tail) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * u64::from(b'"'));
        let backslash = word ^ (ONES * u64::from(b'\\'));
        let found = below(word, 0x20) | below(quote, 1) | below(backslash, 1);
        if found != 0 {
            return Some(i * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let start = bytes.len() - tail.len();
    tail.iter().position(|byte| matches!(byte, ..0x20 | b'"' | b'\\')).map(|at| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_escaped_as_serde_json_does() {
        let alphabet: String =
            (0..0x300).chain(0x2020..0x2030).chain(0x1f640..0x1f645).filter_map(char::from_u32).collect();
        for start in (0..alphabet.len()).filter(|&i| alphabet.is_char_boundary(i)) {
            let text = &alphabet[start..];
            let mut out = String::new();
            write_str(&mut out, text);
            assert_eq!(Some(out), serde_json::to_string(text).ok());
        }
    }

    #[test]
    fn a_special_byte_is_found_at_every_place() {
        for length in 0..40 {
            for at in 0..length {
                for special in ['"', '\\', '\0', '\u{1f}', '\n'] {
                    let mut text = "é".repeat(length / 2);
                    text.truncate(text.char_indices().map(|(i, _)| i).find(|&i| i >= at).unwrap_or(text.len()));
                    let expected = text.len();
                    text.push(special);
                    text.push_str("!\u{7f}\"");
                    assert_eq!(first_special(text.as_bytes()), Some(expected));
                }
            }
        }
    }
}
