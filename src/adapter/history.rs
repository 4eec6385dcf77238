//! Earlier turns of a conversation, from an input of type `dspy.History`.

use serde_json::Value as Json;

use super::jsonable::{JsonStyle, write_json};
use super::media;
use super::template::{Reminder, Shown, Template, user_text};
use crate::coerce::validate;
use crate::error::{Error, ErrorKind, Result};
use crate::lm::{Content, Message};
use crate::signature::{Field, Special, Type};
use crate::tool::{self, ToolCall, ToolResult};
use crate::value::{Custom, Map, Value};

/// Whether the field holds the history. DSPy takes the first such input, and only if its type is `History` itself.
pub(super) fn is_history(field: &Field) -> bool {
    field.ty == Type::Special(Special::History)
}

/// Adds the messages of the earlier turns. `shown` has no history field.
pub(super) fn push_turns(
    messages: &mut Vec<Message>,
    template: &impl Template,
    shown: &Shown,
    field: &Field,
    history: &Value,
) -> Result<()> {
    let turns = match history {
        Value::Custom(custom) => match custom.as_ref() {
            Custom::History(turns) => Some(turns),
            _ => None,
        },
        _ => None,
    };
    let turns = turns.ok_or_else(|| {
        Error::new(ErrorKind::Input, "a `History` input must be a history")
            .at_field(&field.name)
            .with_hint("give the earlier turns as a history, or leave the input out when there are none")
            .with_python_class("AttributeError")
    })?;
    turns
        .iter()
        .try_for_each(|turn| push_turn(messages, template, shown, turn))
        .map_err(|error| error.at_field(&field.name))
}

fn push_turn(messages: &mut Vec<Message>, template: &impl Template, shown: &Shown, turn: &Map) -> Result<()> {
    let asked = shown.inputs.iter().any(|field| turn.contains_key(&field.name));
    let reminder = if asked { Reminder::With } else { Reminder::Without };
    let text = user_text(template, shown, turn, "", reminder)?;
    if !text.is_empty() {
        messages.push(media::user_message(text));
    }
    match ToolTurn::of(turn)? {
        Some(tools) if template.native_function_calling() => push_native(messages, template, shown, turn, &tools),
        tools => push_text(messages, template, shown, turn, tools),
    }
}

/// The reply of a turn as text, and the results of its tool calls as a message of the user.
fn push_text(
    messages: &mut Vec<Message>,
    template: &impl Template,
    shown: &Shown,
    turn: &Map,
    tools: Option<ToolTurn>,
) -> Result<()> {
    let mut reply = String::new();
    let Some(ToolTurn { field, calls, results: Some(results) }) = tools else {
        template.write_reply(&mut reply, &shown.outputs, turn, &Value::None)?;
        push_reply(messages, reply);
        return Ok(());
    };
    let calls = Value::List(calls.iter().map(ToolCall::to_value).collect());
    let mut without_results = turn.clone();
    without_results.insert(field.to_owned(), Value::Dict(Map::from_iter([("tool_calls".to_owned(), calls)])));
    template.write_reply(&mut reply, &shown.outputs, &without_results, &Value::None)?;
    push_reply(messages, reply);

    let mut text = String::new();
    let field = Field::input("tool_call_results", Type::Any);
    template.write_input(&mut text, &field, &ToolResult::to_results(&results))?;
    messages.push(media::user_message(text));
    Ok(())
}

/// A turn without outputs has a reply only where the format says so itself.
fn push_reply(messages: &mut Vec<Message>, reply: String) {
    if !reply.is_empty() {
        messages.push(Message::text("assistant", reply));
    }
}

/// The reply of a turn with its tool calls as the API has them, and a message for each result.
fn push_native(
    messages: &mut Vec<Message>,
    template: &impl Template,
    shown: &Shown,
    turn: &Map,
    tools: &ToolTurn,
) -> Result<()> {
    let given = |field: &&Field| turn.get(&field.name).is_some_and(|value| *value != Value::None);
    let is_text = |field: &&Field| field.ty != Type::Special(Special::ToolCalls) && given(field);
    let outputs: Vec<&Field> = shown.outputs.iter().copied().filter(is_text).collect();
    let mut reply = String::new();
    if !outputs.is_empty() {
        template.write_reply(&mut reply, &outputs, turn, &Value::None)?;
    }
    // An endpoint refuses calls without results and results without calls.
    let results = tools.results.as_deref().filter(|results| answers(results, &tools.calls));
    if !reply.is_empty() || results.is_some() {
        let content = if reply.is_empty() { Content::Null } else { Content::Text(reply) };
        let mut message = Message { content, ..Message::text("assistant", "") };
        if results.is_some() {
            let calls = tools.calls.iter().map(ToolCall::to_api).collect();
            message.extra.insert("tool_calls".to_owned(), Json::Array(calls));
        }
        messages.push(message);
    }
    messages.extend(results.into_iter().flatten().map(result_message));
    Ok(())
}

/// Whether each call has an id and the result at its place has the same.
fn answers(results: &[ToolResult], calls: &[ToolCall]) -> bool {
    let same = |(result, call): (&ToolResult, &ToolCall)| {
        call.id.as_ref().is_some_and(|id| !id.is_empty()) && result.call_id == call.id
    };
    results.len() == calls.len() && results.iter().zip(calls).all(same)
}

/// The tool calls of a turn, and their results.
struct ToolTurn<'a> {
    /// The name under which the turn holds the calls.
    field: &'a str,
    calls: Vec<ToolCall>,
    results: Option<Vec<ToolResult>>,
}

impl<'a> ToolTurn<'a> {
    /// The first value of the turn that holds tool calls.
    fn of(turn: &'a Map) -> Result<Option<Self>> {
        let held = turn.iter().find_map(|(name, value)| Some((name, tool::attributes(value)?)));
        let Some((field, held)) = held else { return Ok(None) };
        let read = validate(&Value::Dict(held.clone()), &Type::Special(Special::ToolCalls));
        let calls = read.ok().as_ref().and_then(ToolCall::all).ok_or_else(|| malformed("tool calls"))?;
        let results = match held.get("tool_call_results") {
            None | Some(Value::None) => None,
            Some(results) => Some(ToolResult::all(results).ok_or_else(|| malformed("tool call results"))?),
        };
        Ok(Some(Self { field, calls, results }))
    }
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::Input, format!("the history holds {what} of an unknown form"))
        .with_hint("a call has `name` and `args`, a result has `call_id`, `name` and `value`")
        .with_python_class("ValidationError")
}

/// The result as a message of the API.
fn result_message(result: &ToolResult) -> Message {
    let content = match &result.value {
        Value::Str(text) => text.clone(),
        value => {
            let mut out = String::new();
            write_json(&mut out, value, JsonStyle::OneLine);
            out
        }
    };
    let mut message = Message::text("tool", content);
    message.extra.insert("tool_call_id".to_owned(), result.call_id.as_deref().into());
    message.extra.insert("name".to_owned(), result.name.as_str().into());
    message
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::adapter::{Adapter, ChatAdapter, JsonAdapter, template};
    use crate::example::Example;
    use crate::lm::write_messages;
    use crate::signature::Signature;

    const NATIVE: ChatAdapter =
        ChatAdapter { native_function_calling: true, parallel_tool_calls: None, json_fallback: true };

    fn map(json: Json) -> Map {
        match Value::from(&json) {
            Value::Dict(map) => map,
            other => panic!("{other:?}"),
        }
    }

    /// The role and content of each message but the last, and what else it has.
    fn turns(adapter: &impl Template, turns: Json) -> Vec<Json> {
        let turns = turns.as_array().unwrap().iter().map(|turn| map(turn.clone())).collect();
        let inputs = Example::new().with("history", Value::Custom(Box::new(Custom::History(turns)))).with("q", "now");
        let signature = Signature::parse("history: dspy.History, q -> t: str, calls: dspy.ToolCalls").unwrap();
        let messages = template::turns(adapter, &signature, &inputs).unwrap();
        let mut text = String::new();
        write_messages(&messages, &mut text);
        let mut messages: Vec<Json> = serde_json::from_str(&format!("[{text}]")).unwrap();
        let now = messages.pop().unwrap();
        assert!(now["content"].as_str().unwrap().starts_with("[[ ## q ## ]]\nnow\n\nRespond with "));
        messages
    }

    fn roles(messages: &[Json]) -> Vec<&str> {
        messages.iter().filter_map(|message| message["role"].as_str()).collect()
    }

    #[test]
    fn a_turn_without_inputs_has_no_user_message() {
        let messages = turns(&ChatAdapter::default(), json!([{"t": " x "}, {"q": "1", "history": 5}, {}]));
        assert_eq!(roles(&messages), ["assistant", "user", "assistant", "assistant"]);
        assert_eq!(messages[0]["content"], "[[ ## t ## ]]\n x \n\n[[ ## calls ## ]]\nNone\n\n[[ ## completed ## ]]\n");
        let user = messages[1]["content"].as_str().unwrap();
        assert!(user.starts_with("[[ ## q ## ]]\n1\n\nRespond with "), "{user}");
    }

    #[test]
    fn as_text_results_follow_the_calls_as_a_message_of_the_user() {
        let calls = json!([{"id": "c", "name": "f", "args": {"x": "é"}}]);
        let results = json!([{"call_id": "c", "name": "f", "value": {"y": 1.0}}]);
        for results in [results.clone(), json!({ "tool_call_results": results.clone() }), results[0].clone()] {
            let turn = json!([{"t": "x", "calls": {"tool_calls": calls, "tool_call_results": results}}]);
            let messages = turns(&JsonAdapter { native_function_calling: false, ..JsonAdapter::default() }, turn);
            assert_eq!(roles(&messages), ["assistant", "user"]);
            let reply: Json = serde_json::from_str(messages[0]["content"].as_str().unwrap()).unwrap();
            assert_eq!(reply, json!({"t": "x", "calls": {"tool_calls": [{"name": "f", "args": {"x": "é"}}]}}));
            assert_eq!(
                messages[1]["content"],
                "[[ ## tool_call_results ## ]]\n{\"tool_call_results\": [{\"call_id\": \"c\", \"name\": \"f\", \
                 \"value\": {\"y\": 1.0}, \"is_error\": false}]}"
            );
        }
    }

    #[test]
    fn natively_calls_and_results_are_the_apis() {
        let turn = json!([{
            "q": "1",
            "t": null,
            "calls": {
                "tool_calls": [{"id": "c", "name": "f", "args": {"x": "é"}}, {"id": "d", "name": "g", "args": {}}],
                "tool_call_results": [
                    {"call_id": "c", "name": "f", "value": [null]},
                    {"call_id": "d", "name": "g", "value": "plain"},
                ],
            },
        }]);
        assert_eq!(
            turns(&NATIVE, turn)[1..],
            [
                json!({"role": "assistant", "content": null, "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"x\": \"é\"}"}},
                    {"id": "d", "type": "function", "function": {"name": "g", "arguments": "{}"}},
                ]}),
                json!({"role": "tool", "content": "[null]", "tool_call_id": "c", "name": "f"}),
                json!({"role": "tool", "content": "plain", "tool_call_id": "d", "name": "g"}),
            ]
        );
    }

    #[test]
    fn calls_in_the_form_of_the_api_are_read_too() {
        let api = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}});
        let results = json!([{"call_id": "c", "name": "f", "value": "v"}]);
        let messages = turns(&NATIVE, json!([{"calls": {"tool_calls": [api], "tool_call_results": results}}]));
        assert_eq!(messages[0]["tool_calls"], json!([api]));
    }

    #[test]
    fn natively_results_that_do_not_fit_the_calls_are_dropped() {
        for (call, result) in [(json!("c"), json!("d")), (json!(null), json!(null)), (json!(""), json!(""))] {
            let turn = json!([{"t": "x", "calls": {
                "tool_calls": [{"id": call, "name": "f", "args": {}}],
                "tool_call_results": [{"call_id": result, "name": "f", "value": 1}],
            }}]);
            let messages = turns(&NATIVE, turn);
            assert_eq!(
                messages,
                [json!({"role": "assistant", "content": "[[ ## t ## ]]\nx\n\n[[ ## completed ## ]]\n"})]
            );
        }
        let silent = json!([{"calls": {"tool_calls": [{"name": "f", "args": {}}]}}]);
        assert_eq!(turns(&NATIVE, silent), Vec::<Json>::new());
    }

    #[test]
    fn what_is_no_history_is_refused() {
        let signature = Signature::parse("history: dspy.History, q -> a").unwrap();
        for history in [Value::None, Value::List(vec![]), "x".into(), Value::Dict(Map::new())] {
            let error = NATIVE.turns(&signature, &Example::new().with("history", history)).unwrap_err();
            assert_eq!((error.field(), error.python_class()), (Some("history"), Some("AttributeError")));
        }
        for calls in [json!(5), json!([5]), json!([{"args": {}}])] {
            let turn = map(json!({"a": "x", "other": {"tool_calls": calls}}));
            let inputs = Example::new().with("history", Value::Custom(Box::new(Custom::History(vec![turn]))));
            assert_eq!(NATIVE.turns(&signature, &inputs).unwrap_err().python_class(), Some("ValidationError"));
        }
    }
}
