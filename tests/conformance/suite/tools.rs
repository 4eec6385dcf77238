//! Tools: what is said of them, and the calls of them.

use std::rc::Rc;

use futures::executor::block_on;
use lakelet::lm::to_responses;
use lakelet::python::repr;
use lakelet::tool::{Tool, ToolCall, ToolResult, ToolSpec};
use lakelet::value::{Map, Value};
use lakelet::{Error, ErrorKind, Result};
use serde_json::{Value as Json, json};

use super::compare::check;
use super::{Outcome, cases};

pub fn spec(tool: &Json) -> Result<ToolSpec> {
    let mut tagged = json!({"$dspy": "Tool"});
    for (key, member) in tool.as_object().into_iter().flatten().filter(|(key, _)| *key != "returns") {
        tagged[key] = member.clone();
    }
    let value = cases::value(&tagged, &cases::types(&Json::Null)?)?;
    ToolSpec::of(&value).ok_or_else(|| Error::new(ErrorKind::Input, "not a tool"))
}

/// A tool that gives what the case says: always the same, or what a table has for one argument; or that fails.
pub fn tool(node: &Json) -> Result<Rc<dyn Tool>> {
    let returns = node["returns"].clone();
    Ok(spec(node)?.does(move |args| {
        let argument = returns["arg"].as_str().and_then(|name| args.get(name));
        let result = if let Some(class) = returns["raise"].as_str() {
            Err(Error::new(ErrorKind::Input, "boom").with_python_class(class.to_owned().leak()))
        } else if returns.get("map").is_some() {
            let found = argument.and_then(Value::as_str).and_then(|text| returns["map"].get(text));
            Ok(found.unwrap_or(&returns["default"]).into())
        } else {
            Ok((&returns).into())
        };
        std::future::ready(result)
    }))
}

pub fn tool_text(input: &Json, expected: &Json) -> Outcome {
    check(expected, spec(&input["tool"]).map(|spec| json!({"text": spec.text(), "function": spec.function()})))
}

pub fn provider_tool_call(input: &Json, expected: &Json) -> Outcome {
    check(expected, Ok(cases::to_json(&ToolCall::of_api(&input["call"]))))
}

/// The recorded tools answer with the call that they got.
pub fn validate_args(input: &Json, expected: &Json) -> Outcome {
    let run = || {
        let spec = spec(&input["tool"])?;
        let args = cases::example(&input["args"], &cases::types(&Json::Null)?)?.fields;
        spec.validate_args(&args)?;
        let name = spec.name.clone();
        let echo = spec.does(move |args: Map| {
            let args: Vec<String> = args.iter().map(|(name, value)| format!("{name}={}", repr(value))).collect();
            let text = format!("{name}({})", args.join(", "));
            async { Ok(Value::from(text)) }
        });
        block_on(echo.call(args))
    };
    check(expected, run().map(|answer| cases::to_json(&answer)))
}

pub fn tool_results(input: &Json, expected: &Json) -> Outcome {
    let run = || {
        let calls = cases::value(&json!({"tool_calls": input["calls"]}), &cases::types(&Json::Null)?)?;
        let calls = ToolCall::all(&calls).unwrap_or_default();
        let Value::List(values) = Value::from(&input["values"]) else { return Ok(Json::Null) };
        let flags = input["is_errors"].as_array();
        let flags: Option<Vec<bool>> = flags.map(|flags| flags.iter().map(|flag| flag == true).collect());
        let results = ToolResult::of_calls(&calls, values, flags.as_deref())?;
        let results: Vec<Json> =
            results.iter().map(|result| cases::to_json(&result.to_value())["value"].clone()).collect();
        Ok(json!({ "tool_call_results": results }))
    };
    check(expected, run())
}

pub fn chat_to_responses(input: &Json, expected: &Json) -> Outcome {
    check(expected, Ok(json!(to_responses(input["request"].as_object().cloned().unwrap_or_default()))))
}
