//! What may end a string: quotes, commas, colons and braces, judged by what follows.

use super::Place;
use super::cursor::{Cursor, QUOTES, is_digit, is_one_of, is_word};
use super::string::Scan;
use crate::python::is_space;

impl Cursor {
    /// The cursor stands on the closing quote. Tells whether it ends the string; if not, it was taken into the text, or the
    /// cursor was moved, or it ends the string in the ordinary way.
    pub(super) fn closing_quote(&mut self, scan: &mut Scan) -> bool {
        let place = self.place();
        let quote = scan.close;
        if scan.doubled && self.char_at(self.at + 1) == Some(quote) {
            self.at += 1;
            return false;
        }
        if scan.bare && place == Some(Place::Member) {
            // The quote may open the next key.
            let next = self.scan_ahead(self.at + 1, |c| c == quote || c == scan.open);
            let is_key = self.char_at(next).is_some() && self.char_at(self.past_space(next + 1)) == Some(':');
            if is_key {
                self.at -= 1;
            }
            return is_key;
        }
        if scan.quote_pending {
            scan.quote_pending = false;
            self.keep(scan, quote);
            return false;
        }
        let within = |place| self.places.contains(&place);
        let (in_key, in_member, in_array) = (within(Place::Key), within(Place::Member), within(Place::Array));
        let mut only_signs = true;
        let next = self.scan_ahead(self.at + 1, |c| {
            if c == quote || c == scan.open {
                return true;
            }
            only_signs &= !c.is_alphabetic();
            (in_key && (c == ':' || c == '}'))
                || (in_member && c == '}')
                || (in_array && (c == ']' || c == ','))
                || (only_signs && place == Some(Place::Member) && c == ',')
        });
        let found = self.char_at(next);
        if found == Some(',') && place == Some(Place::Member) {
            let close = self.find(scan.close_set(), next + 1);
            if is_one_of(self.char_at(self.past_space(close + 1)), "},") {
                self.keep(scan, quote);
            }
            return false;
        }
        if found != Some(quote) || self.char_at(next - 1) == Some('\\') {
            return false;
        }
        self.second_quote(scan, next)
    }

    /// Another quote follows the closing one, with nothing between that would end a value. Tells whether the string ends.
    fn second_quote(&mut self, scan: &mut Scan, second: usize) -> bool {
        let place = self.place();
        let quote = scan.close;
        let member_follows = place == Some(Place::Member) && self.quoted_member_follows(second);
        if self.past_space(self.at + 1) >= second && !member_follows {
            return true;
        }
        match place {
            Some(Place::Member) if member_follows => self.keep(scan, quote),
            Some(Place::Member) => {
                let third = self.find(scan.close_set(), second + 1);
                let mut previous = self.char_at(third);
                let end = self.scan_ahead(third + 1, |c| {
                    let stop = ":,]}".contains(c) || (c == quote && previous != Some('\\'));
                    previous = Some(c);
                    stop
                });
                if self.char_at(end) != Some(':') {
                    scan.quote_pending = true;
                    self.keep(scan, quote);
                }
            }
            Some(Place::Array) => {
                if !self.even_quotes_ahead(scan, second) {
                    return true;
                }
                scan.quote_pending = true;
                self.keep(scan, quote);
            }
            Some(Place::Key) => self.keep(scan, quote),
            None => {}
        }
        false
    }

    /// Whether the quotes from `first` to the end of the array come in pairs.
    fn even_quotes_ahead(&self, scan: &Scan, first: usize) -> bool {
        let set = match scan.close {
            '\'' => "']",
            '”' => "”]",
            _ => "\"]",
        };
        let mut position = first;
        let mut count = 0;
        while self.char_at(position) == Some(scan.close) {
            count += 1;
            position = self.find(set, position + 1);
        }
        count % 2 == 0
    }

    /// The first position from `start` on where `stop` says so; the end when there is none.
    fn scan_ahead(&self, start: usize, mut stop: impl FnMut(char) -> bool) -> usize {
        let mut position = start;
        while let Some(c) = self.char_at(position) {
            if !self.afford() {
                return self.text.len();
            }
            if stop(c) {
                break;
            }
            position += 1;
        }
        position
    }

    /// A colon in a quoted key: whether the closing quote is missing before it.
    pub(super) fn colon_ends_key(&self, scan: &Scan) -> bool {
        let open = self.find(super::string::quote_set(scan.open), self.at + 1);
        if self.char_at(open).is_none() {
            return true;
        }
        let close = self.find(scan.close_set(), open + 1);
        self.char_at(close).is_some() && is_one_of(self.char_at(self.past_space(close + 1)), ",}")
    }

    /// A closing brace in a member's text: whether the closing quote is missing before it.
    pub(super) fn brace_ends_text(&self, scan: &mut Scan) -> bool {
        let escape_follows = self.char_at(self.at + 1) == Some('\\');
        let set = scan.close_set();
        let close = self.find_again(scan, set, self.at + 1);
        if self.char_at(close).is_none() {
            if self.char_at(self.find(":", self.at + 1)).is_some() {
                return true;
            }
            let next = self.past_space(self.at + 1);
            return !escape_follows && self.find("}", next) <= next + 1;
        }
        let after = self.past_space(close + 1);
        if self.char_at(after).is_none_or(|c| c == ',' || c == '}') {
            return false;
        }
        let open = self.find(super::string::quote_set(scan.open), after);
        if self.char_at(open).is_none() {
            return false;
        }
        !escape_follows && self.char_at(self.past_space(open + 1)).is_none_or(|c| c == ':')
    }

    /// A comma in a member's text: whether it ends the text, because the next member starts there.
    pub(super) fn comma_ends_text(&self, scan: &mut Scan) -> bool {
        if scan.commas_are_text {
            return false;
        }
        let next = self.past_space(self.at + 1);
        let Some(c) = self.char_at(next) else { return true };
        if c == '}' {
            return true;
        }
        if QUOTES.contains(c) {
            let end = self.find(super::string::quote_set(c), next + 1);
            return self.char_at(end).is_some() && self.colon_follows(end + 1);
        }
        if c == '`' {
            return self.colon_follows(self.past_word(next + 1));
        }
        if c.is_alphanumeric() || c == '_' {
            let colon = self.past_space(self.past_word(next));
            if self.char_at(colon) == Some(':') && self.bare_member_is_plausible(scan, colon + 1) {
                return true;
            }
        }
        if c == '{' || c == '[' {
            scan.container_pending = true;
            return false;
        }
        let special = self.find_again(scan, "\"'“”{[", next);
        match self.char_at(special) {
            None => {
                scan.commas_are_text = true;
                false
            }
            Some('{' | '[') => false,
            Some(quote) => {
                let end = self.find_again(scan, super::string::quote_set(quote), special + 1);
                self.char_at(end).is_some() && self.colon_follows(end + 1)
            }
        }
    }

    /// Whether what follows a bare key and its colon looks like a value rather than prose.
    fn bare_member_is_plausible(&self, scan: &mut Scan, start: usize) -> bool {
        let start = self.past_space(start);
        let Some(c) = self.char_at(start) else { return false };
        if QUOTES.contains(c) || "{[-".contains(c) || is_digit(c) {
            return true;
        }
        let literal = ["true", "false", "null"].iter().any(|word| {
            let end = start + word.len();
            let same = self.text.get(start..end).is_some_and(|text| text.iter().copied().eq(word.chars()));
            same && self.char_at(end).is_none_or(|c| is_space(c) || ",}]".contains(c))
        });
        literal || self.char_at(self.find_again(scan, "\"'“”}", start)) == Some('}')
    }

    fn colon_follows(&self, start: usize) -> bool {
        self.char_at(self.past_space(start)) == Some(':')
    }

    pub(super) fn past_word(&self, start: usize) -> usize {
        self.scan_ahead(start, |c| !is_word(c))
    }

    /// [`find`](Self::find), with json_repair's memory: an earlier answer stands for every start before it, even one between a
    /// backslash and what it escapes.
    fn find_again(&self, scan: &mut Scan, set: &'static str, start: usize) -> usize {
        let known = scan.found.iter_mut().find(|(known, ..)| *known == set);
        match known {
            Some((_, from, None)) if start >= *from => return self.text.len(),
            Some((_, from, Some(found))) if (*from..=*found).contains(&start) => return *found,
            _ => {}
        }
        let position = self.find(set, start);
        let found = self.char_at(position).map(|_| position);
        if found.is_some_and(|found| found > 0 && self.char_at(found - 1) == Some('\\')) {
            return position;
        }
        match known {
            Some(entry) => *entry = (set, start, found),
            None => scan.found.push((set, start, found)),
        }
        position
    }
}
