//! A chat request in the form of the responses API, as DSPy 3.4.1 turns one into the other.

use serde_json::{Map, Value as Json, json};

/// Turns the body of a chat-completions request into one for the responses API, which some agents and models on Databricks
/// speak alone. What the two have in common stays.
///
/// ```
/// use lakelet::lm::to_responses;
/// use serde_json::json;
/// let chat = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9});
/// let body = to_responses(chat.as_object().cloned().unwrap_or_default());
/// let input = json!([{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]);
/// assert_eq!(json!(body), json!({"model": "m", "input": input, "max_output_tokens": 9}));
/// ```
pub fn to_responses(mut body: Map<String, Json>) -> Map<String, Json> {
    let messages = body.shift_remove("messages").unwrap_or_default();
    let mut input = Vec::new();
    array(&messages).iter().for_each(|message| push_items(message, &mut input));
    body.insert("input".to_owned(), Json::Array(input));

    let longest = if body.contains_key("max_tokens") { "max_tokens" } else { "max_completion_tokens" };
    let longest = body.shift_remove(longest);
    if let Some(longest) = longest.filter(|longest| !longest.is_null()) {
        body.insert("max_output_tokens".to_owned(), longest);
    }
    if let Some(effort) = body.shift_remove("reasoning_effort")
        && body.get("reasoning").is_none_or(Json::is_null)
    {
        body.insert("reasoning".to_owned(), json!({"effort": effort, "summary": "auto"}));
    }
    if let Some(Json::Array(tools)) = body.get_mut("tools") {
        tools.iter_mut().for_each(flatten_tool);
    }
    if let Some(choice) = body.get_mut("tool_choice")
        && let Some(function) = choice.get("function")
    {
        *choice = json!({"type": "function", "name": function.get("name")});
    }
    if let Some(format) = body.shift_remove("response_format").filter(|format| !format.is_null()) {
        match body.entry("text").or_insert_with(|| json!({})) {
            Json::Object(text) => _ = text.insert("format".to_owned(), format),
            other => *other = json!({ "format": format }),
        }
    }
    for name in ["temperature", "top_p", "n", "logprobs", "reasoning", "tool_choice"] {
        if body.get(name).is_some_and(Json::is_null) {
            body.shift_remove(name);
        }
    }
    if body.get("stop").is_some_and(|stop| stop.is_null() || *stop == "" || stop.as_array().is_some_and(Vec::is_empty))
    {
        body.shift_remove("stop");
    }
    body
}

/// The items that a message becomes: itself, and one for each call in it.
fn push_items(message: &Json, input: &mut Vec<Json>) {
    let role = message.get("role").and_then(Json::as_str).unwrap_or_default();
    let content = message.get("content").unwrap_or(&Json::Null);
    if role == "tool" {
        let mut item = json!({"type": "function_call_output", "output": all_text(content)});
        copy(message, "tool_call_id", &mut item, "call_id");
        input.push(item);
        return;
    }
    let calls = message.get("tool_calls").map_or(&[][..], array);
    let blocks = blocks(content, if role == "assistant" { "output_text" } else { "input_text" });
    if !blocks.is_empty() || role != "assistant" || calls.is_empty() {
        let mut item = json!({"role": role, "content": blocks});
        copy(message, "name", &mut item, "name");
        input.push(item);
    }
    for call in calls.iter().filter(|_| role == "assistant") {
        let function = call.get("function").filter(|function| !function.is_null()).unwrap_or(call);
        let text = |name: &str, absent: &str| function.get(name).cloned().unwrap_or_else(|| absent.into());
        let mut item = json!({"type": "function_call", "name": text("name", ""), "arguments": text("arguments", "{}")});
        let id = if call.get("call_id").is_some_and(|id| !id.is_null()) { "call_id" } else { "id" };
        copy(call, id, &mut item, "call_id");
        input.push(item);
    }
}

fn blocks(content: &Json, text_type: &str) -> Vec<Json> {
    if let Json::String(text) = content {
        return vec![json!({"type": text_type, "text": text})];
    }
    let block = |block: &Json| match block.get("type").and_then(Json::as_str) {
        Some("text" | "input_text" | "output_text") => {
            json!({"type": text_type, "text": block.get("text").cloned().unwrap_or_else(|| "".into())})
        }
        Some("image_url") => {
            let image = block.get("image_url").unwrap_or(&Json::Null);
            let url = if image.is_object() { image.get("url").cloned() } else { Some(image.clone()) };
            let mut item = json!({"type": "input_image", "image_url": url.unwrap_or_else(|| "".into())});
            copy(image, "detail", &mut item, "detail");
            item
        }
        Some("file") => {
            let part = |name: &str| block.get("file").and_then(|file| file.get(name));
            json!({
                "type": "input_file",
                "file_data": part("file_data"), "filename": part("filename"), "file_id": part("file_id"),
            })
        }
        _ => block.clone(),
    };
    array(content).iter().map(block).collect()
}

/// The text of a tool's result.
fn all_text(content: &Json) -> String {
    match content {
        Json::String(text) => text.clone(),
        parts => array(parts).iter().filter_map(|part| part.get("text")?.as_str()).collect(),
    }
}

/// The function's members stand in the tool itself.
fn flatten_tool(tool: &mut Json) {
    let Json::Object(members) = tool else { return };
    if let Some(Json::Object(function)) = members.shift_remove("function") {
        members.insert("type".to_owned(), "function".into());
        members.extend(function);
    }
    if members.get("type").is_some_and(|ty| ty == "function") && members.get("description").is_some_and(Json::is_null) {
        members.shift_remove("description");
    }
}

fn copy(from: &Json, name: &str, into: &mut Json, to: &str) {
    if let (Some(value), Json::Object(into)) = (from.get(name).filter(|value| !value.is_null()), into) {
        into.insert(to.to_owned(), value.clone());
    }
}

fn array(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}
