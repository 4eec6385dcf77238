//! Replies with a header before each field.

use super::NAME;
use crate::adapter::outputs::Reading;
use crate::coerce::parse_value;
use crate::error::Result;
use crate::python::{splitlines, strip};
use crate::signature::Signature;
use crate::value::{Map, Value};

/// What stands before and after the name in a header.
pub(super) const OPENING: &str = "[[ ## ";
pub(super) const CLOSING: &str = " ## ]]";

/// The output fields of a reply, in the order of the signature.
///
/// A line that starts with `[[ ## name ## ]]` opens a section. The first section of a name counts; text before the first
/// section and sections of other names do not. As in DSPy 3.4.1, an indented header leaves as many of its last characters
/// in the section as it is indented by.
///
/// ```
/// use lakelet::{Signature, Value, adapter::{Adapter, ChatAdapter}};
/// let signature = Signature::parse("question -> answer, confidence: float")?;
/// let reply = "[[ ## answer ## ]]\nParis\n\n[[ ## confidence ## ]]\n0.9\n\n[[ ## completed ## ]]";
/// let fields = ChatAdapter::default().parse(&signature, reply)?;
/// assert_eq!(fields["answer"], Value::from("Paris"));
/// assert_eq!(fields["confidence"], Value::Float(0.9));
/// # Ok::<(), lakelet::Error>(())
/// ```
///
/// # Errors
/// [`Parse`](crate::ErrorKind::Parse), with the [`Reply`](crate::error::Reply): `missing_fields` when an output without
/// default is not there, `field` when one cannot be made a value of its type.
pub(super) fn parse(signature: &Signature, reply: &str) -> Result<Map> {
    let reading = Reading { adapter: NAME, signature, reply };
    let mut found = Map::new();
    for (name, text) in sections(reply) {
        let Some(field) = reading.output(name).filter(|_| !found.contains_key(name)) else { continue };
        let value = parse_value(&Value::from(strip(&text)), &field.ty).map_err(|mismatch| {
            let message = format!(
                "Failed to parse field {name} with value {} from the LM response. Error message: {}",
                strip(&text),
                mismatch.message
            );
            reading.error("field", &message, None).at_field(name)
        })?;
        found.insert(name.to_owned(), value);
    }
    reading.complete(found)
}

/// The sections of a reply: names and texts.
fn sections(reply: &str) -> Vec<(&str, String)> {
    let mut sections: Vec<(&str, String)> = Vec::new();
    for line in splitlines(reply) {
        if let Some((name, rest)) = header(line) {
            sections.push((name, rest.to_owned()));
        } else if let Some((_, text)) = sections.last_mut() {
            text.push('\n');
            text.push_str(line);
        }
    }
    sections
}

/// The name in a line's header, and the rest of the line.
fn header(line: &str) -> Option<(&str, &str)> {
    let inner = strip(line).strip_prefix(OPENING)?;
    let (name, _) = inner.split_at_checked(inner.find(|c| !is_name(c))?)?;
    if name.is_empty() || !inner.get(name.len()..)?.starts_with(CLOSING) {
        return None;
    }
    let length = OPENING.len() + name.chars().count() + CLOSING.len();
    let rest = line.char_indices().nth(length).and_then(|(at, _)| line.get(at..)).unwrap_or_default();
    Some((name, strip(rest)))
}

/// Python's `\w`.
pub(super) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
