//! Replies whose fields are elements, as they arrive.

use std::rc::Rc;

use super::parse::field_value;
use super::reader::Reader;
use crate::adapter::{FieldStream, FieldUpdate, News};
use crate::python::{strip_end, strip_start};
use crate::signature::{Field, Io, Signature, Type};
use crate::value::Value;

/// A reader for a reply that arrives in pieces.
///
/// The text of a `str` field is told as it grows, for as long as nothing but text stands in its element. Values are told when
/// the reply has ended: until then another element of the same name may come, or an error that makes the reply worthless.
/// A field whose told text the whole reply does not bear out gets no value.
///
/// ```
/// use lakelet::{Signature, adapter::{Adapter, FieldStream, FieldUpdate, XmlAdapter}};
/// let signature = Signature::parse("question -> answer")?;
/// let mut stream = XmlAdapter::default().stream(&signature);
/// let mut told = Vec::new();
/// for piece in ["<ans", "wer>\nCaf&#x", "e9;\n</answer", ">"] {
///     stream.push(piece, &mut told);
/// }
/// stream.finish(&mut told);
/// assert_eq!(told.iter().map(FieldUpdate::text).collect::<String>(), "Café");
/// # Ok::<(), lakelet::Error>(())
/// ```
pub(super) struct XmlStream {
    fields: Rc<[Field]>,
    told: Vec<Told>,
    reader: Reader,
}

/// What was told of a field.
#[derive(Clone, Default)]
struct Told {
    text: String,
    /// The place of the element that the text is of.
    element: usize,
    /// How much of the element's text is told, or stands before what is told.
    end: usize,
    /// How much of it was looked at.
    seen: usize,
}

impl FieldStream for XmlStream {
    fn push(&mut self, piece: &str, told: &mut Vec<FieldUpdate>) {
        // A piece may hold the ends of several fields.
        for part in piece.split_inclusive('<') {
            self.reader.push(part);
            self.tell(told);
        }
    }

    fn finish(&mut self, told: &mut Vec<FieldUpdate>) {
        let Ok(tree) = std::mem::take(&mut self.reader).finish() else { return };
        let elements = tree.fields();
        for (field, before) in self.fields.iter().zip(&self.told).filter(|(field, _)| field.io == Io::Output) {
            let Some(elements) = elements.get(field.name.as_str()) else { continue };
            let Ok(Ok(value)) = field_value(&tree, elements, &field.ty) else { continue };
            let mut tell = |news| told.push(FieldUpdate { field: field.name.clone(), news });
            if let Value::Str(text) = &value
                && field.ty == Type::Str
            {
                match text.strip_prefix(&before.text) {
                    Some("") => {}
                    Some(rest) => tell(News::Text(rest.to_owned())),
                    None => continue,
                }
            }
            tell(News::Value(value));
        }
    }
}

impl XmlStream {
    pub(super) fn new(signature: &Signature) -> Self {
        Self {
            fields: signature.fields.clone(),
            told: vec![Told::default(); signature.fields.len()],
            reader: Reader::default(),
        }
    }

    /// Tells what is new of the field that is open. White space is held back until more text follows.
    fn tell(&mut self, told: &mut Vec<FieldUpdate>) {
        let Some((place, element)) = self.reader.open_field() else { return };
        let is_open = |field: &Field| field.io == Io::Output && field.ty == Type::Str && field.name == element.name;
        let Some(index) = self.fields.iter().position(is_open) else { return };
        let (Some(field), Some(before)) = (self.fields.get(index), self.told.get_mut(index)) else { return };
        // A second element of the name does not go on with the text of the first.
        if before.element != place {
            if !before.text.is_empty() {
                return;
            }
            *before = Told { element: place, ..Told::default() };
        }
        let fresh = element.text.get(before.seen..).unwrap_or_default();
        let end = before.seen + strip_end(fresh).len();
        if end > before.seen {
            let news = element.text.get(before.end..end).unwrap_or_default();
            let news = if before.text.is_empty() { strip_start(news) } else { news };
            before.text.push_str(news);
            before.end = end;
            told.push(FieldUpdate { field: field.name.clone(), news: News::Text(news.to_owned()) });
        }
        before.seen = element.text.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::{Adapter, XmlAdapter};

    /// The text that was told of `a`, and its value, with a reply in pieces of so many characters.
    fn told(reply: &str, size: usize) -> (String, Option<Value>) {
        let signature = Signature::parse("q -> a, tags: list[str]").unwrap();
        let mut stream = XmlAdapter::default().stream(&signature);
        let mut told = Vec::new();
        let chars: Vec<char> = reply.chars().collect();
        chars.chunks(size).for_each(|piece| stream.push(&piece.iter().collect::<String>(), &mut told));
        stream.finish(&mut told);
        let of_a = || told.iter().filter(|update| update.field == "a");
        (of_a().map(FieldUpdate::text).collect(), of_a().find_map(|update| update.value().cloned()))
    }

    #[test]
    fn pieces_of_any_size_tell_the_same() {
        for (reply, expected, value) in [
            ("<a>\n 1 &lt; 2\r\n<!-- c -->& </a>", " 1 < 2", None),
            ("x <a>\n 1 &lt; 2 <![CDATA[ & ]]>\r\n.</a> y", "1 < 2  & \n.", Some("1 < 2  & \n.")),
            ("<a>b<br/>c</a><tags/>", "b<br />c", Some("b<br />c")),
            ("<a> b<br/></a>", "b", None),
            ("<a>b</a><a>c</a>", "b", None),
            ("<a>b</a><other><a>c</a></other>", "b", Some("b")),
            ("<a>b</a> & c", "b", None),
        ] {
            for size in 1..=reply.len() {
                let (text, told_value) = told(reply, size);
                assert_eq!(text, expected.trim_start(), "{reply} in pieces of {size}");
                assert_eq!(told_value, value.map(Value::from), "{reply} in pieces of {size}");
            }
        }
    }
}
