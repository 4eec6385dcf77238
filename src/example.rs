//! [`Example`] and [`Prediction`]: values by field name, in order.

use crate::lm::Usage;
use crate::value::{Map, Value};

/// Values by field name, in order: a demo, a training example, or the inputs of a call.
///
/// ```
/// use lakelet::Example;
/// let example = Example::new().with("question", "2+2?").with("answer", "4");
/// assert_eq!(example.get("answer").and_then(|v| v.as_str()), Some("4"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Example {
    pub fields: Map,
}

impl Example {
    /// An example with no fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// The example with one more field; a field of the same name keeps its place and gets the new value.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }
}

impl From<Map> for Example {
    fn from(fields: Map) -> Self {
        Self { fields }
    }
}

/// What a module returns: the output fields, and what they cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// The output fields, in the order of the signature.
    pub fields: Map,
    /// The outputs of the other completions, when `n` asked for more than one.
    pub others: Vec<Map>,
    /// The tokens of the model calls that made it.
    pub usage: Usage,
}

impl From<Map> for Prediction {
    fn from(fields: Map) -> Self {
        Self { fields, ..Self::default() }
    }
}

impl Prediction {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }
}
