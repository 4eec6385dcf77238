//! Python's tuples and grouped values.

use super::Read;
use super::cursor::{Cursor, QUOTES, is_digit};
use crate::python::is_space;
use crate::value::Value;

/// What a walk over parenthesized text met.
enum Met {
    Comma,
    Close(usize),
    End,
}

impl Cursor {
    /// Reads from an opening parenthesis: a tuple becomes a list, a single grouped value stays itself.
    pub(super) fn parenthesized(&mut self) -> Read<Value> {
        let tuple = self.is_tuple();
        self.at += 1;
        let mut items = self.array(')')?;
        Ok(match items.pop() {
            Some(only) if items.is_empty() && !tuple => only,
            last => {
                items.extend(last);
                Value::List(items)
            }
        })
    }

    /// Whether the parenthesis at the cursor holds a comma of its own, or nothing.
    fn is_tuple(&self) -> bool {
        let (met, content) = self.walk_parenthesis(true);
        matches!(met, Met::Comma) || !content
    }

    /// Whether a parenthesis outside of any container holds a value: it stands alone on its lines and starts like one.
    pub(super) fn parenthesis_starts_value(&self) -> bool {
        let before = self.text.get(..self.at).unwrap_or_default();
        let own_line = before.iter().rev().take_while(|c| !matches!(c, '\n' | '\r')).all(|c| is_space(*c));
        let first = self.past_space(self.at + 1);
        let Some(c) = self.char_at(first) else { return false };
        let value_like = ")}{[(-.".contains(c) && c != '}' || QUOTES.contains(c) || is_digit(c);
        if !own_line || !(value_like || self.literal_at(first)) {
            return false;
        }
        let Met::Close(position) = self.walk_parenthesis(false).0 else { return true };
        let rest = self.text.get(position + 1..).unwrap_or_default();
        rest.iter().take_while(|c| !matches!(c, '\n' | '\r')).all(|c| is_space(*c))
    }

    /// Whether `true`, `false`, `null` or `none` starts at a position, in any case.
    fn literal_at(&self, position: usize) -> bool {
        ["true", "null", "none", "false"].iter().any(|word| {
            word.chars()
                .enumerate()
                .all(|(i, c)| self.char_at(position + i).is_some_and(|t| t.eq_ignore_ascii_case(&c)))
        })
    }

    /// Walks from an opening parenthesis to what ends it or, if asked for, to its first own comma; and tells whether it holds
    /// anything of its own.
    fn walk_parenthesis(&self, stop_at_comma: bool) -> (Met, bool) {
        let (mut round, mut square, mut curly) = (0isize, 0usize, 0usize);
        let mut quote = None;
        let mut escaped = false;
        let mut content = false;
        let mut position = self.at;
        loop {
            position += 1;
            let Some(c) = self.char_at(position).filter(|_| self.afford()) else { return (Met::End, content) };
            if c == '\\' {
                escaped = !escaped;
                continue;
            }
            let plain = !std::mem::take(&mut escaped);
            if let Some(open) = quote {
                if c == open && plain {
                    quote = None;
                }
                continue;
            }
            let own = round == 0 && square == 0 && curly == 0;
            if QUOTES.contains(c) && plain {
                quote = Some(c);
                content |= own;
                continue;
            }
            content |= own && !is_space(c) && c != ',' && c != ')';
            match c {
                '(' => round += 1,
                ')' if own => return (Met::Close(position), content),
                // Looking for a tuple, json_repair ignores a parenthesis that nothing opened; looking for the end it counts it.
                ')' if round > 0 || !stop_at_comma => round -= 1,
                '[' => square += 1,
                ']' => square = square.saturating_sub(1),
                '{' => curly += 1,
                '}' => curly = curly.saturating_sub(1),
                ',' if own && stop_at_comma => return (Met::Comma, content),
                _ => {}
            }
        }
    }
}
