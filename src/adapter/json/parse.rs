//! Replies that are a JSON object.

use super::NAME;
use crate::adapter::outputs::Reading;
use crate::coerce::parse_value;
use crate::error::Result;
use crate::json_repair;
use crate::signature::Signature;
use crate::value::{Map, Value};

/// The output fields of a reply, in the order of the signature.
///
/// The reply may be broken JSON with prose around it; when it is no object, the first balanced pair of braces in it is tried.
///
/// ```
/// use lakelet::{Signature, Value, adapter::{Adapter, JsonAdapter}};
/// let signature = Signature::parse("question -> answer, confidence: float")?;
/// let fields = JsonAdapter::default().parse(&signature, "Sure: {answer: 'Paris', \"confidence\": \"0.9\"")?;
/// assert_eq!(fields["answer"], Value::from("Paris"));
/// assert_eq!(fields["confidence"], Value::Float(0.9));
/// # Ok::<(), lakelet::Error>(())
/// ```
///
/// # Errors
/// [`Parse`](crate::ErrorKind::Parse), with the [`Reply`](crate::error::Reply): `not_object` when the reply holds no object,
/// `missing_fields` when an output without default is not there, `field` when one cannot be made a value of its type.
///
/// A field that does not fit is the error of `adapter`, whose replies these are; the others are JSONAdapter's own, as in DSPy.
pub(super) fn parse(adapter: &'static str, signature: &Signature, reply: &str) -> Result<Map> {
    let (object, read) = object(reply);
    let reading = Reading { adapter: NAME, signature, reply: read };
    let Some(mut found) = object else {
        let message = "LM response cannot be serialized to a JSON object.";
        let hint = "The model did not reply in JSON: send a `response_format`, or use ChatAdapter.";
        return Err(reading.error("not_object", message, None).with_hint(hint));
    };
    found.retain(|name, _| reading.output(name).is_some());
    let names = || found.keys().cloned().collect();
    let mut fields = Map::with_capacity(found.len());
    for (name, value) in &found {
        let Some(field) = reading.output(name) else { continue };
        let value = parse_value(value, &field.ty).map_err(|mismatch| {
            let message = format!("Failed to parse field {name}: {}", mismatch.message);
            Reading { adapter, ..reading }.error("field", &message, Some(names())).at_field(name)
        })?;
        fields.insert(name.clone(), value);
    }
    reading.complete(fields)
}

/// The object of a reply, and the part of the reply that it was read from.
pub(super) fn object(reply: &str) -> (Option<Map>, &str) {
    let read = |text| if let Value::Dict(map) = json_repair::loads(text) { Some(map) } else { None };
    match read(reply) {
        None => first_braces(reply).map_or((None, reply), |part| (read(part), part)),
        object => (object, reply),
    }
}

/// The first `{` that has its `}`, with all between them.
fn first_braces(text: &str) -> Option<&str> {
    let mut open = Vec::new();
    let mut first: Option<(usize, usize)> = None;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open.push(at),
            b'}' => {
                if let Some(start) = open.pop().filter(|start| first.is_none_or(|(first, _)| *start < first)) {
                    first = Some((start, at));
                }
            }
            _ => {}
        }
    }
    first.and_then(|(start, end)| text.get(start..=end))
}
