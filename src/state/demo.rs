//! Demos as DSPy saves them.

use serde_json::Value as Json;

use crate::adapter::{JsonStyle, write_json};
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::json::orjson::plain;
use crate::json::reader::loads;
use crate::python::class_of;
use crate::value::{Map, Value};

/// A demo as an object of JSON.
pub(super) fn dump(demo: &Example) -> Result<Json> {
    plain(&Value::Dict(demo.fields.clone()), &other)
}

/// Reads a saved demo.
pub(super) fn load(demo: &Json) -> Result<Example> {
    let fields =
        demo.as_object().ok_or_else(|| Error::new(ErrorKind::State, "a demo must be an object").at_field("demos"))?;
    Ok(Example::from(fields.iter().map(|(name, json)| (name.clone(), json.into())).collect::<Map>()))
}

/// Pydantic makes plain data of models and of DSPy's own types before `orjson` sees them; the rest it refuses.
fn other(value: &Value) -> Result<Json> {
    match value {
        Value::Model(..) | Value::Custom(_) => {
            let mut text = String::new();
            write_json(&mut text, value, JsonStyle::OneLine);
            plain(&loads(&text).map_err(|_| unsaveable(value))?, &other)
        }
        _ => Err(unsaveable(value)),
    }
}

fn unsaveable(value: &Value) -> Error {
    let message = format!("a demo cannot be saved: {} has no JSON form", class_of(value));
    Error::new(ErrorKind::State, message)
        .with_hint("give it as a text, a number, a list or a dict")
        .with_python_class("RuntimeError")
}
