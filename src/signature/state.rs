//! The part of a signature that DSPy saves with a program.

use serde_json::{Map as JsonMap, Value as Json};

use super::Signature;
use crate::error::{Error, ErrorKind, Result};
use crate::python::cleandoc;

impl Signature {
    /// What DSPy 3.4.1 saves: `{"instructions": ..., "fields": [{"prefix": ..., "description": ...}, ...]}`.
    pub fn dump_state(&self) -> Json {
        let field = |prefix: &str, desc: &str| {
            Json::Object(JsonMap::from_iter([
                ("prefix".to_owned(), prefix.into()),
                ("description".to_owned(), desc.into()),
            ]))
        };
        let fields = self.fields.iter().map(|f| field(&f.prefix, &f.desc)).collect();
        Json::Object(JsonMap::from_iter([
            ("instructions".to_owned(), (*self.instructions).into()),
            ("fields".to_owned(), Json::Array(fields)),
        ]))
    }

    /// The same fields with the saved instructions, prefixes and descriptions. Fields are told apart by their position; what
    /// is too many on either side is left alone.
    ///
    /// # Errors
    /// [`State`](ErrorKind::State), when the state is not of that form.
    pub fn load_state(&self, state: &Json) -> Result<Self> {
        let instructions = text(state, "instructions", "the signature")?;
        let saved = state.get("fields").and_then(Json::as_array).ok_or_else(|| malformed("fields", "the signature"))?;
        let mut fields = self.fields.to_vec();
        for (field, saved) in fields.iter_mut().zip(saved) {
            field.prefix = text(saved, "prefix", &field.name)?.to_owned();
            field.desc = text(saved, "description", &field.name)?.to_owned();
        }
        Ok(Self { instructions: cleandoc(instructions).into(), fields: fields.into() })
    }
}

fn text<'a>(state: &'a Json, key: &str, of: &str) -> Result<&'a str> {
    state.get(key).and_then(Json::as_str).ok_or_else(|| malformed(key, of))
}

fn malformed(key: &str, of: &str) -> Error {
    Error::new(ErrorKind::State, format!("the saved state of {of} has no `{key}`"))
        .with_hint("Save the program again with DSPy 3 or with Lakelet.")
        .with_python_class("KeyError")
}
