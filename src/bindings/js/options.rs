//! Options on their way in: an object as JSON text, written by the package's own code.

use serde_json::{Map, Value as Json};

use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// The members of an options object. A member of the wrong type is an error that names it.
pub(super) struct Options(Map<String, Json>);

impl Options {
    pub fn read(text: &str) -> Result<Self> {
        match json::read(text) {
            Ok(Json::Object(members)) => Ok(Self(members)),
            _ => Err(Error::new(ErrorKind::Config, "the options are not a JSON object")),
        }
    }

    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        self.typed(name, "text", Json::as_str)
    }

    pub fn number(&self, name: &str) -> Result<Option<f64>> {
        self.typed(name, "a number", Json::as_f64)
    }

    pub fn count(&self, name: &str) -> Result<Option<u32>> {
        self.typed(name, "a whole number", |json| u32::try_from(json.as_u64()?).ok())
    }

    pub fn texts(&self, name: &str) -> Result<Vec<&str>> {
        Ok(self
            .typed(name, "a list of texts", |json| json.as_array()?.iter().map(Json::as_str).collect())?
            .unwrap_or_default())
    }

    pub fn list(&self, name: &str) -> Result<&[Json]> {
        Ok(self.typed(name, "a list", Json::as_array)?.map(Vec::as_slice).unwrap_or_default())
    }

    pub fn object(&self, name: &str) -> Result<Option<&Map<String, Json>>> {
        self.typed(name, "an object", Json::as_object)
    }

    fn typed<'a, T>(&'a self, name: &str, what: &str, read: impl FnOnce(&'a Json) -> Option<T>) -> Result<Option<T>> {
        match self.0.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(json) => read(json).map(Some).ok_or_else(|| wrong(name, what)),
        }
    }
}

fn wrong(name: &str, what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the option `{name}` must be {what}")).at_field(name)
}
