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
    /// Which fields a program is given; the others are what is wanted of it. Empty when it is not said.
    pub input_keys: Vec<String>,
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

    /// The example with these fields as the ones that a program is given: DSPy's `with_inputs`.
    ///
    /// ```
    /// use lakelet::Example;
    /// let example = Example::new().with("question", "2+2?").with("answer", "4").with_inputs(&["question"]);
    /// assert_eq!(example.inputs().collect::<Vec<_>>(), [("question", &"2+2?".into())]);
    /// ```
    pub fn with_inputs(mut self, names: &[&str]) -> Self {
        self.input_keys = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// The fields that a program is given, in order.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, &Value)> {
        let inputs = self.fields.iter().filter(|(name, _)| self.input_keys.contains(name));
        inputs.map(|(name, value)| (name.as_str(), value))
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }
}

impl From<Map> for Example {
    fn from(fields: Map) -> Self {
        Self { fields, input_keys: Vec::new() }
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
