//! Calls that a model asks for, and their results.

use std::rc::Rc;

use serde_json::{Value as Json, json};

use crate::adapter::{JsonStyle, write_json};
use crate::coerce::validate;
use crate::error::{Error, ErrorKind, Result};
use crate::json_repair;
use crate::signature::{ModelType, Special, Type};
use crate::value::{Custom, Map, Value};

/// A call that a model asks for: DSPy's `ToolCalls.ToolCall`.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// What the endpoint calls it; `None` when it was read from text.
    pub id: Option<String>,
    pub name: String,
    /// A dict, as far as the model kept to the form.
    pub args: Value,
}

/// What came of a call: DSPy's `ToolCallResults.ToolCallResult`.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    pub call_id: Option<String>,
    pub name: String,
    pub value: Value,
    pub is_error: bool,
}

impl ToolCall {
    /// A call as an endpoint sends it, in the form of the chat-completions API or in that of the responses API, as a dict of
    /// `id`, `name` and `args`: what DSPy makes of it before it checks it.
    ///
    /// ```
    /// use lakelet::tool::ToolCall;
    /// let call = ToolCall::of_api(&serde_json::json!({"id": "c1", "function": {"name": "s", "arguments": "{'q': 1"}}));
    /// assert_eq!(lakelet::python::repr(&call), "{'id': 'c1', 'name': 's', 'args': {'q': 1}}");
    /// ```
    pub fn of_api(call: &Json) -> Value {
        let function = call.get("function").unwrap_or(&Json::Null);
        // Python's `or`: the second stands, even if there is nothing in it either.
        let either = |first: Option<&Json>, second: Option<&Json>| {
            let first = first.map(Value::from).filter(|first| !json_repair::is_falsy(first));
            first.or_else(|| second.map(Value::from))
        };
        let args = match either(function.get("arguments"), call.get("arguments")) {
            Some(Value::Str(text)) => json_repair::loads(&text),
            Some(args @ Value::Dict(_)) => args,
            _ => Value::Dict(Map::new()),
        };
        let id = either(call.get("call_id"), call.get("id")).unwrap_or(Value::None);
        let name = either(function.get("name"), call.get("name")).unwrap_or(Value::None);
        Value::Dict([("id", id), ("name", name), ("args", args)].map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// The `dspy.ToolCalls` of the calls that an endpoint sends.
    ///
    /// # Errors
    /// [`Protocol`](ErrorKind::Protocol), when a call has no name.
    pub fn calls_of_api(calls: &[Json]) -> Result<Value> {
        checked(calls.iter().map(Self::of_api).collect())
    }

    /// A `dspy.ToolCalls` of these calls.
    ///
    /// # Errors
    /// [`Protocol`](ErrorKind::Protocol), when the arguments of a call are no dict.
    pub fn to_calls(calls: &[Self]) -> Result<Value> {
        let call = |call: &Self| {
            let id = call.id.as_deref().map_or(Value::None, Value::from);
            let members = [("id", id), ("name", call.name.as_str().into()), ("args", call.args.clone())];
            Value::Dict(members.map(|(name, value)| (name.to_owned(), value)).into())
        };
        checked(calls.iter().map(call).collect())
    }

    /// The calls of a `dspy.ToolCalls`, or of a dict that looks like one; `None` for any other value.
    pub fn all(value: &Value) -> Option<Vec<Self>> {
        let Some(Value::List(calls)) = attributes(value)?.get("tool_calls") else { return None };
        calls.iter().map(Self::of).collect()
    }

    fn of(call: &Value) -> Option<Self> {
        let Value::Dict(call) = call else { return None };
        Some(Self { id: text(call, "id"), name: text(call, "name")?, args: call.get("args")?.clone() })
    }

    /// Name and arguments, which is all that prompts show of a call.
    pub fn to_value(&self) -> Value {
        Value::Dict(Map::from_iter([
            ("name".to_owned(), self.name.as_str().into()),
            ("args".to_owned(), self.args.clone()),
        ]))
    }

    /// The call in the form of the chat-completions API.
    pub fn to_api(&self) -> Json {
        let mut arguments = String::new();
        write_json(&mut arguments, &self.args, JsonStyle::OneLine);
        json!({ "id": self.id, "type": "function", "function": { "name": self.name, "arguments": arguments } })
    }
}

impl ToolResult {
    /// The result of each call, in order, with what the calls came to.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there are not as many of one as of the other.
    pub fn of_calls(calls: &[ToolCall], values: Vec<Value>, is_errors: Option<&[bool]>) -> Result<Vec<Self>> {
        let refuse = |message| Err(Error::new(ErrorKind::Input, message).with_python_class("ValueError"));
        if calls.len() != values.len() {
            return refuse("`tool_calls` and `values` must have the same length.");
        }
        if is_errors.is_some_and(|is_errors| is_errors.len() != calls.len()) {
            return refuse("`is_errors` must have the same length as `tool_calls` when provided.");
        }
        let is_error = |i: usize| is_errors.and_then(|is_errors| is_errors.get(i)).is_some_and(|is_error| *is_error);
        let result = |(i, (call, value)): (usize, (&ToolCall, Value))| Self {
            call_id: call.id.clone(),
            name: call.name.clone(),
            value,
            is_error: is_error(i),
        };
        Ok(calls.iter().zip(values).enumerate().map(result).collect())
    }

    /// The results in one of the forms that DSPy reads: a list, an object that holds the list, or one result.
    pub fn all(results: &Value) -> Option<Vec<Self>> {
        match results {
            Value::List(items) => items.iter().map(Self::of).collect(),
            Value::Dict(map) | Value::Model(_, map) => match map.get("tool_call_results") {
                Some(Value::List(items)) => items.iter().map(Self::of).collect(),
                Some(_) => None,
                None => Some(vec![Self::of(results)?]),
            },
            _ => None,
        }
    }

    fn of(result: &Value) -> Option<Self> {
        let (Value::Dict(result) | Value::Model(_, result)) = result else { return None };
        Some(Self {
            call_id: text(result, "call_id"),
            name: text(result, "name")?,
            value: result.get("value")?.clone(),
            is_error: result.get("is_error").and_then(Value::as_bool).unwrap_or(false),
        })
    }

    /// All that is known of the result: a `ToolCallResult`.
    pub fn to_value(&self) -> Value {
        let call_id = self.call_id.as_deref().map_or(Value::None, Value::from);
        let members = [
            ("call_id", call_id),
            ("name", self.name.as_str().into()),
            ("value", self.value.clone()),
            ("is_error", self.is_error.into()),
        ];
        model("ToolCallResult", members)
    }

    /// The results together: a `ToolCallResults`.
    pub fn to_results(results: &[Self]) -> Value {
        let list = Value::List(results.iter().map(Self::to_value).collect());
        model("ToolCallResults", [("tool_call_results", list)])
    }
}

/// An instance of one of DSPy's own models.
fn model<const N: usize>(name: &str, members: [(&str, Value); N]) -> Value {
    let ty = ModelType { name: name.to_owned(), doc: None, extra: None, typed_dict: false, fields: Vec::new() };
    Value::Model(Rc::new(ty), members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
}

/// A `dspy.ToolCalls` of calls in their plain form.
fn checked(calls: Vec<Value>) -> Result<Value> {
    validate(&Value::List(calls), &Type::Special(Special::ToolCalls)).map_err(|mismatch| {
        Error::new(ErrorKind::Protocol, mismatch.message)
            .with_hint("the model asked for a tool call of an unknown form: ask it again")
            .with_python_class("ValidationError")
    })
}

/// The attributes of a `dspy.ToolCalls`, or of a dict that looks like one.
pub(crate) fn attributes(value: &Value) -> Option<&Map> {
    match value {
        Value::Dict(map) if map.contains_key("tool_calls") => Some(map),
        Value::Custom(custom) => match custom.as_ref() {
            Custom::ToolCalls(map) => Some(map),
            _ => None,
        },
        _ => None,
    }
}

fn text(map: &Map, name: &str) -> Option<String> {
    map.get(name).and_then(Value::as_str).map(str::to_owned)
}
