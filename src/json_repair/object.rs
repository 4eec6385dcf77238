//! Objects.

use super::cursor::{Cursor, QUOTES, is_one_of};
use super::{Place, Read, Unreadable};
use crate::python::{is_space, strip, strip_start};
use crate::value::{Map, Value};

impl Cursor {
    /// Reads the members of an object whose opening brace is behind the cursor, or missing.
    pub(super) fn object(&mut self) -> Read<Value> {
        let start = self.at;
        let mut map = Map::new();
        self.members(&mut map)?;
        self.at += 1;
        if map.is_empty()
            && self.at - start > 2
            && self.afford_all(self.at - start)
            && let Some(value) = self.reread_empty_object(start)?
        {
            return Ok(value);
        }
        if !self.places.is_empty() {
            // One closing brace too many.
            if self.here() == Some('}') && !matches!(self.place(), Some(Place::Key | Place::Member)) {
                self.at += 1;
            }
            return Ok(Value::Dict(map));
        }
        self.skip_space();
        if self.here() == Some(',') {
            self.at += 1;
            self.skip_space();
            // The object was closed too early: the members after it are its own.
            if self.here_is(QUOTES)
                && let Value::Dict(more) = self.deeper(Self::object)?
            {
                map.extend(more);
            }
        }
        Ok(Value::Dict(map))
    }

    fn members(&mut self, map: &mut Map) -> Read<()> {
        let is_member = self.place() == Some(Place::Member);
        let in_array = self.places.contains(&Place::Array);
        loop {
            self.skip_space_and_comments();
            match self.here() {
                None | Some('}') => return Ok(()),
                Some(',') => {
                    self.at += 1;
                    continue;
                }
                Some(':') => self.at += 1,
                Some(_) => {}
            }
            let (key, key_start) = self.within(Place::Key, |cursor| cursor.key(map))?;
            if in_array && !is_member && key_start >= 2 && map.contains_key(&key) && !self.is_repeated_member(key_start)
            {
                // The same key again is the next object of the array: its brace is put where the character before the key was.
                if let Some(c) = self.text.get_mut(key_start - 1) {
                    *c = '{';
                }
                self.at = key_start - 2;
                return Ok(());
            }
            self.skip_space_and_comments();
            if self.here().is_none_or(|c| c == '}') {
                continue;
            }
            // A colon, or whatever stands where one is missing.
            self.at += 1;
            let value = self.within(Place::Member, Self::member)?;
            map.insert(key, value);
            if self.here_is(",'\"") {
                self.at += 1;
            }
            if self.here() == Some(']') && in_array {
                self.at -= 1;
                return Ok(());
            }
        }
    }

    /// Reads a key, and tells where it starts.
    fn key(&mut self, map: &mut Map) -> Read<(String, usize)> {
        let mut key = String::new();
        let mut start = self.at;
        while self.here().is_some() {
            start = self.at;
            if self.here() == Some('[') && self.extend_last_array(map)? {
                continue;
            }
            key = match self.string()? {
                Value::Str(text) => text,
                _ => return Err(Unreadable),
            };
            if !key.is_empty() {
                break;
            }
            self.skip_space_and_comments();
            if self.here_is(":}") {
                break;
            }
        }
        Ok((key, start))
    }

    fn member(&mut self) -> Read<Value> {
        self.skip_space_and_comments();
        if self.here_is(",}") { Ok(Value::Str(String::new())) } else { self.value() }
    }

    /// Whether a key met twice is an ordinary member: quoted, after a comma and before a colon.
    fn is_repeated_member(&self, key_start: usize) -> bool {
        let before = self.text.get(..key_start).unwrap_or_default();
        let previous = before.iter().rev().find(|c| !is_space(**c));
        is_one_of(self.char_at(key_start), QUOTES)
            && previous == Some(&',')
            && self.char_at(self.past_space(self.at)) == Some(':')
    }

    /// An array where a key should be goes on the array that is the last member's value.
    fn extend_last_array(&mut self, map: &mut Map) -> Read<bool> {
        match map.last() {
            Some((key, Value::List(_))) if !key.is_empty() => {}
            _ => return Ok(false),
        }
        self.at += 1;
        let more = self.array(']')?;
        if let Some((_, Value::List(rows))) = map.last_mut() {
            extend_rows(rows, more);
        }
        self.skip_space_and_comments();
        if self.here() == Some(',') {
            self.at += 1;
        }
        self.skip_space_and_comments();
        Ok(true)
    }

    /// Reads again what gave no member though it is not blank: an object with escaped quotes, or a set.
    fn reread_empty_object(&mut self, start: usize) -> Read<Option<Value>> {
        let slice = |from: usize, to: usize| self.text.get(from..to.min(self.text.len())).unwrap_or_default();
        let body: String = slice(start, self.at - 1).iter().collect();
        if self.previous() == Some('}') && strip(&without_comments(&body)).is_empty() {
            return Ok(None);
        }
        let whole: String = slice(start, self.at + 1).iter().collect();
        let body = strip_start(whole.strip_suffix('}').unwrap_or(&whole));
        let escaped_key = |start: &str, end: &str| body.starts_with(start) && body.contains(end);
        if escaped_key("\\\"", "\\\":") || escaped_key("\\'", "\\':") {
            let end = (self.at + 1).min(self.text.len());
            let plain = whole.replace("\\\"", "\"").replace("\\'", "'");
            self.at = start;
            self.text.splice(start..end, plain.chars());
            return self.again_as_key(Self::object).map(Some);
        }
        let body = without_comments(body);
        if strip_start(&body).is_empty() || has_bare_colon(&body) {
            return Ok(None);
        }
        self.at = start;
        self.again_as_key(|cursor| cursor.array(']')).map(|items| Some(Value::List(items)))
    }
}

/// Adds an array to the rows of the member before it. Loose items after rows of one length are made rows too.
fn extend_rows(rows: &mut Vec<Value>, mut more: Vec<Value>) {
    let row_length = |row: &Value| if let Value::List(items) = row { Some(items.len()) } else { None };
    let mut lengths = rows.iter().filter_map(row_length);
    let first = lengths.next().unwrap_or(0);
    if first == 0 || !lengths.all(|length| length == first) {
        match more.as_mut_slice() {
            [Value::List(only)] => rows.append(only),
            _ => rows.append(&mut more),
        }
        return;
    }
    let loose = rows.iter().rposition(|row| row_length(row).is_some()).map_or(0, |last| last + 1);
    if (rows.len() - loose).is_multiple_of(first) {
        let tail = rows.split_off(loose);
        rows.extend(tail.chunks(first).map(|row| Value::List(row.to_vec())));
    }
    if more.iter().all(|row| row_length(row).is_some()) {
        rows.append(&mut more);
    } else {
        rows.push(Value::List(more));
    }
}

/// The body of an object without its comments; comment signs in quotes stay.
fn without_comments(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut quote = None;
    let mut escaped = false;
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        if quote.is_none() && c != '\\' && (!QUOTES.contains(c) || escaped) {
            escaped = false;
            if c == '#' || rest.starts_with("//") {
                rest = rest.get(rest.find(['\n', '\r']).unwrap_or(rest.len())..).unwrap_or_default();
                continue;
            }
            if rest.starts_with("/*") {
                rest = rest.get(2..).and_then(|text| text.split_once("*/")).map_or("", |(_, text)| text);
                continue;
            }
        } else if c == '\\' {
            escaped = !escaped;
        } else {
            match quote {
                None => quote = Some(c),
                Some(open) if open == c && !escaped => quote = None,
                Some(_) => {}
            }
            escaped = false;
        }
        out.push(c);
        rest = after;
    }
    out
}

/// Whether a colon stands outside of quotes.
fn has_bare_colon(body: &str) -> bool {
    let mut quote = None;
    let mut escaped = false;
    for c in body.chars() {
        if c == '\\' {
            escaped = !escaped;
            continue;
        }
        let plain = !std::mem::take(&mut escaped);
        match quote {
            Some(open) if open == c && plain => quote = None,
            None if plain && QUOTES.contains(c) => quote = Some(c),
            None if plain && c == ':' => return true,
            _ => {}
        }
    }
    false
}
