//! Numbers, the bare words `true`, `false`, `null` and `none`, and comments.

use super::cursor::{Cursor, is_one_of};
use super::{Place, Read};
use crate::python::is_space;
use crate::value::Value;

impl Cursor {
    /// Reads a number. What only looks like one (`1,000`, `3/4`, `1.2.3`) stays text.
    pub(super) fn number(&mut self) -> Read<Value> {
        let start = self.at;
        let in_array = self.place() == Some(Place::Array);
        let mut digits = String::new();
        while let Some(c) = self.here() {
            let exponent_sign = c == '+' && digits.ends_with(['e', 'E']);
            if !("0123456789-.eE/,_".contains(c) || exponent_sign) || (in_array && c == ',') {
                break;
            }
            if c != '_' {
                digits.push(c);
            }
            self.at += 1;
        }
        if self.here().is_some_and(char::is_alphabetic) {
            self.at = start;
            return self.string();
        }
        if digits.ends_with(['+', '-', 'e', 'E', '/', ',']) {
            digits.pop();
            self.at = self.at.saturating_sub(1);
        }
        let value = if digits.contains(',') {
            None
        } else if digits.contains(['.', 'e', 'E']) {
            digits.parse().ok().map(Value::Float)
        } else {
            crate::literal::whole_number(&digits)
        };
        Ok(value.unwrap_or(Value::Str(digits)))
    }

    /// Reads a bare `true`, `false`, `null` or `none`, in any case.
    pub(super) fn bare_literal(&mut self) -> Option<Value> {
        let words =
            [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::None), ("none", Value::None)];
        words.into_iter().find_map(|(word, value)| {
            let end = self.at + word.len();
            let text = self.text.get(self.at..end)?;
            let same = text.iter().zip(word.chars()).all(|(t, c)| t.eq_ignore_ascii_case(&c));
            let next = self.char_at(end);
            if !same || !(next.is_none_or(is_space) || is_one_of(next, ",)]}")) {
                return None;
            }
            self.at = end;
            Some(value)
        })
    }

    /// Passes a comment; of a stray slash only the slash.
    pub(super) fn skip_comment(&mut self) {
        match (self.here(), self.char_at(self.at + 1)) {
            (Some('#'), _) => self.skip_line_comment(true),
            (Some('/'), Some('/')) => self.skip_line_comment(false),
            (Some('/'), Some('*')) => {
                self.at += 2;
                while self.at < self.text.len() {
                    self.at += 1;
                    if self.text.get(self.at - 2..self.at) == Some(&['*', '/'][..]) {
                        break;
                    }
                }
            }
            _ => self.at += 1,
        }
    }

    /// A comment after `#` also ends where a container around it could.
    fn skip_line_comment(&mut self, hash: bool) {
        let within = |place, c: char, end| c == end && self.places.contains(&place);
        let stops = |c: char| {
            matches!(c, '\n' | '\r')
                || hash && (within(Place::Array, c, ']') || within(Place::Member, c, '}') || within(Place::Key, c, ':'))
        };
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|c| stops(*c)).unwrap_or(rest.len());
        self.at += length;
    }
}
