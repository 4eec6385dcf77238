//! JSON text: written straight into a buffer, and read.

pub(crate) mod orjson;
pub(crate) mod reader;

use crate::python::float_repr;
use std::fmt::{self, Write};

use serde_json::{Number, Value as Json};

use crate::value::Value;

/// A text is not JSON: the place, counted from 1, from which on it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson {
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it cannot be read from line {}, column {}, on", self.line, self.column)
    }
}

/// Reads JSON text in UTF-8. Whole numbers beyond 64 bits become floats; of equal names the last one counts, at the first
/// one's place.
///
/// ```
/// use lakelet::json;
/// assert_eq!(json::read(r#"{"a": [1, 2.5]}"#).unwrap()["a"][1], 2.5);
/// assert_eq!(json::read("{\n  1}").unwrap_err().to_string(), "it cannot be read from line 2, column 3, on");
/// ```
///
/// # Errors
/// The text is not JSON, or its containers nest deeper than 200.
pub fn read(text: impl AsRef<[u8]>) -> Result<Json, NotJson> {
    read_bytes(text.as_ref())
}

fn read_bytes(bytes: &[u8]) -> Result<Json, NotJson> {
    let read = match std::str::from_utf8(bytes) {
        Ok(text) => reader::loads(text).map_err(|invalid| invalid.at),
        Err(error) => Err(error.valid_up_to()),
    };
    read.and_then(|value| plain(value).ok_or(0)).map_err(|at| {
        let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or_default());
        let last = before.rsplit('\n').next().unwrap_or_default();
        NotJson { line: before.matches('\n').count() + 1, column: last.chars().count() + 1 }
    })
}

/// What was read, as JSON; `None` for numbers that only Python reads, infinity and NaN.
fn plain(value: Value) -> Option<Json> {
    Some(match value {
        Value::Bool(truth) => Json::Bool(truth),
        Value::Int(number) => number.into(),
        Value::BigInt(digits) => match digits.parse::<u64>() {
            Ok(number) => number.into(),
            Err(_) => Json::Number(Number::from_f64(digits.parse().ok()?)?),
        },
        Value::Float(number) => Json::Number(Number::from_f64(number)?),
        Value::Str(text) => Json::String(text),
        Value::List(items) => Json::Array(items.into_iter().map(plain).collect::<Option<_>>()?),
        Value::Dict(members) => {
            let members = members.into_iter().map(|(name, value)| Some((name, plain(value)?)));
            Json::Object(members.collect::<Option<_>>()?)
        }
        _ => Json::Null,
    })
}

/// The JSON text of a value, without spaces.
pub fn text(json: &Json) -> String {
    let mut out = String::new();
    write(&mut out, json);
    out
}

/// Adds the JSON text of a value, without spaces.
///
/// ```
/// let mut out = String::new();
/// lakelet::json::write(&mut out, &serde_json::json!({"a": [1, 2.5, null], "b": "\n"}));
/// assert_eq!(out, r#"{"a":[1,2.5,null],"b":"\n"}"#);
/// ```
pub fn write(out: &mut String, json: &Json) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Number(number) => _ = write!(out, "{number}"),
        Json::String(text) => write_str(out, text),
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                write(out, item);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (i, (name, member)) in members.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                write_str(out, name);
                out.push(':');
                write(out, member);
            }
            out.push('}');
        }
    }
}

/// Adds the JSON text of a value, indented by two spaces, as `orjson.OPT_INDENT_2` writes it.
pub(crate) fn write_indented(out: &mut String, json: &Json) {
    indented(out, json, 0);
}

fn indented(out: &mut String, json: &Json, depth: usize) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    match json {
        Json::Array(items) if !items.is_empty() => {
            for (i, item) in items.iter().enumerate() {
                out.push(if i > 0 { ',' } else { '[' });
                line(out, depth + 1);
                indented(out, item, depth + 1);
            }
            line(out, depth);
            out.push(']');
        }
        Json::Object(members) if !members.is_empty() => {
            for (i, (name, member)) in members.iter().enumerate() {
                out.push(if i > 0 { ',' } else { '{' });
                line(out, depth + 1);
                write_str(out, name);
                out.push_str(": ");
                indented(out, member, depth + 1);
            }
            line(out, depth);
            out.push('}');
        }
        plain => write(out, plain),
    }
}

/// The JSON text of a value, as Python's `json.dumps` writes it: ASCII, with a space after `,` and `:`.
pub(crate) fn dumps(json: &Json) -> String {
    let mut out = String::new();
    write_spaced(&mut out, json);
    to_ascii(&out)
}

fn write_spaced(out: &mut String, json: &Json) {
    match json {
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_spaced(out, item);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (i, (name, member)) in members.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_str(out, name);
                out.push_str(": ");
                write_spaced(out, member);
            }
            out.push('}');
        }
        Json::Number(number) if number.is_f64() => out.push_str(&float_repr(number.as_f64().unwrap_or_default())),
        plain => write(out, plain),
    }
}

/// JSON text with escapes for all that is not ASCII.
pub(crate) fn to_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() && c != '\x7f' {
            out.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(out, "\\u{unit:04x}"));
        }
    }
    out
}

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
