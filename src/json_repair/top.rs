//! Whole texts: prose around JSON, several values in a row, and values by what they start with.

use super::cursor::{Cursor, QUOTES, is_digit};
use super::{Place, Read, reader};
use crate::python::is_space;
use crate::value::{Map, Value};

/// Reads text that is not valid JSON.
///
/// Several values in a row make a list, but one of the same shape as the value before it replaces that, unless a comma stands
/// between them; and what follows an empty value replaces it.
pub(super) fn repair(text: &str) -> Read<Value> {
    let mut cursor = Cursor::new(text);
    let first = cursor.value()?;
    if cursor.at >= cursor.text.len() {
        return Ok(first);
    }
    let mut values = vec![first];
    while cursor.at < cursor.text.len() {
        cursor.deferred.clear();
        let listed = cursor.follows_comma();
        let value = cursor.value()?;
        if is_falsy(&value) {
            cursor.at += 1;
            continue;
        }
        if values.last().is_some_and(|last| (!listed && same_shape(last, &value)) || is_falsy(last)) {
            values.pop();
        }
        values.push(value);
    }
    if values.len() > 1 {
        return Ok(Value::List(values));
    }
    Ok(values.pop().unwrap_or(Value::None))
}

impl Cursor {
    /// Reads the next value; `""` when there is none.
    pub(super) fn value(&mut self) -> Read<Value> {
        if !self.deferred.is_empty() {
            let outer = self.places.len();
            self.places.append(&mut self.deferred);
            let value = self.value();
            self.places.truncate(outer);
            return value;
        }
        let mut probe_quote = self.at == 0 && self.places.is_empty();
        while let Some(c) = self.here() {
            let inside = !self.places.is_empty();
            match c {
                '{' | '[' => {
                    if let Some(value) = self.valid_value() {
                        return Ok(value);
                    }
                    self.at += 1;
                    return if c == '{' { self.object() } else { self.array(']').map(Value::List) };
                }
                '(' if inside || self.parenthesis_starts_value() => return self.parenthesized(),
                '#' | '/' => {
                    self.skip_comment();
                    if inside {
                        return Ok(Value::Str(String::new()));
                    }
                    probe_quote = false;
                    continue;
                }
                _ if inside && (QUOTES.contains(c) || c.is_alphabetic()) => return self.string(),
                _ if inside && (is_digit(c) || c == '-' || c == '.') => return self.number(),
                _ if probe_quote && QUOTES.contains(c) => {
                    probe_quote = false;
                    if let Some(value) = self.object_without_brace(c) {
                        return Ok(value);
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        Ok(Value::Str(String::new()))
    }

    /// The first container of the text, when it is valid JSON with prose around it. Tried once.
    fn valid_value(&mut self) -> Option<Value> {
        if self.tried_rest || !self.places.is_empty() || (self.at == 0 && !self.first_container_has_trailer()) {
            return None;
        }
        self.tried_rest = true;
        let rest: String = self.text.get(self.at..)?.iter().collect();
        let (value, bytes) = reader::prefix(&rest).ok()?;
        self.at += rest.get(..bytes)?.chars().count();
        Some(value)
    }

    /// Whether the container that starts the text is followed by something other than a comma.
    fn first_container_has_trailer(&self) -> bool {
        let mut open = Vec::new();
        let mut quoted = false;
        let mut escaped = false;
        for (position, &c) in self.text.iter().enumerate() {
            if quoted {
                (escaped, quoted) = if escaped { (false, true) } else { (c == '\\', c != '"') };
                continue;
            }
            match c {
                '"' => quoted = true,
                '{' => open.push('}'),
                '[' => open.push(']'),
                '}' | ']' => {
                    if open.pop() != Some(c) {
                        return false;
                    }
                    if open.is_empty() {
                        return self.char_at(self.past_space(position + 1)).is_some_and(|next| next != ',');
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// The object whose opening brace is missing, when that is all that is wrong with the text.
    fn object_without_brace(&mut self, quote: char) -> Option<Value> {
        if self.past_space(0) != self.at {
            return None;
        }
        let end = self.find(quote.encode_utf8(&mut [0; 4]), self.at + 1);
        if self.char_at(self.past_space(end + 1)) != Some(':') {
            return None;
        }
        if self.text.iter().rfind(|c| !is_space(**c)) != Some(&'}') {
            return None;
        }
        let whole: String = std::iter::once(&'{').chain(&self.text).collect();
        let (value, bytes) = reader::prefix(&whole).ok()?;
        let rest = whole.get(bytes..)?;
        if !rest.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
            return None;
        }
        self.at = self.text.len();
        Some(value)
    }

    /// Whether a comma stands before the next value.
    fn follows_comma(&self) -> bool {
        if self.char_at(self.past_space(self.at)) == Some(',') {
            return true;
        }
        let before = self.text.get(..self.at).unwrap_or(&self.text);
        before.iter().rev().find(|c| !is_space(**c)) == Some(&',')
    }

    /// Reads something where a key would stand, and leaves that place behind for the value after it.
    pub(super) fn again_as_key<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        let result = self.within(Place::Key, read);
        self.deferred.push(Place::Key);
        result
    }
}

/// Whether Python counts the value as false.
pub(crate) fn is_falsy(value: &Value) -> bool {
    match value {
        Value::None | Value::Bool(false) | Value::Int(0) => true,
        Value::Float(number) => *number == 0.0,
        Value::Str(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Dict(map) => map.is_empty(),
        _ => false,
    }
}

/// Whether two values have the same types and keys all the way down.
fn same_shape(a: &Value, b: &Value) -> bool {
    let same_keys = |a: &Map, b: &Map| {
        a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same_shape(value, other)))
    };
    match (a, b) {
        (Value::Dict(a), Value::Dict(b)) => same_keys(a, b),
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b)),
        (Value::Int(_) | Value::BigInt(_), Value::Int(_) | Value::BigInt(_)) => true,
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}
