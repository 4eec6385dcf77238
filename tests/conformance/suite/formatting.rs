//! Values and whole prompts as text.

use lakelet::adapter::format_field_value;
use lakelet::signature::Type;
use serde_json::Value as Json;

use super::compare::check;
use super::{Outcome, cases};

pub fn format_value(input: &Json, expected: &Json) -> Outcome {
    let run = || {
        let types = cases::types(&input["typedefs"])?;
        let ty = Type::parse(input["type"].as_str().unwrap_or_default(), &types)?;
        format_field_value(&ty, &cases::value(&input["value"], &types)?).map(Json::from)
    };
    check(expected, run())
}

pub fn format(_input: &Json, _expected: &Json) -> Outcome {
    Err("not built".to_owned())
}
