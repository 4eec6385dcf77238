//! Strings: quoted, half quoted or bare.
//!
//! Models leave quotes out, double them and use them inside of strings without escaping them. So a string does not simply end at
//! its quote: what stands after a candidate decides.

use super::cursor::{Cursor, QUOTES, is_one_of};
use super::{Place, Read};
use crate::python::{is_space, strip_end};
use crate::value::Value;

/// What is known of a string while it is being read.
pub(super) struct Scan {
    /// The string started without a quote.
    pub(super) bare: bool,
    /// The string started with two quotes and should end so.
    pub(super) doubled: bool,
    pub(super) open: char,
    pub(super) close: char,
    /// Open „ spans inside the string, which hide the closing quote.
    pub(super) low_quotes: usize,
    pub(super) text: String,
    /// A quote inside the text waits for its partner.
    pub(super) quote_pending: bool,
    /// A bracket that follows belongs to the text, with all that it holds.
    pub(super) container_pending: bool,
    /// Brackets open inside the text.
    pub(super) containers: Vec<char>,
    /// No quote or bracket follows, so commas belong to the text.
    pub(super) commas_are_text: bool,
    braces: usize,
    /// The text since a `[` holds no white space, as in a character class of a regular expression.
    pub(super) in_class: bool,
    /// The latest answers of [`Cursor::find_again`].
    pub(super) found: Vec<(&'static str, usize, Option<usize>)>,
}

impl Scan {
    fn new() -> Self {
        Self {
            bare: false,
            doubled: false,
            open: '"',
            close: '"',
            low_quotes: 0,
            text: String::new(),
            quote_pending: false,
            container_pending: false,
            containers: Vec::new(),
            commas_are_text: false,
            braces: 0,
            in_class: false,
            found: Vec::new(),
        }
    }

    /// Adds a character to the text.
    pub(super) fn push(&mut self, c: char) {
        self.text.push(c);
        match c {
            '{' => self.braces += 1,
            '}' => self.braces = self.braces.saturating_sub(1),
            '[' => self.in_class = true,
            ']' => self.in_class = false,
            _ if self.in_class && is_space(c) => self.in_class = false,
            _ => {}
        }
    }

    /// The quote that an escape would be for, unless a „ span hides it.
    pub(super) fn active_close(&self) -> Option<char> {
        (self.low_quotes == 0).then_some(self.close)
    }

    /// The closing quote as a set of one.
    pub(super) fn close_set(&self) -> &'static str {
        quote_set(self.close)
    }

    fn ends_with_backslash(&self) -> bool {
        self.text.ends_with('\\')
    }
}

/// A quote as a set of one.
pub(super) fn quote_set(quote: char) -> &'static str {
    match quote {
        '\'' => "'",
        '“' => "“",
        '”' => "”",
        _ => "\"",
    }
}

/// How a string starts.
enum Start {
    /// It is read already.
    Whole(Value),
    Scan(Scan),
}

impl Cursor {
    /// Reads a string, or what stands in its place: a bare word may be a literal, a code fence may hold JSON.
    pub(super) fn string(&mut self) -> Read<Value> {
        match self.string_start()? {
            Start::Whole(value) => Ok(value),
            Start::Scan(mut scan) => {
                self.string_body(&mut scan);
                Ok(Value::Str(self.string_end(scan)))
            }
        }
    }

    fn string_start(&mut self) -> Read<Start> {
        let nothing = || Ok(Start::Whole(Value::Str(String::new())));
        if self.here_is("#/") {
            self.skip_comment();
            return nothing();
        }
        while self.here().is_some_and(|c| !QUOTES.contains(c) && !c.is_alphanumeric()) {
            self.at += 1;
        }
        let Some(c) = self.here() else { return nothing() };
        if let Some(text) = self.plain_string() {
            return Ok(Start::Whole(Value::Str(text)));
        }
        let mut scan = Scan::new();
        match c {
            '\'' => (scan.open, scan.close) = ('\'', '\''),
            '“' => (scan.open, scan.close) = ('“', '”'),
            _ if c.is_alphanumeric() => {
                if self.place() != Some(Place::Key)
                    && let Some(value) = self.bare_literal()
                {
                    return Ok(Start::Whole(value));
                }
                scan.bare = true;
            }
            _ => {}
        }
        if !scan.bare {
            self.at += 1;
        }
        if self.here() == Some('`')
            && let Some(value) = self.fenced_json()?
        {
            return Ok(Start::Whole(value));
        }
        if self.here() == Some(scan.open) && self.doubled_quote(&mut scan) {
            return nothing();
        }
        Ok(Start::Scan(scan))
    }

    /// The string at the cursor, when it is plain and what follows is what should.
    fn plain_string(&mut self) -> Option<String> {
        if self.here() != Some('"') {
            return None;
        }
        let rest = self.text.get(self.at + 1..)?;
        let length = rest.iter().position(|c| matches!(c, '"' | '\\' | '\n' | '\r'))?;
        if rest.get(length) != Some(&'"') {
            return None;
        }
        let after = self.at + length + 2;
        let next = self.char_at(self.past_space(after));
        let fits = match self.place() {
            Some(Place::Key) => next == Some(':'),
            Some(Place::Member) => next.is_none_or(|c| c == ',' || c == '}'),
            Some(Place::Array) => next.is_none_or(|c| c == ',' || c == ']'),
            None => next.is_none(),
        };
        if !fits {
            return None;
        }
        let text = rest.get(..length)?.iter().collect();
        self.at = after;
        Some(text)
    }

    /// The JSON in a code fence that starts inside of a string.
    fn fenced_json(&mut self) -> Read<Option<Value>> {
        let fence = ['`', '`', '`', 'j', 's', 'o', 'n'];
        if self.text.get(self.at..self.at + 7) != Some(&fence[..]) {
            return Ok(None);
        }
        let end = self.find("`", self.at + 7);
        if self.text.get(end..end + 3) != Some(&['`'; 3][..]) {
            return Ok(None);
        }
        self.at += 7;
        let value = self.deeper(Self::value)?;
        Ok((value != Value::Bool(false)).then_some(value))
    }

    /// The cursor stands on a second opening quote. Tells whether the string is empty.
    fn doubled_quote(&mut self, scan: &mut Scan) -> bool {
        let place = self.place();
        let next = self.char_at(self.at + 1);
        let ends_value = match place {
            Some(Place::Key) => next == Some(':'),
            Some(Place::Member) => is_one_of(next, ",}"),
            Some(Place::Array) => is_one_of(next, ",]"),
            None => false,
        };
        if ends_value {
            self.at += 1;
            return true;
        }
        if next == Some(scan.open) {
            return true;
        }
        let set = scan.close_set();
        let close = self.find(set, self.at + 1);
        if self.char_at(close + 1) == Some(scan.close) {
            scan.doubled = true;
            self.at += 1;
            return false;
        }
        if self.char_at(close) == Some(scan.close) {
            let outer = self.find(set, close + 1);
            let after = self.char_at(self.past_space(outer + 1));
            if place == Some(Place::Member)
                && self.past_space(self.at + 1) < close
                && self.char_at(outer) == Some(scan.close)
                && after.is_none_or(|c| c == ',' || c == '}')
            {
                // The second quote starts a quoted span inside of the text.
                scan.push(scan.open);
                scan.quote_pending = true;
                self.at += 1;
                return false;
            }
        }
        let after = self.char_at(self.past_space(self.at + 1));
        if is_one_of(after, QUOTES) || is_one_of(after, "{[") {
            self.at += 1;
            return true;
        }
        if !is_one_of(after, ",]}") {
            self.at += 1;
        }
        false
    }

    fn string_body(&mut self, scan: &mut Scan) {
        let place = self.place();
        loop {
            self.keep_plain(scan);
            let Some(c) = self.here().filter(|c| *c != scan.close || scan.low_quotes > 0) else { return };
            if scan.bare && self.bare_text_ends(c) {
                return;
            }
            if c == '„' && !scan.ends_with_backslash() {
                scan.low_quotes += 1;
                self.keep(scan, c);
                continue;
            }
            if c == '”' && scan.low_quotes > 0 {
                scan.low_quotes -= 1;
                self.keep(scan, c);
                continue;
            }
            if self.keep_inline_container(scan, c) {
                continue;
            }
            if c == ',' && place == Some(Place::Member) && !scan.container_pending && scan.containers.is_empty() {
                if self.comma_ends_text(scan) {
                    return;
                }
                self.keep(scan, c);
                continue;
            }
            if scan.is_inside_container(c) {
                self.keep(scan, c);
                continue;
            }
            if c == '}' && place == Some(Place::Member) && !scan.text.ends_with(scan.close) {
                if scan.braces > 0 {
                    self.keep(scan, c);
                    continue;
                }
                if self.brace_ends_text(scan) {
                    return;
                }
            }
            if c == ']' && self.places.contains(&Place::Array) && !scan.text.ends_with(scan.close) {
                let close = self.find(scan.close_set(), self.at);
                if self.char_at(close).is_none() {
                    return;
                }
            }
            if c == '}' && place == Some(Place::Member) {
                let next = self.past_space(self.at + 1);
                if self.text.get(next..next + 3) == Some(&['`'; 3][..]) {
                    if !self.brace_before_fence_is_text(scan, next) {
                        return;
                    }
                    self.keep(scan, c);
                    continue;
                }
                if self.char_at(next).is_none() {
                    return;
                }
            }
            self.keep(scan, c);
            if self.here().is_none() || self.after_character(scan) {
                return;
            }
        }
    }

    /// Takes characters that decide nothing, before others that decide nothing: most of every text.
    fn keep_plain(&mut self, scan: &mut Scan) {
        if scan.bare && self.place() == Some(Place::Key) {
            return;
        }
        let is_plain = |c: &char| !"\"'“”„\\,:`{}[]()".contains(*c);
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|c| !is_plain(c)).unwrap_or(rest.len()).saturating_sub(1);
        let plain = rest.get(..length).unwrap_or_default();
        scan.text.extend(plain);
        scan.in_class &= !plain.iter().any(|c| is_space(*c));
        self.at += length;
    }

    /// Looks at the character after one that was taken. Tells whether the string ends before it.
    fn after_character(&mut self, scan: &mut Scan) -> bool {
        if scan.ends_with_backslash() && self.escape(scan) {
            return false;
        }
        let Some(c) = self.here() else { return false };
        let place = self.place();
        if c == ':' && !scan.bare && place == Some(Place::Key) && self.colon_ends_key(scan) {
            return true;
        }
        if scan.low_quotes > 0 && c == '"' {
            scan.low_quotes -= 1;
            self.keep(scan, c);
            return false;
        }
        if c != scan.close {
            return false;
        }
        if place == Some(Place::Member) && scan.in_class && self.char_at(self.find("]", self.at + 1)) == Some(']') {
            self.keep(scan, c);
            return false;
        }
        !scan.text.is_empty() && !scan.ends_with_backslash() && self.closing_quote(scan)
    }

    /// Takes the character under the cursor into the text.
    pub(super) fn keep(&mut self, scan: &mut Scan, c: char) {
        scan.push(c);
        self.at += 1;
    }

    fn bare_text_ends(&self, c: char) -> bool {
        match self.place() {
            Some(Place::Key) => c == ':' || is_space(c),
            Some(Place::Array) => c == ']' || c == ',',
            _ => false,
        }
    }

    fn string_end(&mut self, mut scan: Scan) -> String {
        let c = self.here();
        if scan.bare && self.place() == Some(Place::Key) && c.is_some_and(is_space) {
            // Prose where a key should be.
            self.skip_space();
            if !self.here_is(":,") {
                return String::new();
            }
        }
        if c == Some(scan.close) {
            self.at += 1;
            if !scan.bare && !scan.text.ends_with('\n') {
                return scan.text;
            }
        }
        scan.text.truncate(strip_end(&scan.text).len());
        scan.text
    }
}
