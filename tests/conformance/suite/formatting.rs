//! Values and whole prompts as text.

use lakelet::Result;
use lakelet::adapter::{Adapter, format_field_value};
use lakelet::lm::write_messages;
use lakelet::signature::Type;
use serde_json::{Value as Json, json};

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

pub fn format(input: &Json, expected: &Json) -> Outcome {
    match cases::adapter(&input["adapter"]) {
        Ok(adapter) => check(expected, messages(adapter.as_ref(), input)),
        Err(reason) => Err(reason),
    }
}

fn messages(adapter: &dyn Adapter, input: &Json) -> Result<Json> {
    let types = cases::types(&input["typedefs"])?;
    let signature = cases::signature(&input["signature"], &types)?;
    let demos = input["demos"].as_array().into_iter().flatten();
    let demos = demos.map(|demo| cases::example(demo, &types)).collect::<Result<Vec<_>>>()?;
    let inputs = cases::example(&input["inputs"], &types)?;
    let mut messages = adapter.prefix(&signature, &demos)?;
    messages.extend(adapter.turns(&signature, &inputs)?);
    let mut text = "[".to_owned();
    write_messages(&messages, &mut text);
    text.push(']');
    Ok(serde_json::from_str(&text).unwrap_or_else(|problem| json!(problem.to_string())))
}
