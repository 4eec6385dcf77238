//! `repr` and `str` of DSPy's own types, as their Python classes define them (DSPy 3.4.1).

use std::fmt::Write;

use super::repr::{push_all, repr, str_of, write_dict, write_repr as write_value, write_str_repr};
use crate::value::{Custom, Map, Value};

/// Adds `name=value` for each attribute, as pydantic shows a model.
pub(super) fn write_attributes(out: &mut String, fields: &Map, between: &str) {
    for (i, (name, value)) in fields.iter().enumerate() {
        push_all(out, &[if i > 0 { between } else { "" }, name, "="]);
        write_value(out, value);
    }
}

pub(super) fn write_str(out: &mut String, custom: &Custom) {
    match custom {
        Custom::Reasoning(text) => out.push_str(text),
        Custom::Tool(tool) => write_tool_str(out, tool),
        Custom::ToolCalls(calls) => write_tool_calls(out, calls, " "),
        Custom::Code(_) | Custom::History(_) | Custom::Citations(_) => {
            // Pydantic's `str` is its `repr` without the class around it.
            let mut shown = String::new();
            write_repr(&mut shown, custom);
            let inner = shown.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
            out.push_str(inner.unwrap_or(&shown));
        }
        Custom::Media("Document", fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or("");
            out.push_str("Document(");
            if !text("title").is_empty() {
                push_all(out, &["'", text("title"), "': "]);
            }
            _ = write!(out, "{} chars)", text("data").chars().count());
        }
        Custom::Decision(decision, given) => write_attributes(out, &decision.attributes(given), " "),
        Custom::Media(..) | Custom::Example(..) => write_repr(out, custom),
    }
}

pub(super) fn write_repr(out: &mut String, custom: &Custom) {
    match custom {
        Custom::Reasoning(text) => write_str_repr(out, text),
        Custom::Code(code) => {
            out.push_str("Code(code=");
            write_str_repr(out, code);
            out.push(')');
        }
        Custom::Tool(tool) => {
            let plain = |name: &str| tool.get(name).map_or_else(|| "None".to_owned(), str_of);
            push_all(out, &["Tool(name=", &plain("name"), ", desc=", &plain("desc"), ", args=", &tool_args(tool), ")"]);
        }
        Custom::History(messages) => {
            out.push_str("History(messages=[");
            for (i, message) in messages.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_dict(out, message);
            }
            out.push_str("])");
        }
        Custom::ToolCalls(calls) => {
            out.push_str("ToolCalls(");
            write_tool_calls(out, calls, ", ");
            out.push(')');
        }
        Custom::Citations(citations) => {
            out.push_str("Citations(citations=");
            write_objects(out, "Citation", &CITATION, citations);
            out.push(')');
        }
        Custom::Decision(decision, given) => {
            push_all(out, &[decision.name(), "("]);
            write_attributes(out, &decision.attributes(given), ", ");
            out.push(')');
        }
        Custom::Example(fields, inputs) => {
            let shown = fields.iter().filter(|(name, _)| !name.starts_with("dspy_"));
            out.push_str("Example(");
            write_dict(out, &shown.map(|(name, value)| (name.clone(), value.clone())).collect());
            out.push_str(") (input_keys=");
            match inputs {
                Some(names) => write_value(out, &Value::Set(names.iter().map(|name| name.as_str().into()).collect())),
                None => out.push_str("None"),
            }
            out.push(')');
        }
        Custom::Media(class, fields) => write_media_repr(out, class, fields),
    }
}

/// The attributes of a citation, with what stands for those that are not given.
const CITATION: [(&str, &str); 7] = [
    ("type", "'char_location'"),
    ("cited_text", "None"),
    ("document_index", "None"),
    ("document_title", "None"),
    ("start_char_index", "None"),
    ("end_char_index", "None"),
    ("supported_text", "None"),
];

const TOOL_CALL: [(&str, &str); 3] = [("id", "None"), ("name", "None"), ("args", "{}")];

fn write_tool_calls(out: &mut String, calls: &Map, between: &str) {
    let items = match calls.get("tool_calls") {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    out.push_str("tool_calls=");
    write_objects(out, "ToolCall", &TOOL_CALL, items);
    push_all(out, &[between, "tool_call_results="]);
    write_value(out, calls.get("tool_call_results").unwrap_or(&Value::None));
}

/// A list of objects of one class, each given as a dict.
fn write_objects(out: &mut String, class: &str, attributes: &[(&str, &str)], items: &[Value]) {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        push_all(out, &[if i > 0 { ", " } else { "" }, class, "("]);
        for (i, (name, absent)) in attributes.iter().enumerate() {
            let given = match item {
                Value::Dict(fields) => fields.get(*name),
                _ => None,
            };
            push_all(out, &[if i > 0 { ", " } else { "" }, name, "="]);
            out.push_str(&given.map_or_else(|| (*absent).to_owned(), repr));
        }
        out.push(')');
    }
    out.push(']');
}

/// `Tool.__str__`: what prompts show of a tool.
fn write_tool_str(out: &mut String, tool: &Map) {
    let text = |name: &str| tool.get(name).and_then(Value::as_str).unwrap_or("");
    out.push_str(text("name"));
    match text("desc") {
        "" => out.push('.'),
        desc => push_all(out, &[", whose description is <desc>", &desc.replace('\n', "  "), "</desc>."]),
    }
    push_all(out, &[" It takes arguments ", &tool_args(tool), "."]);
}

fn tool_args(tool: &Map) -> String {
    match tool.get("args") {
        None | Some(Value::None) => "{}".to_owned(),
        Some(args) => repr(args),
    }
}

/// Media hide their data: a representation tells its size.
fn write_media_repr(out: &mut String, class: &str, fields: &Map) {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    match class {
        "Image" => {
            let url = text("url").unwrap_or("");
            match url.split_once("base64,") {
                Some((head, data)) => {
                    let kind = head.split(';').next().and_then(|head| head.rsplit('/').next()).unwrap_or("");
                    let length = data.split("base64,").next().unwrap_or("").chars().count();
                    _ = write!(out, "Image(url=data:image/{kind};base64,<IMAGE_BASE_64_ENCODED({length})>)");
                }
                None => push_all(out, &["Image(url='", url, "')"]),
            }
        }
        "Audio" => {
            let length = text("data").unwrap_or("").chars().count();
            let format = text("audio_format").unwrap_or("");
            _ = write!(out, "Audio(data=<AUDIO_BASE_64_ENCODED({length})>, audio_format='{format}')");
        }
        "File" => {
            let mut parts = Vec::new();
            if let Some(data) = text("file_data") {
                parts.push(match data.strip_prefix("data:") {
                    Some(uri) => {
                        let mime = uri.split([';', ':']).next().unwrap_or("");
                        let payload = data.split("base64,").nth(1).unwrap_or(data);
                        format!("file_data=<DATA_URI({mime}, {} chars)>", payload.chars().count())
                    }
                    None => format!("file_data=<DATA({} chars)>", data.chars().count()),
                });
            }
            parts.extend(text("file_id").map(|id| format!("file_id='{id}'")));
            parts.extend(text("filename").map(|name| format!("filename='{name}'")));
            push_all(out, &["File(", &parts.join(", "), ")"]);
        }
        _ => {
            const DOCUMENT: [(&str, &str); 4] =
                [("data", "''"), ("title", "None"), ("media_type", "'text/plain'"), ("context", "None")];
            push_all(out, &[class, "("]);
            for (i, (name, absent)) in DOCUMENT.iter().enumerate() {
                push_all(out, &[if i > 0 { ", " } else { "" }, name, "="]);
                out.push_str(&fields.get(*name).map_or_else(|| (*absent).to_owned(), repr));
            }
            out.push(')');
        }
    }
}
