//! Reasoning that the endpoint streams beside the answer.

use crate::adapter::{FieldUpdate, News};
use crate::signature::{Signature, Special, Type};
use crate::value::{Custom, Value};

/// The output that the model's own reasoning fills, while it arrives.
pub(super) struct Thinking {
    field: Option<String>,
    text: String,
}

impl Thinking {
    /// The reasoning that a signature wants and the prompt does not ask for.
    pub fn new(signature: &Signature, asked: &Signature) -> Self {
        let is_native = |name: &str| asked.field(name).is_none();
        let mut outputs = signature.outputs().filter(|field| field.ty == Type::Special(Special::Reasoning));
        let field = outputs.find(|field| is_native(&field.name)).map(|field| field.name.clone());
        Self { field, text: String::new() }
    }

    /// Takes the next piece.
    pub fn push(&mut self, piece: &str, told: &mut Vec<FieldUpdate>) {
        if let Some(field) = self.field.as_ref().filter(|_| !piece.is_empty()) {
            self.text.push_str(piece);
            told.push(FieldUpdate { field: field.clone(), news: News::Text(piece.to_owned()) });
        }
    }

    /// The answer begins: what was thought is complete.
    pub fn finish(&mut self, told: &mut Vec<FieldUpdate>) {
        if !self.text.is_empty()
            && let Some(field) = self.field.take()
        {
            let value = Value::Custom(Box::new(Custom::Reasoning(std::mem::take(&mut self.text))));
            told.push(FieldUpdate { field, news: News::Value(value) });
        }
    }
}
