//! Any text is a literal or none, and the `repr` of its value is a literal of the same value.

use lakelet::python::repr;
use lakelet::{Value, literal};

use super::input::Input;

pub fn check(bytes: &[u8]) {
    let text = Input(bytes).text();
    let Some(value) = literal::eval(&text) else { return };
    if is_writable(&value) {
        let written = repr(&value);
        assert_eq!(literal::eval(&written), Some(value), "{text:?} {written:?}");
    }
}

/// Infinity and `NaN` have no literal.
fn is_writable(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_finite(),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => items.iter().all(is_writable),
        Value::Dict(map) => map.values().all(is_writable),
        Value::MixedDict(pairs) => pairs.iter().all(|(key, value)| is_writable(key) && is_writable(value)),
        _ => true,
    }
}
