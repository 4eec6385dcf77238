//! `repr` and `str` of values.

use std::fmt::Write;

use super::{custom, scalar};
use crate::json;
use crate::value::{Map, Value};

/// `repr(value)`.
///
/// ```
/// use lakelet::Value;
/// let value = Value::Tuple(vec![Value::from("it's"), Value::from(1.0)]);
/// assert_eq!(lakelet::python::repr(&value), r#"("it's", 1.0)"#);
/// ```
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(&mut out, value);
    out
}

/// `str(value)`.
pub fn str_of(value: &Value) -> String {
    let mut out = String::new();
    write_str(&mut out, value);
    out
}

/// `repr` of a text.
pub fn str_repr(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_str_repr(&mut out, text);
    out
}

/// `repr` of a float: the shortest digits that give the same number back.
///
/// ```
/// use lakelet::python::float_repr;
/// assert_eq!([1.0, 1e16, 1.5e-5, 0.1].map(float_repr), ["1.0", "1e+16", "1.5e-05", "0.1"]);
/// ```
pub fn float_repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    // The digits are those of JSON. Only the exponent is written in another way, and begins at 1e-5 instead of 1e-6.
    let json = json::text(&number.into());
    if let Some((mantissa, exponent)) = json.split_once('e') {
        let sign = if exponent.starts_with('-') { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:0>2}", exponent.trim_start_matches(['-', '+']));
    }
    match json.split_once("0.0000").map(|(sign, digits)| (sign, digits.split_at_checked(1))) {
        Some((sign @ ("" | "-"), Some((first, "")))) => format!("{sign}{first}e-05"),
        Some((sign @ ("" | "-"), Some((first, others)))) => format!("{sign}{first}.{others}e-05"),
        _ => json,
    }
}

/// Adds `str(value)` to a text.
pub fn write_str(out: &mut String, value: &Value) {
    match value {
        Value::Str(text) => out.push_str(text),
        Value::Scalar(kind, text) => scalar::write_str(out, *kind, text),
        Value::Enum(ty, member) => {
            let Some((name, value)) = ty.members.get(*member) else { return };
            match ty.base.as_str() {
                "StrEnum" | "IntEnum" => write_str(out, value),
                _ => push_all(out, &[&ty.name, ".", name]),
            }
        }
        Value::Model(ty, fields) if !ty.typed_dict => custom::write_attributes(out, fields, " "),
        Value::Custom(custom) => custom::write_str(out, custom),
        other => write_repr(out, other),
    }
}

/// Adds `repr(value)` to a text.
pub fn write_repr(out: &mut String, value: &Value) {
    match value {
        Value::None => out.push_str("None"),
        Value::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
        Value::Int(i) => _ = write!(out, "{i}"),
        Value::BigInt(digits) => out.push_str(digits),
        Value::Float(f) => out.push_str(&float_repr(*f)),
        Value::Str(text) => write_str_repr(out, text),
        Value::List(items) => write_items(out, "[", items, "]"),
        Value::Tuple(items) if items.len() == 1 => write_items(out, "(", items, ",)"),
        Value::Tuple(items) => write_items(out, "(", items, ")"),
        Value::Set(items) if items.is_empty() => out.push_str("set()"),
        Value::Set(items) => write_items(out, "{", items, "}"),
        Value::Dict(map) => write_dict(out, map),
        Value::MixedDict(pairs) => {
            out.push('{');
            for (i, (key, value)) in pairs.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_repr(out, key);
                out.push_str(": ");
                write_repr(out, value);
            }
            out.push('}');
        }
        Value::Bytes(bytes) => write_bytes_repr(out, bytes),
        Value::Scalar(kind, text) => scalar::write_repr(out, *kind, text),
        Value::Enum(ty, member) => {
            if let Some((name, value)) = ty.members.get(*member) {
                push_all(out, &["<", &ty.name, ".", name, ": "]);
                write_repr(out, value);
                out.push('>');
            }
        }
        Value::Model(ty, fields) if ty.typed_dict => write_dict(out, fields),
        Value::Model(ty, fields) => {
            push_all(out, &[&ty.name, "("]);
            custom::write_attributes(out, fields, ", ");
            out.push(')');
        }
        Value::Custom(custom) => custom::write_repr(out, custom),
    }
}

/// Adds `repr` of a text: in single quotes, unless it has some and no double quotes.
pub fn write_str_repr(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if c == quote => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            _ if is_printable(c) => out.push(c),
            _ => {
                _ = match c as u32 {
                    code @ ..0x100 => write!(out, "\\x{code:02x}"),
                    code @ ..0x1_0000 => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                }
            }
        }
    }
    out.push(quote);
}

/// `str.isprintable()` of a character beyond ASCII. The standard library knows, but only tells by escaping a text; a
/// letter in front keeps combining marks from being escaped for another reason.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return false;
    }
    let mut text = [b'a'; 5];
    let width = c.encode_utf8(text.get_mut(1..).unwrap_or(&mut [])).len();
    let text = text.get(..=width).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("");
    text.escape_debug().count() == 2
}

fn write_bytes_repr(out: &mut String, bytes: &[u8]) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    out.push('b');
    out.push(quote);
    for byte in bytes {
        match *byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if char::from(byte) == quote => {
                out.push('\\');
                out.push(quote);
            }
            byte @ b' '..=b'~' => out.push(byte.into()),
            byte => _ = write!(out, "\\x{byte:02x}"),
        }
    }
    out.push(quote);
}

fn write_items(out: &mut String, open: &str, items: &[Value], close: &str) {
    out.push_str(open);
    for (i, item) in items.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "" });
        write_repr(out, item);
    }
    out.push_str(close);
}

pub(super) fn write_dict(out: &mut String, map: &Map) {
    out.push('{');
    for (i, (key, value)) in map.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "" });
        write_str_repr(out, key);
        out.push_str(": ");
        write_repr(out, value);
    }
    out.push('}');
}

pub(super) fn push_all(out: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| out.push_str(part));
}
