//! Demos as DSPy saves them.

use serde_json::{Map as JsonMap, Value as Json};

use crate::adapter::{JsonStyle, write_json};
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::json::reader::loads;
use crate::python::class_of;
use crate::value::{Map, ScalarKind, Value};

/// A demo as an object of JSON.
pub(super) fn dump(demo: &Example) -> Result<Json> {
    members(&demo.fields).map(Json::Object)
}

/// Reads a saved demo.
pub(super) fn load(demo: &Json) -> Result<Example> {
    let fields =
        demo.as_object().ok_or_else(|| Error::new(ErrorKind::State, "a demo must be an object").at_field("demos"))?;
    Ok(Example::from(fields.iter().map(|(name, json)| (name.clone(), json.into())).collect::<Map>()))
}

fn members(fields: &Map) -> Result<JsonMap<String, Json>> {
    fields.iter().map(|(name, value)| Ok((name.clone(), plain(value).map_err(|error| error.at_field(name))?))).collect()
}

/// What Python's `orjson` makes of a value: sets, bytes, decimals and durations it refuses, unless a model holds them, for
/// pydantic makes plain data of models first.
fn plain(value: &Value) -> Result<Json> {
    Ok(match value {
        Value::None => Json::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => (*number).into(),
        Value::BigInt(digits) => digits.parse::<u64>().map_err(|_| unsaveable(value))?.into(),
        Value::Float(number) => (*number).into(), // what is no number becomes null
        Value::Str(text) => text.as_str().into(),
        Value::List(items) | Value::Tuple(items) => items.iter().map(plain).collect::<Result<_>>()?,
        Value::Dict(fields) => Json::Object(members(fields)?),
        Value::Scalar(ScalarKind::Datetime, text) => moment(text).into(),
        Value::Scalar(ScalarKind::Date | ScalarKind::Uuid, text) => text.as_str().into(),
        Value::Scalar(ScalarKind::Time, text) if !has_zone(text) => text.as_str().into(),
        Value::Enum(ty, member) => ty.members.get(*member).map_or(Ok(Json::Null), |(_, value)| plain(value))?,
        Value::Model(ty, fields) if ty.typed_dict => Json::Object(members(fields)?),
        Value::Model(..) | Value::Custom(_) => {
            let mut text = String::new();
            write_json(&mut text, value, JsonStyle::OneLine);
            plain(&loads(&text).map_err(|_| unsaveable(value))?)?
        }
        Value::MixedDict(_) | Value::Set(_) | Value::Bytes(_) | Value::Scalar(..) => return Err(unsaveable(value)),
    })
}

/// A time as Python's `isoformat` writes it: UTC is no `Z`.
fn moment(text: &str) -> String {
    match text.strip_suffix('Z') {
        Some(local) => [local, "+00:00"].concat(),
        None => text.to_owned(),
    }
}

fn has_zone(time: &str) -> bool {
    time.contains(['Z', '+', '-'])
}

fn unsaveable(value: &Value) -> Error {
    let message = format!("a demo cannot be saved: {} has no JSON form", class_of(value));
    Error::new(ErrorKind::State, message)
        .with_hint("give it as a text, a number, a list or a dict")
        .with_python_class("RuntimeError")
}
