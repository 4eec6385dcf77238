//! Content parts: images, sounds, files and documents inside a prompt.
//!
//! DSPy's adapters make text, so a part travels as JSON between two markers, and a user message that holds a marker is
//! split into parts at the end (DSPy 3.4.1, `dspy/adapters/types` and `_legacy_type_markers.py`). Text of a user that
//! holds the markers is split as well: see [`defang`](super::defang).

use serde_json::Value as Json;

use super::jsonable::{JsonStyle, write_json};
use crate::json;
use crate::json_repair;
use crate::lm::{Content, Message};
use crate::python::{str_of, strip};
use crate::value::{Custom, Map, Value};

/// Opens the JSON of content parts inside a text.
pub const START: &str = "<<CUSTOM-TYPE-START-IDENTIFIER>>";
/// Closes it.
pub const END: &str = "<<CUSTOM-TYPE-END-IDENTIFIER>>";

/// The text that stands for the content parts of a value until the message is split; empty for a type that has none.
pub(super) fn marked(custom: &Custom) -> String {
    let parts = match custom {
        Custom::Media(class, attributes) => vec![part(class, attributes)],
        Custom::Citations(given) => given.iter().map(citation).collect(),
        _ => return String::new(),
    };
    let mut out = START.to_owned();
    write_json(&mut out, &Value::List(parts), JsonStyle::OneLine);
    out.push_str(END);
    out
}

/// The content part of a `dspy.Image`, `Audio`, `File` or `Document`.
fn part(class: &str, attributes: &Map) -> Value {
    let text = |name: &str| attributes.get(name).and_then(Value::as_str).unwrap_or("");
    match class {
        "Image" => dict([("type", "image_url".into()), ("image_url", dict([("url", strip(text("url")).into())]))]),
        "Audio" => dict([
            ("type", "input_audio".into()),
            ("input_audio", dict([("data", text("data").into()), ("format", text("audio_format").into())])),
        ]),
        "File" => {
            let given = ["file_data", "file_id", "filename"].map(|name| (name, strip(text(name))));
            let given = given.into_iter().filter(|(_, text)| !text.is_empty());
            dict([
                ("type", "file".into()),
                ("file", Value::Dict(given.map(|(name, text)| (name.to_owned(), text.into())).collect())),
            ])
        }
        _ => {
            let media_type = Some(text("media_type")).filter(|given| !given.is_empty()).unwrap_or("text/plain");
            let source = if media_type == "application/pdf" { "base64" } else { "text" };
            let mut part = Map::from_iter(members([
                ("type", class.to_ascii_lowercase().into()),
                (
                    "source",
                    dict([("type", source.into()), ("media_type", media_type.into()), ("data", text("data").into())]),
                ),
                ("citations", dict([("enabled", true.into())])),
            ]));
            for name in ["title", "context"] {
                if !text(name).is_empty() {
                    part.insert(name.to_owned(), text(name).into());
                }
            }
            Value::Dict(part)
        }
    }
}

/// The content part of one of `dspy.Citations`.
fn citation(citation: &Value) -> Value {
    let Value::Dict(given) = citation else { return citation.clone() };
    let of = |name: &str| given.get(name).cloned().unwrap_or(Value::None);
    let mut part = Map::from_iter(members([
        ("type", given.get("type").cloned().unwrap_or_else(|| "char_location".into())),
        ("cited_text", of("cited_text")),
        ("document_index", of("document_index")),
        ("start_char_index", of("start_char_index")),
        ("end_char_index", of("end_char_index")),
    ]));
    for name in ["document_title", "supported_text"] {
        if of(name).as_str().is_some_and(|text| !text.is_empty()) {
            part.insert(name.to_owned(), of(name));
        }
    }
    Value::Dict(part)
}

fn members<const N: usize>(members: [(&str, Value); N]) -> impl Iterator<Item = (String, Value)> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value))
}

fn dict<const N: usize>(given: [(&str, Value); N]) -> Value {
    Value::Dict(members(given).collect())
}

/// A user message of a text, which is split into parts where markers stand in it.
pub(super) fn user_message(text: String) -> Message {
    if !text.contains(START) {
        return Message::text("user", text);
    }
    Message { content: Content::Parts(split(&text)), ..Message::text("user", "") }
}

fn split(text: &str) -> Vec<Json> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, payload, after)) = next_marked(rest) {
        if !before.is_empty() {
            parts.push(text_part(before));
        }
        let payload = strip(payload);
        match read_payload(payload) {
            Some(blocks) => parts.extend(blocks),
            None => parts.push(text_part(payload)),
        }
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(text_part(rest));
    }
    parts
}

/// What stands before the first pair of markers, between them, and after them.
fn next_marked(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(START)?;
    let (payload, after) = rest.split_once(END)?;
    Some((before, payload, after))
}

fn text_part(text: &str) -> Json {
    serde_json::json!({ "type": "text", "text": text })
}

/// The parts in a payload: JSON, or JSON that was escaped once more because its marker stood inside a JSON string, or
/// what can be repaired to JSON. `None` when that is no list.
fn read_payload(payload: &str) -> Option<Vec<Json>> {
    let twice = || {
        let text = json::read(format!("\"{payload}\"")).ok()?;
        json::read(text.as_str()?).ok()
    };
    let read = json::read(payload).ok().or_else(twice);
    let read = read.map_or_else(|| json_repair::loads(payload), |json| Value::from(&json));
    let Value::List(items) = read else { return None };
    Some(items.iter().map(block).collect())
}

/// A dict is a part as it stands; anything else is shown as text.
fn block(item: &Value) -> Json {
    let Value::Dict(_) = item else { return text_part(&str_of(item)) };
    let mut text = String::new();
    write_json(&mut text, item, JsonStyle::OneLine);
    json::read(&text).unwrap_or(Json::String(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parts(text: &str) -> Content {
        user_message(text.replace("{", START).replace("}", END)).content
    }

    fn text(text: &str) -> Json {
        json!({ "type": "text", "text": text })
    }

    #[test]
    fn text_without_markers_stays_text() {
        assert_eq!(parts("a"), Content::Text("a".into()));
        assert_eq!(parts("a} b"), Content::Text(format!("a{END} b")));
    }

    #[test]
    fn the_text_around_parts_is_kept_to_the_byte() {
        assert_eq!(parts("x\n {[1]} y\n"), Content::Parts(vec![text("x\n "), text("1"), text(" y\n")]));
        assert_eq!(parts("{[1]}{[2]}"), Content::Parts(vec![text("1"), text("2")]));
        assert_eq!(parts("x {[]} y"), Content::Parts(vec![text("x "), text(" y")]));
        assert_eq!(parts("{a"), Content::Parts(vec![text(&format!("{START}a"))]));
        assert_eq!(parts("{[1]} {"), Content::Parts(vec![text("1"), text(&format!(" {START}"))]));
    }

    #[test]
    fn a_payload_is_a_list_of_parts_or_text() {
        assert_eq!(parts("{ }"), Content::Parts(vec![text("")]));
        assert_eq!(parts("{ not json\n}"), Content::Parts(vec![text("not json")]));
        assert_eq!(parts("{ 5 }"), Content::Parts(vec![text("5")]));
        assert_eq!(parts("{\"abc\"}"), Content::Parts(vec![text("\"abc\"")]));
        assert_eq!(parts("{['a', 1.50}"), Content::Parts(vec![text("a"), text("1.5")]));
        assert_eq!(
            parts("{[true, null, [1, \"x\"], \"a\", 1.0]}"),
            Content::Parts(["True", "None", "[1, 'x']", "a", "1.0"].map(text).into())
        );
    }

    #[test]
    fn parts_inside_a_json_string_are_read_as_well() {
        let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,\"\\é"}});
        let marked = format!("{START}[{image}]{END}");
        let nested = format!("[{}, {}]", Json::from(marked.as_str()), Json::from(marked.as_str()));
        let expected = vec![text("[\""), image.clone(), text("\", \""), image, text("\"]")];
        assert_eq!(user_message(nested).content, Content::Parts(expected));
    }
}
