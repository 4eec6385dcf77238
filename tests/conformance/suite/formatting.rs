//! Values and whole prompts as text.

use lakelet::Result;
use lakelet::adapter::{ChatAdapter, JsonAdapter, format_field_value};
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
    let (name, options) = match &input["adapter"] {
        Json::String(name) => (name.as_str(), &Json::Null),
        Json::Null => ("ChatAdapter", &Json::Null),
        adapter => (adapter["name"].as_str().unwrap_or_default(), &adapter["options"]),
    };
    let native_function_calling = options["use_native_function_calling"].as_bool();
    let adapter = match name {
        "ChatAdapter" => {
            Adapter::Chat(ChatAdapter { native_function_calling: native_function_calling.unwrap_or(false) })
        }
        "JSONAdapter" => {
            Adapter::Json(JsonAdapter { native_function_calling: native_function_calling.unwrap_or(true) })
        }
        other => return Err(format!("not built: {other}")),
    };
    check(expected, messages(&adapter, input))
}

enum Adapter {
    Chat(ChatAdapter),
    Json(JsonAdapter),
}

fn messages(adapter: &Adapter, input: &Json) -> Result<Json> {
    let types = cases::types(&input["typedefs"])?;
    let signature = cases::signature(&input["signature"], &types)?;
    let demos = input["demos"].as_array().into_iter().flatten();
    let demos = demos.map(|demo| cases::example(demo, &types)).collect::<Result<Vec<_>>>()?;
    let inputs = cases::example(&input["inputs"], &types)?;
    let (mut messages, turns) = match adapter {
        Adapter::Chat(adapter) => (adapter.prefix(&signature, &demos)?, adapter.turns(&signature, &inputs)?),
        Adapter::Json(adapter) => (adapter.prefix(&signature, &demos)?, adapter.turns(&signature, &inputs)?),
    };
    messages.extend(turns);
    let mut text = "[".to_owned();
    write_messages(&messages, &mut text);
    text.push(']');
    Ok(serde_json::from_str(&text).unwrap_or_else(|problem| json!(problem.to_string())))
}
