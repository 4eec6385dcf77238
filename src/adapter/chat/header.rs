//! A header of a reply, as its characters arrive.

use super::parse::{CLOSING, OPENING, is_name};
use crate::python::is_space;

/// The part of a header that a line matches so far, after white space.
#[derive(Default)]
pub(in crate::adapter) struct Header {
    /// Characters of the opening.
    opening: usize,
    pub(in crate::adapter) name: String,
    /// Characters of the closing.
    closing: usize,
}

/// What a character makes of a line that may be a header.
pub(in crate::adapter) enum Match {
    Open,
    Whole,
    No,
}

impl Header {
    /// Whether more than white space matches.
    pub(in crate::adapter) fn is_begun(&self) -> bool {
        self.opening > 0
    }

    /// Takes the next character of the line.
    pub(in crate::adapter) fn advance(&mut self, c: char) -> Match {
        let expected = |text: &str, at: usize| text.chars().nth(at) == Some(c);
        if self.opening == 0 && is_space(c) {
            return Match::Open;
        }
        if self.opening < OPENING.len() {
            self.opening += 1;
            return if expected(OPENING, self.opening - 1) { Match::Open } else { Match::No };
        }
        if self.closing == 0 && is_name(c) {
            self.name.push(c);
            return Match::Open;
        }
        self.closing += 1;
        if self.name.is_empty() || !expected(CLOSING, self.closing - 1) {
            return Match::No;
        }
        if self.closing == CLOSING.len() { Match::Whole } else { Match::Open }
    }
}

/// What `str.splitlines` ends a line at.
pub(in crate::adapter) fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
