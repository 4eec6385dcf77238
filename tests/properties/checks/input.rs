//! Bytes as a row of choices, and a text after them.

use std::borrow::Cow;

/// Takes choices from the front of the bytes; when they are used up, every choice is the first.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn below(&mut self, limit: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % limit
    }

    pub fn of<'b, T: ?Sized>(&mut self, choices: &[&'b T]) -> &'b T {
        choices[self.below(choices.len())]
    }

    /// Eight bytes as a number.
    pub fn number(&mut self) -> i64 {
        (0..8).fold(0, |number, _| number << 8 | self.below(256) as i64)
    }

    /// What is left, as text.
    pub fn text(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }
}

/// A text in pieces: of one character for a seed of 0, whole for 1, else of up to that many characters.
pub fn pieces(text: &str, seed: usize) -> Vec<&str> {
    let length = |turn: usize| match seed {
        0 => 1,
        1 => usize::MAX,
        _ => 1 + turn.wrapping_mul(31) % seed,
    };
    let mut rest = text;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let end = rest.char_indices().nth(length(pieces.len())).map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}
