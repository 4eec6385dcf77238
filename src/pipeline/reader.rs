//! Reading a document by hand, with errors that say where they are.

use serde_json::Value as Json;

use crate::error::{Error, ErrorKind, Result};
use crate::nearest::offer;

pub(super) type Object = serde_json::Map<String, Json>;

/// An object of a document, and where it stands.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    object: &'a Object,
    step: Option<&'a str>,
    path: String,
}

impl<'a> Reader<'a> {
    /// The document itself.
    pub fn document(json: &'a Json) -> Result<Self> {
        let object = json.as_object().ok_or_else(|| Error::new(ErrorKind::Pipeline, "a pipeline is a JSON object"))?;
        Ok(Self { object, step: None, path: String::new() })
    }

    /// The same place, known as a step.
    pub fn in_step(mut self, name: &'a str) -> Self {
        self.step = Some(name);
        self.path.clear();
        self
    }

    /// An error about a member.
    pub fn error(&self, key: &str, message: impl Into<String>) -> Error {
        let error = Error::new(ErrorKind::Pipeline, message).at_field(&self.path_of(key));
        match self.step {
            Some(step) => error.at_step(step),
            None => error,
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Refuses members of other names.
    pub fn only(&self, keys: &[&str]) -> Result<()> {
        match self.object.keys().find(|key| !keys.contains(&key.as_str())) {
            Some(key) => {
                Err(self.error(key, format!("`{key}` is not known here")).with_hint(offer(key, keys.iter().copied())))
            }
            None => Ok(()),
        }
    }

    pub fn get(&self, key: &str) -> Option<&'a Json> {
        self.object.get(key)
    }

    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Json)> + use<'a> {
        self.object.iter().map(|(key, value)| (key.as_str(), value))
    }

    fn typed<T>(&self, key: &str, what: &str, read: impl FnOnce(&'a Json) -> Option<T>) -> Result<Option<T>> {
        let Some(json) = self.object.get(key) else { return Ok(None) };
        read(json).map(Some).ok_or_else(|| self.error(key, format!("must be {what}, not {}", kind(json))))
    }

    pub fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.typed(key, "text", Json::as_str)
    }

    pub fn need_text(&self, key: &str) -> Result<&'a str> {
        self.text(key)?.ok_or_else(|| self.missing(key))
    }

    pub fn missing(&self, key: &str) -> Error {
        self.error(key, format!("`{key}` is missing"))
    }

    pub fn flag(&self, key: &str) -> Result<bool> {
        Ok(self.typed(key, "true or false", Json::as_bool)?.unwrap_or_default())
    }

    /// A number that is not negative.
    pub fn number(&self, key: &str) -> Result<Option<f64>> {
        self.typed(key, "a number, 0 or more", |json| json.as_f64().filter(|number| *number >= 0.0))
    }

    pub fn list(&self, key: &str) -> Result<Option<&'a [Json]>> {
        self.typed(key, "a list", |json| json.as_array().map(Vec::as_slice))
    }

    /// A list of texts; one text alone counts as a list of one.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<&'a str>>> {
        self.typed(key, "text or a list of texts", |json| match json {
            Json::String(text) => Some(vec![text.as_str()]),
            Json::Array(items) => items.iter().map(Json::as_str).collect(),
            _ => None,
        })
    }

    /// A member that is an object; an empty one when it is absent.
    pub fn object(&self, key: &str) -> Result<Self> {
        static NONE: std::sync::LazyLock<Object> = std::sync::LazyLock::new(Object::new);
        let object = self.typed(key, "an object", Json::as_object)?.unwrap_or(&NONE);
        Ok(Self { object, step: self.step, path: self.path_of(key) })
    }

    /// The objects of a list.
    pub fn objects(&self, key: &str) -> Result<Vec<Self>> {
        let items = self.list(key)?.unwrap_or_default();
        let read = |(i, item): (usize, &'a Json)| {
            let at = format!("{key}[{i}]");
            let object =
                item.as_object().ok_or_else(|| self.error(&at, format!("must be an object, not {}", kind(item))))?;
            Ok(Self { object, step: self.step, path: self.path_of(&at) })
        };
        items.iter().enumerate().map(read).collect()
    }
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
