//! Equality as Python has it.

use indexmap::IndexMap;

use crate::python::repr;
use crate::value::{Map, Value};

/// `a == b`: numbers are equal across types, so `1`, `1.0` and `True` are.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Dict(a), Value::Dict(b)) => equal_maps(a, b),
        (Value::Enum(enumeration, member), other) | (other, Value::Enum(enumeration, member))
            if enumeration.base != "Enum" && !matches!(other, Value::Enum(..)) =>
        {
            enumeration.members.get(*member).is_some_and(|(_, value)| equal(value, other))
        }
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}

pub(crate) fn equal_maps(a: &Map, b: &Map) -> bool {
    a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| equal(value, other)))
}

/// A number that fits a float without loss, or nothing.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::Int(number) if number.unsigned_abs() <= 1 << 53 => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// A text that equal values share.
fn identity(value: &Value) -> String {
    match value {
        Value::Tuple(items) => items.iter().map(|item| identity(item) + ",").collect(),
        Value::Bool(_) | Value::Float(_) => match number(value) {
            Some(number) if number.fract() == 0.0 && number.abs() < 1e38 => (number as i128).to_string(),
            _ => repr(value),
        },
        other => repr(other),
    }
}

/// The values of a set: of equal ones the first.
pub(crate) fn distinct_values(values: Vec<Value>) -> Vec<Value> {
    let mut distinct: IndexMap<String, Value> = IndexMap::with_capacity(values.len());
    for value in values {
        distinct.entry(identity(&value)).or_insert(value);
    }
    distinct.into_values().collect()
}

/// Keys that became equal are one, with the last value.
pub(crate) fn distinct_keys(pairs: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
    let mut distinct: IndexMap<String, (Value, Value)> = IndexMap::with_capacity(pairs.len());
    for (key, value) in pairs {
        match distinct.get_mut(&identity(&key)) {
            Some(pair) => pair.1 = value,
            None => _ = distinct.insert(identity(&key), (key, value)),
        }
    }
    distinct.into_values().collect()
}

/// Whether the value may be in a set.
pub(crate) fn is_hashable(value: &Value) -> bool {
    match value {
        Value::List(_) | Value::Dict(_) | Value::MixedDict(_) | Value::Set(_) | Value::Model(..) => false,
        Value::Tuple(items) => items.iter().all(is_hashable),
        _ => true,
    }
}
