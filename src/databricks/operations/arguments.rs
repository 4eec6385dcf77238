//! The arguments of an operation, and how they are read.

use serde_json::{Map, Value as Json};

use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// The members of an object, and bytes beside them. A member of the wrong type is an error that names it; `null` counts as not given.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    members: Map<String, Json>,
    bytes: Vec<u8>,
}

impl Arguments {
    /// Reads the text of an object.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) when it is none.
    pub fn read(text: &str, bytes: Vec<u8>) -> Result<Self> {
        match json::read(text) {
            Ok(Json::Object(members)) => Ok(Self { members, bytes }),
            _ => Err(Error::new(ErrorKind::Input, "the arguments are not an object")),
        }
    }

    /// The bytes that came beside the members: the content of a file.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// A text that has to be there.
    pub fn text(&self, name: &str) -> Result<&str> {
        self.optional_text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| missing(name, "a text"))
    }

    pub fn optional_text(&self, name: &str) -> Result<Option<&str>> {
        self.typed(name, "a text", Json::as_str)
    }

    pub fn optional_number(&self, name: &str) -> Result<Option<f64>> {
        self.typed(name, "a number", Json::as_f64)
    }

    /// A whole number of a kind that API ids and counts have.
    pub fn optional_integer(&self, name: &str) -> Result<Option<i64>> {
        self.typed(name, "a whole number", Json::as_i64)
    }

    pub fn integer(&self, name: &str) -> Result<i64> {
        self.optional_integer(name)?.ok_or_else(|| missing(name, "a whole number"))
    }

    /// A number of things: 0 or more.
    pub fn optional_count(&self, name: &str) -> Result<Option<usize>> {
        self.typed(name, "a whole number, 0 or more", |value| usize::try_from(value.as_u64()?).ok())
    }

    /// True or false; false when it is not given.
    pub fn flag(&self, name: &str) -> Result<bool> {
        Ok(self.typed(name, "true or false", Json::as_bool)?.unwrap_or(false))
    }

    pub fn optional_object(&self, name: &str) -> Result<Option<&Map<String, Json>>> {
        self.typed(name, "an object", Json::as_object)
    }

    /// An object that has to be there.
    pub fn object(&self, name: &str) -> Result<&Map<String, Json>> {
        self.optional_object(name)?.ok_or_else(|| missing(name, "an object"))
    }

    /// A list; empty when it is not given.
    pub fn list(&self, name: &str) -> Result<&[Json]> {
        Ok(self.typed(name, "a list", Json::as_array)?.map(Vec::as_slice).unwrap_or_default())
    }

    /// A list of texts; empty when it is not given.
    pub fn texts(&self, name: &str) -> Result<Vec<&str>> {
        let texts = self.list(name)?.iter().map(Json::as_str).collect::<Option<_>>();
        texts.ok_or_else(|| wrong(name, "a list of texts"))
    }

    /// Any value, if it is given.
    pub fn value(&self, name: &str) -> Option<&Json> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// All members, for a body that takes them as they are.
    pub fn into_members(self) -> Map<String, Json> {
        self.members
    }

    fn typed<'a, T>(&'a self, name: &str, what: &str, read: impl FnOnce(&'a Json) -> Option<T>) -> Result<Option<T>> {
        self.value(name).map(|value| read(value).ok_or_else(|| wrong(name, what))).transpose()
    }
}

fn wrong(name: &str, what: &str) -> Error {
    Error::new(ErrorKind::Input, format!("`{name}` must be {what}")).at_field(name)
}

fn missing(name: &str, what: &str) -> Error {
    Error::new(ErrorKind::Input, format!("`{name}` is missing")).at_field(name).with_hint(format!("Give {what}."))
}
