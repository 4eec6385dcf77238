//! Completions and JSON as values.

use serde_json::Value as Json;

use super::Outcome;

pub fn parse(_input: &Json, _expected: &Json) -> Outcome {
    Err("not built".to_owned())
}

pub fn parse_value(_input: &Json, _expected: &Json) -> Outcome {
    Err("not built".to_owned())
}

pub fn loads(_input: &Json, _expected: &Json) -> Outcome {
    Err("not built".to_owned())
}
