//! Replies that are a JSON object, as they arrive.

use std::rc::Rc;

use super::parse::object;
use crate::adapter::partial::Growth;
use crate::adapter::{FieldStream, FieldUpdate, News};
use crate::coerce::parse_value;
use crate::json_repair;
use crate::python::is_space;
use crate::signature::{Field, Io, Signature, Type};
use crate::value::Value;

/// A reader for a reply that arrives in pieces.
///
/// Text of `str` fields is told without its escapes. A value is told when what follows shows that it has ended. Where the
/// reply leaves valid JSON, nothing more is told until the reply has ended and [`Adapter::parse`](crate::adapter::Adapter::parse) can read it as a
/// whole; a field whose told text the whole reading does not bear out gets no value.
///
/// ```
/// use lakelet::{Signature, adapter::{Adapter, FieldStream, FieldUpdate, JsonAdapter}};
/// let signature = Signature::parse("question -> answer")?;
/// let mut stream = JsonAdapter::default().stream(&signature);
/// let mut told = Vec::new();
/// for piece in ["{\"ans", "wer\": \"Caf\\u00", "e9\"", "}"] {
///     stream.push(piece, &mut told);
/// }
/// stream.finish(&mut told);
/// assert_eq!(told.iter().map(FieldUpdate::text).collect::<String>(), "Café");
/// # Ok::<(), lakelet::Error>(())
/// ```
pub(super) struct JsonStream {
    fields: Rc<[Field]>,
    told: Vec<Told>,
    /// All of the reply.
    reply: String,
    place: Place,
    /// The field whose value is being read.
    field: Option<usize>,
    /// The key that is being read, as it was written.
    key: String,
    /// The value that is being read, as it was written.
    raw: String,
    /// Text of the field that is not told yet.
    news: String,
    /// White space of it that is told only when more follows.
    space: String,
}

/// What was told of a field.
#[derive(Default)]
struct Told {
    text: String,
    growth: Growth,
    done: bool,
}

/// Where in the object the reply stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Before the object.
    Before,
    /// Where a key should start; `first` directly after the brace.
    Key { first: bool },
    /// In a key.
    InKey { escaped: bool },
    /// Between a key and its colon.
    Colon,
    /// Between a colon and the value.
    Value,
    /// In a string that is told as it grows; the escape that is open starts at that byte of `raw`.
    Text { escape: Option<usize> },
    /// In any other value, so many brackets deep.
    Raw { depth: usize, quoted: bool, escaped: bool },
    /// After a value.
    After,
    /// After the object.
    Closed,
    /// The reply is not plain JSON: only the whole tells.
    Unsure,
}

impl FieldStream for JsonStream {
    fn push(&mut self, piece: &str, told: &mut Vec<FieldUpdate>) {
        self.reply.push_str(piece);
        for c in piece.chars() {
            if self.place == Place::Unsure {
                break;
            }
            self.place = self.take(c, told).unwrap_or(Place::Unsure);
        }
        self.tell_news(told);
        self.tell_growth(told);
    }

    fn finish(&mut self, told: &mut Vec<FieldUpdate>) {
        self.tell_news(told);
        let (Some(found), _) = object(&self.reply) else { return };
        for (index, field) in self.fields.clone().iter().enumerate().filter(|(_, field)| field.io == Io::Output) {
            let Some(state) = self.told.get(index).filter(|state| !state.done) else { continue };
            let Some(Ok(value)) = found.get(&field.name).map(|value| parse_value(value, &field.ty)) else { continue };
            state.end(field, value, told);
        }
    }
}

impl JsonStream {
    pub(super) fn new(signature: &Signature) -> Self {
        Self {
            fields: signature.fields.clone(),
            told: signature.fields.iter().map(|_| Told::default()).collect(),
            reply: String::new(),
            place: Place::Before,
            field: None,
            key: String::new(),
            raw: String::new(),
            news: String::new(),
            space: String::new(),
        }
    }

    /// Takes a character; `None` when it is not what JSON has there.
    fn take(&mut self, c: char, told: &mut Vec<FieldUpdate>) -> Option<Place> {
        let space = matches!(c, ' ' | '\t' | '\n' | '\r');
        Some(match self.place {
            Place::Before => match c {
                '{' => Place::Key { first: true },
                // What json_repair could take for the start of another value, or of a comment.
                '[' | '(' | '#' | '/' | '"' | '\'' | '“' | '”' => return None,
                _ => Place::Before,
            },
            Place::Key { .. } if space => self.place,
            Place::Key { first: true } if c == '}' => Place::Closed,
            Place::Key { .. } if c == '"' => {
                self.key.push(c);
                Place::InKey { escaped: false }
            }
            Place::InKey { escaped } => {
                self.key.push(c);
                match c {
                    '"' if !escaped => Place::Colon,
                    _ => Place::InKey { escaped: c == '\\' && !escaped },
                }
            }
            Place::Colon if space => Place::Colon,
            Place::Colon if c == ':' => self.key(told)?,
            Place::Value if space => Place::Value,
            Place::Value => self.start_value(c)?,
            Place::Text { escape } => self.text(c, escape)?,
            Place::Raw { depth: 0, quoted: false, .. } if space || c == ',' || c == '}' => self.after(c)?,
            Place::Raw { depth, quoted, escaped } => self.raw_value(c, depth, quoted, escaped)?,
            Place::After => self.after(c)?,
            Place::Closed => Place::Closed,
            Place::Key { .. } | Place::Colon | Place::Unsure => return None,
        })
    }

    /// A key and its colon are complete, which shows that the value before them is.
    fn key(&mut self, told: &mut Vec<FieldUpdate>) -> Option<Place> {
        let Some(Value::Str(name)) = json_repair::valid(&std::mem::take(&mut self.key)) else { return None };
        self.end_value(told)?;
        let field = self.fields.iter().position(|field| field.io == Io::Output && field.name == name);
        // Of equal keys the last wins, which only the end tells.
        if field.and_then(|field| self.told.get(field)).is_some_and(|state| state.done || !state.text.is_empty()) {
            return None;
        }
        self.field = field;
        Some(Place::Value)
    }

    fn start_value(&mut self, c: char) -> Option<Place> {
        self.raw.push(c);
        let is_text = self.field.and_then(|field| self.fields.get(field)).is_some_and(|field| field.ty == Type::Str);
        match c {
            '"' if is_text => Some(Place::Text { escape: None }),
            '"' => Some(Place::Raw { depth: 0, quoted: true, escaped: false }),
            '{' | '[' => Some(Place::Raw { depth: 1, quoted: false, escaped: false }),
            '-' | '0'..='9' | 't' | 'f' | 'n' | 'N' | 'I' => {
                Some(Place::Raw { depth: 0, quoted: false, escaped: false })
            }
            _ => None,
        }
    }

    fn text(&mut self, c: char, escape: Option<usize>) -> Option<Place> {
        if c < ' ' {
            return None;
        }
        self.raw.push(c);
        let Some(start) = escape else {
            match c {
                '"' => return Some(Place::After),
                '\\' => return Some(Place::Text { escape: Some(self.raw.len() - 1) }),
                _ => self.add(c),
            }
            return Some(Place::Text { escape: None });
        };
        let escape = self.raw.get(start..)?;
        if is_open_escape(escape) {
            return Some(Place::Text { escape: Some(start) });
        }
        let Some(Value::Str(text)) = json_repair::valid(&format!("\"{escape}\"")) else { return None };
        text.chars().for_each(|c| self.add(c));
        Some(Place::Text { escape: None })
    }

    fn raw_value(&mut self, c: char, depth: usize, quoted: bool, escaped: bool) -> Option<Place> {
        self.raw.push(c);
        if quoted {
            let ends = c == '"' && !escaped;
            if ends && depth == 0 {
                return Some(Place::After);
            }
            return Some(Place::Raw { depth, quoted: !ends, escaped: c == '\\' && !escaped });
        }
        let depth = match c {
            '{' | '[' => depth + 1,
            '}' | ']' => depth.checked_sub(1)?,
            _ => depth,
        };
        if depth == 0 && matches!(c, '}' | ']') {
            return Some(Place::After);
        }
        Some(Place::Raw { depth, quoted: c == '"', escaped: false })
    }

    fn after(&mut self, c: char) -> Option<Place> {
        match c {
            ' ' | '\t' | '\n' | '\r' => Some(Place::After),
            ',' => Some(Place::Key { first: false }),
            '}' => Some(Place::Closed),
            _ => None,
        }
    }

    /// The value in `raw` is complete.
    fn end_value(&mut self, told: &mut Vec<FieldUpdate>) -> Option<()> {
        let raw = std::mem::take(&mut self.raw);
        let Some(index) = self.field.take() else { return Some(()) };
        let field = self.fields.get(index)?.clone();
        let value = json_repair::valid(&raw)?;
        self.news.push_str(&std::mem::take(&mut self.space));
        self.field = Some(index);
        self.tell_news(told);
        self.field = None;
        let state = self.told.get_mut(index)?;
        state.done = true;
        let Ok(value) = parse_value(&value, &field.ty) else { return Some(()) };
        state.end(&field, value, told)
    }

    /// More text of the field.
    fn add(&mut self, c: char) {
        if is_space(c) {
            self.space.push(c);
        } else {
            self.news.push_str(&self.space);
            self.space.clear();
            self.news.push(c);
        }
    }

    fn tell_news(&mut self, told: &mut Vec<FieldUpdate>) {
        if self.news.is_empty() {
            return;
        }
        let Some((field, state)) = self.field.and_then(|at| Some((self.fields.get(at)?, self.told.get_mut(at)?)))
        else {
            return;
        };
        let text = std::mem::take(&mut self.news);
        state.text.push_str(&text);
        told.push(FieldUpdate { field: field.name.clone(), news: News::Text(text) });
    }

    fn tell_growth(&mut self, told: &mut Vec<FieldUpdate>) {
        if !matches!(self.place, Place::Raw { .. }) {
            return;
        }
        let Some((field, state)) = self.field.and_then(|at| Some((self.fields.get(at)?, self.told.get_mut(at)?)))
        else {
            return;
        };
        let news = state.growth.look(&self.raw, &field.ty).map(News::Partial);
        told.extend(news.map(|news| FieldUpdate { field: field.name.clone(), news }));
    }
}

impl Told {
    /// Tells the value of a field, and what its text lacks; `None` when that is not what was told.
    fn end(&self, field: &Field, value: Value, told: &mut Vec<FieldUpdate>) -> Option<()> {
        let mut tell = |news| told.push(FieldUpdate { field: field.name.clone(), news });
        match &value {
            // Numbers and the like become text only now.
            Value::Str(text) if field.ty == Type::Str => match text.strip_prefix(&self.text)? {
                "" => {}
                rest => tell(News::Text(rest.to_owned())),
            },
            value if !self.growth.leads_to(value) => return None,
            _ => {}
        }
        tell(News::Value(value));
        Some(())
    }
}

/// Whether an escape needs more characters. Half of a surrogate pair waits for the other.
fn is_open_escape(escape: &str) -> bool {
    let bytes = escape.as_bytes();
    match bytes {
        [b'\\'] => true,
        [b'\\', b'u', ..] if bytes.len() < 6 => true,
        [b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'A' | b'b' | b'B', ..] => match bytes.get(6..) {
            Some([] | [b'\\']) => true,
            Some([b'\\', b'u', rest @ ..]) => rest.len() < 4,
            _ => false,
        },
        _ => false,
    }
}
