//! The text and where the reading stands in it.

use std::cell::Cell;

use super::{MAX_DEPTH, Place, Read, Unreadable};
use crate::python::is_space;

/// What may open or close a string.
pub(super) const QUOTES: &str = "\"'“”";

/// How many characters looking ahead may pass, for each character of the text and in any case.
const LOOKAHEAD_PER_CHAR: usize = 64;
const LOOKAHEAD_ALWAYS: usize = 300_000;

/// The text and where the reading stands in it. Positions count characters from the start of the text.
pub(super) struct Cursor {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
    /// The containers around the cursor, outermost first.
    pub(super) places: Vec<Place>,
    /// Places that a repaired object leaves behind for the value after it.
    pub(super) deferred: Vec<Place>,
    /// Whether the rest of the text was tried as valid JSON already.
    pub(super) tried_rest: bool,
    depth: usize,
    /// What looking ahead may still cost; when it is used up, nothing more is found ahead.
    budget: Cell<usize>,
}

impl Cursor {
    pub(super) fn new(source: &str) -> Self {
        let mut text = Vec::with_capacity(source.len());
        text.extend(source.chars());
        let budget = Cell::new(LOOKAHEAD_ALWAYS + LOOKAHEAD_PER_CHAR * text.len());
        Self { text, at: 0, places: Vec::new(), deferred: Vec::new(), tried_rest: false, depth: 0, budget }
    }

    /// The character under the cursor.
    pub(super) fn here(&self) -> Option<char> {
        self.char_at(self.at)
    }

    /// The character at a position.
    pub(super) fn char_at(&self, position: usize) -> Option<char> {
        self.text.get(position).copied()
    }

    /// The character before the cursor; before the first one Python sees the last.
    pub(super) fn previous(&self) -> Option<char> {
        match self.at.checked_sub(1) {
            Some(position) => self.char_at(position),
            None => self.text.last().copied(),
        }
    }

    /// Whether the character under the cursor is one of these.
    pub(super) fn here_is(&self, set: &str) -> bool {
        is_one_of(self.here(), set)
    }

    /// The innermost place.
    pub(super) fn place(&self) -> Option<Place> {
        self.places.last().copied()
    }

    /// Reads something inside a place, one level deeper.
    pub(super) fn within<T>(&mut self, place: Place, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.places.push(place);
        let result = self.deeper(read);
        self.places.pop();
        result
    }

    /// Reads something one level deeper.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Unreadable);
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    pub(super) fn skip_space(&mut self) {
        while self.here().is_some_and(is_space) {
            self.at += 1;
        }
    }

    pub(super) fn skip_space_and_comments(&mut self) {
        loop {
            self.skip_space();
            match (self.here(), self.char_at(self.at + 1)) {
                (Some('#'), _) | (Some('/'), Some('/' | '*')) => self.skip_comment(),
                _ => return,
            }
        }
    }

    /// Takes one step of looking ahead; `false` when the budget is used up.
    pub(super) fn afford(&self) -> bool {
        self.afford_all(1)
    }

    /// Takes many steps of looking ahead, or of reading again; `false` when the budget is used up.
    pub(super) fn afford_all(&self, steps: usize) -> bool {
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(steps));
        left >= steps
    }

    /// The first position from `start` on that is not white space.
    pub(super) fn past_space(&self, start: usize) -> usize {
        let mut position = start;
        while self.char_at(position).is_some_and(is_space) && self.afford() {
            position += 1;
        }
        position
    }

    /// The position of the first of these characters from `start` on that no backslash escapes; the end when there is none.
    pub(super) fn find(&self, set: &str, start: usize) -> usize {
        let mut escaped = false;
        let mut position = start;
        while let Some(c) = self.char_at(position) {
            if !self.afford() {
                break;
            }
            if c == '\\' {
                escaped = !escaped;
            } else if !escaped && set.contains(c) {
                return position;
            } else {
                escaped = false;
            }
            position += 1;
        }
        self.text.len()
    }
}

/// Whether there is a character and it is one of these.
pub(super) fn is_one_of(c: Option<char>, set: &str) -> bool {
    c.is_some_and(|c| set.contains(c))
}

/// `str.isdigit`, but for a few numerals of other scripts.
pub(super) fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric() && !c.is_alphabetic() && !matches!(c, '¼'..='¾' | '⅐'..='↋'))
}

/// Whether a bare word goes on with this character.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}
