//! Replies with headers, as they arrive.

use std::rc::Rc;

use super::header::{Header, Match, is_line_end};
use super::parse::{CLOSING, OPENING};
use crate::adapter::partial::Growth;
use crate::adapter::{FieldStream, FieldUpdate, News};
use crate::coerce::parse_value;
use crate::python::{is_space, strip};
use crate::signature::{Field, Io, Signature, Type};
use crate::value::Value;

/// A reader for a reply that arrives in pieces.
///
/// The texts told of a `str` field make up the value that [`Adapter::parse`](crate::adapter::Adapter::parse) gives: white space is held back until more
/// text follows, and the start of a line for as long as it may be a header.
///
/// ```
/// use lakelet::{Signature, adapter::{Adapter, ChatAdapter, FieldStream, FieldUpdate}};
/// let signature = Signature::parse("question -> answer")?;
/// let mut stream = ChatAdapter::default().stream(&signature);
/// let mut told = Vec::new();
/// for piece in ["[[ ## ans", "wer ## ]]\nPar", "is\n[[ ## com", "pleted ## ]]"] {
///     stream.push(piece, &mut told);
/// }
/// stream.finish(&mut told);
/// assert_eq!(told.iter().map(FieldUpdate::text).collect::<String>(), "Paris");
/// # Ok::<(), lakelet::Error>(())
/// ```
pub(super) struct ChatStream {
    fields: Rc<[Field]>,
    /// The fields that have had their section.
    seen: Vec<bool>,
    line: Line,
    /// The last character was a carriage return, so that a line feed would belong to it.
    after_return: bool,
    section: Option<Section>,
}

/// How far the current line is known.
enum Line {
    /// It may be a header yet.
    Start { held: String, matched: Header },
    /// It is text; `first` when it follows a header on the same line.
    Text { first: bool },
}

/// The field that is being read.
struct Section {
    field: usize,
    /// All text so far, but what is not told yet.
    text: String,
    /// Text that is not told yet.
    news: String,
    /// White space that is text only if more follows.
    space: String,
    /// How much of it is older than this line.
    space_before_line: usize,
    growth: Growth,
}

impl FieldStream for ChatStream {
    fn push(&mut self, piece: &str, told: &mut Vec<FieldUpdate>) {
        for c in piece.chars() {
            self.take(c, told);
        }
        self.tell_news(told);
    }

    fn finish(&mut self, told: &mut Vec<FieldUpdate>) {
        if let Line::Start { held, .. } = &mut self.line {
            let held = std::mem::take(held);
            self.line = Line::Text { first: false };
            self.add(&held);
        }
        self.close(told);
    }
}

impl ChatStream {
    pub(super) fn new(signature: &Signature) -> Self {
        Self {
            fields: signature.fields.clone(),
            seen: vec![false; signature.fields.len()],
            line: Line::Start { held: String::new(), matched: Header::default() },
            after_return: false,
            section: None,
        }
    }

    fn take(&mut self, c: char, told: &mut Vec<FieldUpdate>) {
        if std::mem::take(&mut self.after_return) && c == '\n' {
            return;
        }
        if is_line_end(c) {
            self.after_return = c == '\r';
            self.end_line();
            return;
        }
        match &mut self.line {
            Line::Text { .. } => self.add_char(c),
            Line::Start { held, matched } => {
                held.push(c);
                match matched.advance(c) {
                    Match::Open => {}
                    Match::No => {
                        let held = std::mem::take(held);
                        self.line = Line::Text { first: false };
                        self.add(&held);
                    }
                    Match::Whole => {
                        let (held, name) = (std::mem::take(held), std::mem::take(&mut matched.name));
                        self.open(&name, &held, told);
                    }
                }
            }
        }
    }

    /// A header is complete: `line` is all of the line so far.
    fn open(&mut self, name: &str, line: &str, told: &mut Vec<FieldUpdate>) {
        self.close(told);
        let field = self.fields.iter().position(|field| field.io == Io::Output && field.name == name);
        self.section = field.filter(|field| !self.seen.get(*field).is_some_and(|seen| *seen)).map(Section::new);
        if let Some(seen) = field.and_then(|field| self.seen.get_mut(field)) {
            *seen = true;
        }
        self.line = Line::Text { first: true };
        let length = OPENING.len() + name.chars().count() + CLOSING.len();
        let rest: String = line.chars().skip(length).collect();
        self.add(&rest);
    }

    /// The section is complete.
    fn close(&mut self, told: &mut Vec<FieldUpdate>) {
        self.tell_news(told);
        let Some(section) = self.section.take() else { return };
        let Some(field) = self.fields.get(section.field) else { return };
        if let Ok(value) = parse_value(&Value::from(strip(&section.text)), &field.ty)
            && section.growth.leads_to(&value)
        {
            told.push(FieldUpdate { field: field.name.clone(), news: News::Value(value) });
        }
    }

    fn tell_news(&mut self, told: &mut Vec<FieldUpdate>) {
        let Some(section) = self.section.as_mut().filter(|section| !section.news.is_empty()) else { return };
        let Some(field) = self.fields.get(section.field) else { return };
        let text = std::mem::take(&mut section.news);
        section.text.push_str(&text);
        let news = match field.ty {
            Type::Str => Some(News::Text(text)),
            _ => section.growth.look(&section.text, &field.ty).map(News::Partial),
        };
        told.extend(news.map(|news| FieldUpdate { field: field.name.clone(), news }));
    }

    fn end_line(&mut self) {
        let previous =
            std::mem::replace(&mut self.line, Line::Start { held: String::new(), matched: Header::default() });
        match previous {
            Line::Start { held, .. } => self.add(&held),
            // What follows a header on its line loses its outer white space.
            Line::Text { first: true } => {
                if let Some(section) = &mut self.section {
                    section.space.truncate(section.space_before_line);
                }
            }
            Line::Text { first: false } => {}
        }
        self.add_char('\n');
        if let Some(section) = &mut self.section {
            section.space_before_line = section.space.len();
        }
    }

    fn add(&mut self, text: &str) {
        text.chars().for_each(|c| self.add_char(c));
    }

    fn add_char(&mut self, c: char) {
        let Some(section) = &mut self.section else { return };
        if is_space(c) {
            section.space.push(c);
            return;
        }
        if !(section.text.is_empty() && section.news.is_empty()) {
            section.news.push_str(&section.space);
        }
        section.space.clear();
        section.space_before_line = 0;
        section.news.push(c);
    }
}

impl Section {
    fn new(field: usize) -> Self {
        Self {
            field,
            text: String::new(),
            news: String::new(),
            space: String::new(),
            space_before_line: 0,
            growth: Growth::default(),
        }
    }
}
