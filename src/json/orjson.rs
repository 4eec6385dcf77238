//! JSON as Python's `orjson` makes it of values.

use serde_json::Value as Json;

use crate::error::Result;
use crate::value::{Map, ScalarKind, Value};

/// What `orjson` makes of a value. `other` says what becomes of what it refuses: sets, bytes, decimals, durations, models and
/// objects, dicts with other keys than texts, whole numbers of more than 64 bits.
pub(crate) fn plain(value: &Value, other: &dyn Fn(&Value) -> Result<Json>) -> Result<Json> {
    let members = |fields: &Map| -> Result<Json> {
        let member = |(name, value): (&String, &Value)| {
            Ok((name.clone(), plain(value, other).map_err(|error| error.at_field(name))?))
        };
        Ok(Json::Object(fields.iter().map(member).collect::<Result<_>>()?))
    };
    Ok(match value {
        Value::None => Json::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => (*number).into(),
        Value::BigInt(digits) => digits.parse::<u64>().map_or_else(|_| other(value), |number| Ok(number.into()))?,
        Value::Float(number) => (*number).into(), // what is no number becomes null
        Value::Str(text) => text.as_str().into(),
        Value::List(items) | Value::Tuple(items) => {
            items.iter().map(|item| plain(item, other)).collect::<Result<_>>()?
        }
        Value::Dict(fields) => members(fields)?,
        Value::Scalar(ScalarKind::Datetime, text) => moment(text).into(),
        Value::Scalar(ScalarKind::Date | ScalarKind::Uuid, text) => text.as_str().into(),
        Value::Scalar(ScalarKind::Time, text) if !has_zone(text) => text.as_str().into(),
        Value::Enum(ty, member) => ty.members.get(*member).map_or(Ok(Json::Null), |(_, value)| plain(value, other))?,
        Value::Model(ty, fields) if ty.typed_dict => members(fields)?,
        _ => other(value)?,
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
