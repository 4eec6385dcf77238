//! Any text gives a value, and the JSON of that value gives the same value again.

use lakelet::adapter::format_field_value;
use lakelet::signature::Type;
use lakelet::{Value, json_repair};

use super::input::Input;

pub fn check(bytes: &[u8]) {
    let text = Input(bytes).text();
    let value = json_repair::loads(&text);
    if is_finite(&value) {
        let list = Value::List(vec![value]);
        let json = format_field_value(&Type::Any, &list).expect("JSON of what JSON holds");
        assert_eq!(json_repair::loads(&json), list, "{text:?}");
    }
}

/// JSON has no infinity, and a list in it no `NaN`. Nesting to the limit leaves no room for one more list.
fn is_finite(value: &Value) -> bool {
    fn within(value: &Value, depth: usize) -> bool {
        depth < 190
            && match value {
                Value::Float(number) => number.is_finite(),
                Value::List(items) => items.iter().all(|item| within(item, depth + 1)),
                Value::Dict(map) => map.values().all(|item| within(item, depth + 1)),
                _ => true,
            }
    }
    within(value, 0)
}
