//! Arrays.

use super::cursor::{Cursor, QUOTES};
use super::{Place, Read};
use crate::value::Value;

impl Cursor {
    /// Reads the items of an array whose opening bracket is behind the cursor.
    pub(super) fn array(&mut self, close: char) -> Read<Vec<Value>> {
        let is_member = self.place() == Some(Place::Member);
        self.within(Place::Array, |cursor| cursor.items(close, is_member))
    }

    fn items(&mut self, close: char, is_member: bool) -> Read<Vec<Value>> {
        let mut items = Vec::new();
        loop {
            self.skip_space_and_comments();
            let Some(c) = self.here() else { break };
            if c == close || c == '}' {
                break;
            }
            if c == ',' {
                self.at += 1;
                continue;
            }
            let value = if !QUOTES.contains(c) {
                self.value()?
            } else if self.quoted_key_at(self.at, c) {
                // A string before a colon starts an object that lacks its brace, or the member after an array that lacks its bracket.
                if is_member && !items.is_empty() && !items.iter().any(is_container) {
                    return Ok(items);
                }
                self.object()?
            } else {
                self.string()?
            };
            let stray_dots = matches!(&value, Value::Str(text) if text == "...") && self.previous() == Some('.');
            if is_empty(&value) && self.here() != Some(close) && self.here() != Some(',') {
                self.at += 1;
            } else if !stray_dots {
                items.push(value);
            }
        }
        self.at += 1;
        Ok(items)
    }

    /// Whether the quoted text at a position is followed by a colon.
    fn quoted_key_at(&self, position: usize, quote: char) -> bool {
        let end = self.find(quote.encode_utf8(&mut [0; 4]), position + 1);
        self.char_at(self.past_space(end + 1)) == Some(':')
    }
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::Dict(_) | Value::List(_))
}

/// An empty text or container.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Dict(map) => map.is_empty(),
        _ => false,
    }
}
