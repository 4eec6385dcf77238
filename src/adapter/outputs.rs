//! What the adapters' readers share: a reply's fields completed to a signature's outputs, and what is said when they cannot be.

use crate::error::{Error, ErrorKind, Reply, Result};
use crate::signature::{Field, Signature};
use crate::value::{Map, Value};

/// An adapter reading a reply.
pub(super) struct Reading<'a> {
    /// The adapter's DSPy name.
    pub adapter: &'static str,
    pub signature: &'a Signature,
    pub reply: &'a str,
}

impl Reading<'_> {
    /// The output of a name.
    pub fn output(&self, name: &str) -> Option<&Field> {
        self.signature.outputs().find(|field| field.name == name)
    }

    /// All outputs, in the order of the signature: what was found, else the default, else `None` where the type allows it.
    pub fn complete(&self, mut found: Map) -> Result<Map> {
        let mut fields = Map::with_capacity(found.len());
        let mut missing = None;
        for field in self.signature.outputs() {
            let fallback = || field.default.clone().or_else(|| field.ty.allows_none().then_some(Value::None));
            match found.swap_remove(&field.name).or_else(fallback) {
                Some(value) => _ = fields.insert(field.name.clone(), value),
                None => missing = missing.or(Some(&field.name)),
            }
        }
        let Some(missing) = missing else { return Ok(fields) };
        let parsed = fields.into_keys().collect();
        let hint = "The model left an output out, or its reply was cut off: raise `max_tokens`, or shorten the prompt.";
        Err(self.error("missing_fields", "", Some(parsed)).at_field(missing).with_hint(hint))
    }

    /// DSPy's `AdapterParseError`, word for word.
    pub fn error(&self, problem: &'static str, message: &str, parsed: Option<Vec<String>>) -> Error {
        let Self { adapter, signature, reply } = self;
        let mut text = String::new();
        if !message.is_empty() {
            text += message;
            text += "\n\n";
        }
        let expected: Vec<&str> = signature.outputs().map(|field| field.name.as_str()).collect();
        text += &format!(
            "Adapter {adapter} failed to parse the LM response. \n\nLM Response: {reply} \n\n\
             Expected to find output fields in the LM response: [{}] \n\n",
            expected.join(", ")
        );
        if let Some(parsed) = &parsed {
            text += &format!("Actual output fields parsed from the LM response: [{}] \n\n", parsed.join(", "));
        }
        Error::new(ErrorKind::Parse, text)
            .with_reply(Reply { adapter, problem, text: (*reply).to_owned(), parsed_fields: parsed })
            .with_python_class("AdapterParseError")
    }
}

/// A reply without text. `shown` is what there was instead.
pub(crate) fn empty_reply(adapter: &'static str, signature: &Signature, shown: &str) -> Error {
    Reading { adapter, signature, reply: shown }
        .error("empty", "The LM returned an empty or null response.", None)
        .with_hint("allow more tokens (`max_tokens`): a reasoning model may have spent them all before it answered")
}
