//! Values of fields, which travel as JSON text.

use serde_json::{Map as Object, Value as Json};

use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::json;
use crate::value::{Map, Value};

/// Fields by name, of a JSON object. `what` names it in errors.
pub(super) fn fields(what: &str, text: &str) -> Result<Map> {
    map(what, &Value::from(&read(what, text)?))
}

/// The fields of an example.
pub(super) fn example(what: &str, text: &str) -> Result<Example> {
    fields(what, text).map(Example::from)
}

/// Examples, of a JSON array of objects.
pub(super) fn examples(what: &str, text: &str) -> Result<Vec<Example>> {
    match Value::from(&read(what, text)?) {
        Value::List(examples) => examples.iter().map(|it| map(what, it).map(Example::from)).collect(),
        _ => Err(wrong(what, "not a JSON array")),
    }
}

/// Parameters of a request, of a JSON object.
pub(super) fn parameters(what: &str, text: &str) -> Result<Object<String, Json>> {
    match read(what, text)? {
        Json::Object(parameters) => Ok(parameters),
        _ => Err(wrong(what, "not a JSON object")),
    }
}

fn read(what: &str, text: &str) -> Result<Json> {
    json::read(text).map_err(|error| wrong(what, &error.to_string()))
}

fn map(what: &str, value: &Value) -> Result<Map> {
    match value {
        Value::Dict(fields) => Ok(fields.clone()),
        _ => Err(wrong(what, "not a JSON object")),
    }
}

fn wrong(what: &str, why: &str) -> Error {
    Error::new(ErrorKind::Input, format!("the {what} cannot be read: {why}"))
        .with_hint("write JSON: an object with the fields by name, for demos an array of such objects")
}
