//! Text as words and sentences, whatever was done to hide them.

use crate::python::{lower, nfkc};

/// A word: lower case, without invisible characters.
pub(super) struct Word {
    pub text: String,
    /// Written with a capital letter.
    pub capital: bool,
    /// Something that separates clauses stands before it: a colon, a comma, a quotation mark, a line end, the
    /// start.
    pub opens: bool,
}

/// The words of a sentence.
pub(super) struct Words(pub Vec<Word>);

/// Characters that a person does not see: zero-width ones, direction marks and tags.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

impl Words {
    pub fn of(text: &str) -> Self {
        let mut words: Vec<Word> = Vec::new();
        let mut current = String::new();
        let (mut capital, mut opens) = (false, true);
        // Letters in other shapes, full-width ones for instance, are read as the plain ones.
        for c in nfkc(text).chars().chain([' ']) {
            if is_invisible(c) {
                continue;
            }
            if c.is_alphanumeric() || (matches!(c, '\'' | '’' | '-') && !current.is_empty()) {
                capital |= current.is_empty() && c.is_uppercase();
                current.push(if c == '’' { '\'' } else { c });
                continue;
            }
            if !current.is_empty() {
                let text = lower(current.trim_end_matches(['\'', '-']));
                current.clear();
                words.push(Word { text, capital, opens });
                (capital, opens) = (false, false);
            }
            opens |= !c.is_whitespace() || c == '\n';
        }
        Self(words)
    }

    pub fn at(&self, index: usize) -> &str {
        self.0.get(index).map_or("", |word| &word.text)
    }

    /// The positions of words of a list.
    pub fn all(&self, list: &[&str]) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().filter(|(_, word)| list.contains(&word.text.as_str())).map(|(i, _)| i)
    }

    pub fn any(&self, list: &[&str]) -> bool {
        self.all(list).next().is_some()
    }

    /// Whether one of a list stands among `count` words from `from` on.
    pub fn within(&self, from: usize, count: usize, list: &[&str]) -> Option<usize> {
        (from..(from + count).min(self.0.len())).find(|i| list.contains(&self.at(*i)))
    }

    /// Whether one of a list stands among the `count` words before `until`.
    pub fn before(&self, until: usize, count: usize, list: &[&str]) -> bool {
        (until.saturating_sub(count)..until).any(|i| list.contains(&self.at(i)))
    }

    /// Where a phrase stands, its words divided by spaces.
    pub fn phrase(&self, phrase: &str) -> Option<usize> {
        (0..self.0.len()).find(|&start| self.phrase_at(start, phrase))
    }

    /// Whether a phrase stands at a position.
    pub fn phrase_at(&self, start: usize, phrase: &str) -> bool {
        phrase.split(' ').enumerate().all(|(i, part)| self.at(start + i) == part)
    }

    pub fn any_phrase(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.phrase(phrase).is_some())
    }
}
