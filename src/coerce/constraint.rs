//! Constraints on the fields of models: `ge`, `max_length` and their kin.

use crate::value::Value;

/// The issue of the first constraint that a value breaks, in pydantic's order. `pattern` is not checked.
pub(super) fn broken(value: &Value, constraints: &[(String, Value)]) -> Option<&'static str> {
    if constraints.is_empty() {
        return None;
    }
    let limit = |name: &str| constraints.iter().find(|(known, _)| known == name).map(|(_, limit)| limit);
    let number_limit = |name| limit(name).and_then(number);
    if let Some(number) = number(value) {
        if limit("allow_inf_nan") == Some(&Value::Bool(false)) && !number.is_finite() {
            return Some("finite_number");
        }
        let breaks = |name, holds: fn(f64, f64) -> bool| number_limit(name).is_some_and(|limit| !holds(number, limit));
        return [
            ("multiple_of", breaks("multiple_of", is_multiple)),
            ("less_than_equal", breaks("le", |a, b| a <= b)),
            ("less_than", breaks("lt", |a, b| a < b)),
            ("greater_than_equal", breaks("ge", |a, b| a >= b)),
            ("greater_than", breaks("gt", |a, b| a > b)),
        ]
        .into_iter()
        .find_map(|(kind, broken)| broken.then_some(kind));
    }
    let length = length(value)? as f64;
    let text = matches!(value, Value::Str(_));
    if number_limit("min_length").is_some_and(|least| length < least) {
        return Some(if text { "string_too_short" } else { "too_short" });
    }
    if number_limit("max_length").is_some_and(|most| length > most) {
        return Some(if text { "string_too_long" } else { "too_long" });
    }
    None
}

/// Whether a list has more items than `max_length` allows.
pub(super) fn too_many(items: usize, constraints: &[(String, Value)]) -> bool {
    let most = constraints.iter().find(|(name, _)| name == "max_length").and_then(|(_, most)| number(most));
    most.is_some_and(|most| items as f64 > most)
}

fn is_multiple(number: f64, of: f64) -> bool {
    let rest = number.rem_euclid(of);
    let threshold = number.abs() / 1e9;
    rest <= threshold || (rest - of).abs() <= threshold
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::BigInt(digits) => digits.parse().ok(),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

fn length(value: &Value) -> Option<usize> {
    Some(match value {
        Value::Str(text) => text.chars().count(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => items.len(),
        Value::Dict(map) => map.len(),
        Value::MixedDict(pairs) => pairs.len(),
        _ => return None,
    })
}
