//! Outputs whose allowed values come from the data of one call.

use crate::error::Result;
use crate::python::lower;
use crate::signature::{Signature, Type};
use crate::value::{Map, Value};

/// What a choice is when none of the values fits.
pub const NOT_FOUND: &str = "not found";

/// The values that outputs may take in one call; [`NOT_FOUND`] is always one of them.
///
/// Where the endpoint takes a JSON schema, the schema holds the model to them. The messages stay as they are: the values
/// are in the prompt already, as the data that they come from, and a prompt that changes with every call would cost the
/// endpoint's prompt cache.
#[derive(Clone, Debug, Default)]
pub struct Choices(Vec<(String, Vec<String>)>);

impl Choices {
    /// Lets an output take these values only.
    pub fn add(&mut self, field: &str, values: Vec<&str>) {
        self.0.push((field.to_owned(), values.into_iter().map(str::to_owned).collect()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The signature with a `Literal` in the place of each type.
    pub(super) fn narrow(&self, signature: &Signature) -> Result<Signature> {
        let mut narrowed = signature.clone();
        for (field, values) in &self.0 {
            let values = values.iter().map(String::as_str).chain([NOT_FOUND]).map(Value::from).collect();
            narrowed = narrowed.with_updated_field(field, |field| field.ty = Type::Literal(values))?;
        }
        Ok(narrowed)
    }

    /// Replaces what the model wrote by the value that it meant.
    pub(super) fn settle(&self, fields: &mut Map) {
        for (field, values) in &self.0 {
            if let Some(value) = fields.get_mut(field) {
                let meant = value.as_str().and_then(|text| meant(text, values)).unwrap_or(NOT_FOUND);
                *value = meant.into();
            }
        }
    }
}

/// The value that a text stands for: itself, whatever its case and punctuation, or a value that holds it or is held by it.
/// What is none of the values was made up.
fn meant<'a>(text: &str, values: &'a [String]) -> Option<&'a str> {
    let bare = |text: &str| {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(lower).collect::<Vec<_>>().join(" ")
    };
    if let Some(same) = values.iter().find(|value| *value == text) {
        return Some(same);
    }
    let wanted = bare(text);
    if wanted.is_empty() {
        return None;
    }
    let known: Vec<(String, &str)> = values.iter().map(|value| (bare(value), value.as_str())).collect();
    let found = known.iter().find(|(value, _)| *value == wanted);
    // A few words are in many sentences: a part must be long enough to mean one of them.
    let is_part = |part: &str, whole: &str| part.split(' ').count() >= 3 && whole.contains(part);
    let found = found.or_else(|| known.iter().find(|(value, _)| is_part(&wanted, value)));
    let found = found.or_else(|| known.iter().find(|(value, _)| is_part(value, &wanted)));
    found.map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_that_is_meant_is_found() {
        let values = ["Leave is 25 days.".to_owned(), "Ask your manager first.".to_owned()];
        for (text, expected) in [
            ("Leave is 25 days.", Some("Leave is 25 days.")),
            ("\"leave is 25 days\"", Some("Leave is 25 days.")),
            ("is 25 days", Some("Leave is 25 days.")),
            ("Leave is 25 days. Ask your manager first. And so on.", Some("Leave is 25 days.")),
            ("25 days", None),
            ("Leave is 30 days.", None),
            ("not found", None),
            ("", None),
        ] {
            assert_eq!(meant(text, &values), expected, "{text}");
        }
    }
}
