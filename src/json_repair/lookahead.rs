//! Containers and code fences that belong to a string's text.

use super::Place;
use super::cursor::{Cursor, QUOTES, is_digit, is_one_of};
use super::string::{Scan, quote_set};
use crate::python::is_space;

impl Scan {
    /// Follows the brackets inside of the text. Tells whether this one belongs to it.
    pub(super) fn is_inside_container(&mut self, c: char) -> bool {
        if matches!(c, '{' | '[') {
            if self.container_pending {
                self.containers.push(c);
                self.container_pending = false;
                return false;
            }
            if !self.containers.is_empty() {
                self.containers.push(c);
            }
        }
        let closes = matches!((self.containers.last(), c), (Some('{'), '}') | (Some('['), ']'));
        if closes {
            self.containers.pop();
        }
        closes
    }
}

impl Cursor {
    /// Takes a whole balanced container into the text, where one may stand.
    pub(super) fn keep_inline_container(&mut self, scan: &mut Scan, c: char) -> bool {
        if closing(c).is_none() || scan.text.ends_with('\\') {
            return false;
        }
        let unquoted_object = || {
            self.place() == Some(Place::Member)
                && c == '{'
                && self.previous() != Some('\\')
                && self.bare_key_at(self.past_space(self.at + 1))
        };
        if !scan.container_pending && !unquoted_object() {
            return false;
        }
        let Some(end) = self.container_end(self.at) else { return false };
        scan.container_pending = false;
        scan.containers.clear();
        for position in self.at..end {
            if let Some(c) = self.char_at(position) {
                scan.push(c);
            }
        }
        self.at = end;
        true
    }

    /// Whether a bare word and a colon stand at a position.
    fn bare_key_at(&self, position: usize) -> bool {
        self.char_at(position).is_some_and(|c| c.is_alphanumeric() || c == '_')
            && self.char_at(self.past_space(self.past_word(position))) == Some(':')
    }

    /// The position after the container that starts at a position; `None` when it does not end.
    fn container_end(&self, start: usize) -> Option<usize> {
        let mut open = vec![closing(self.char_at(start)?)?];
        let mut position = start + 1;
        loop {
            let c = self.char_at(position).filter(|_| self.afford())?;
            if QUOTES.contains(c) {
                let close = closing_quote(c);
                position = self.find(quote_set(close), position + 1);
                if self.char_at(position) != Some(close) {
                    return None;
                }
            } else if let Some(close) = closing(c).filter(|_| self.starts_nested_container(position, c)) {
                open.push(close);
            } else if open.last() == Some(&c) {
                open.pop();
                if open.is_empty() {
                    return Some(position + 1);
                }
            }
            position += 1;
        }
    }

    /// Whether a bracket inside of a container starts a value of it, by what stands around the bracket.
    fn starts_nested_container(&self, position: usize, bracket: char) -> bool {
        let before = self.text.get(self.at..position).unwrap_or_default();
        let Some(&previous) = before.iter().rev().find(|c| !(is_space(**c) && self.afford())) else { return true };
        if closing(previous).is_some() {
            return true;
        }
        if previous != ',' && previous != ':' {
            return false;
        }
        let next_at = self.past_space(position + 1);
        let next = self.char_at(next_at);
        if bracket != '{' {
            return is_one_of(next, "])-[{(tfn") || is_one_of(next, QUOTES) || next.is_some_and(is_digit);
        }
        next == Some('}') || is_one_of(next, QUOTES) || (previous == ':' && self.bare_key_at(next_at))
    }

    /// A closing brace before a code fence: whether both belong to the text.
    pub(super) fn brace_before_fence_is_text(&self, scan: &mut Scan, fence: usize) -> bool {
        let mut start = fence + 3;
        let mut container = false;
        let content = self.past_comments(start);
        if self.char_at(content).and_then(closing).is_some()
            && let Some(end) = self.container_end(content)
        {
            if self.member_follows_container(end) {
                return false;
            }
            container = true;
            start = end;
        }
        let mut quote = self.find(scan.close_set(), start);
        while self.char_at(quote) == Some(scan.close) {
            if self.char_at(self.past_space(quote + 1)).is_none_or(|c| ",}]".contains(c)) {
                scan.container_pending |= container;
                return true;
            }
            quote = self.find(scan.close_set(), quote + 1);
        }
        false
    }

    fn member_follows_container(&self, end: usize) -> bool {
        let after = self.past_space(end);
        match self.char_at(after) {
            None | Some('}') => true,
            Some(',') => {
                let next = self.past_comments(after + 1);
                self.char_at(next).is_none_or(|c| c == '}') || self.member_at(next)
            }
            _ => false,
        }
    }

    /// Whether a comma and an object's member follow a quote.
    pub(super) fn quoted_member_follows(&self, quote: usize) -> bool {
        let comma = self.past_space(quote + 1);
        self.char_at(comma) == Some(',') && self.member_at(self.past_comments(comma + 1))
    }

    /// Whether a key and a colon stand at a position.
    fn member_at(&self, position: usize) -> bool {
        match self.char_at(position) {
            Some(c) if QUOTES.contains(c) => {
                let close = closing_quote(c);
                let end = self.find(quote_set(close), position + 1);
                self.char_at(end) == Some(close) && self.char_at(self.past_space(end + 1)) == Some(':')
            }
            _ => self.bare_key_at(position),
        }
    }

    /// The first position from `start` on that is neither white space nor in a comment.
    fn past_comments(&self, start: usize) -> usize {
        let mut position = self.past_space(start);
        loop {
            match (self.char_at(position), self.char_at(position + 1)) {
                (Some('#'), _) | (Some('/'), Some('/')) => {
                    while self.char_at(position).is_some_and(|c| c != '\n' && c != '\r') && self.afford() {
                        position += 1;
                    }
                    if !self.afford() {
                        return position;
                    }
                }
                (Some('/'), Some('*')) => {
                    position += 2;
                    while self.text.get(position..position + 2) != Some(&['*', '/'][..]) {
                        if position >= self.text.len() || !self.afford() {
                            return position;
                        }
                        position += 1;
                    }
                    position += 2;
                }
                _ => return position,
            }
            position = self.past_space(position);
        }
    }
}

/// The bracket that closes one.
fn closing(bracket: char) -> Option<char> {
    match bracket {
        '[' => Some(']'),
        '{' => Some('}'),
        '(' => Some(')'),
        _ => None,
    }
}

/// The quote that closes one.
fn closing_quote(quote: char) -> char {
    if quote == '“' { '”' } else { quote }
}
