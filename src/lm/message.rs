//! Messages, and their JSON text.
use std::rc::Rc;

use serde_json::Value as Json;

use crate::json;

/// One message of a chat, in the form of the chat-completions API.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: &'static str,
    pub content: Content,
    /// Members beside `role` and `content` (`tool_calls`, `tool_call_id`, `name`), in order.
    pub extra: serde_json::Map<String, Json>,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Text(String),
    /// Content parts (`{"type": "text", ...}`, `{"type": "image_url", ...}`).
    Parts(Vec<Json>),
    /// No text: an assistant message that only calls tools.
    Null,
}

impl Message {
    /// A message that is text.
    pub fn text(role: &'static str, text: impl Into<String>) -> Self {
        Self { role, content: Content::Text(text.into()), extra: serde_json::Map::new() }
    }

    /// Adds the message as a JSON object.
    ///
    /// ```
    /// use lakelet::lm::Message;
    /// let mut out = String::new();
    /// Message::text("user", "Where?\n").write_json(&mut out);
    /// assert_eq!(out, r#"{"role":"user","content":"Where?\n"}"#);
    /// ```
    pub fn write_json(&self, out: &mut String) {
        out.push_str("{\"role\":");
        json::write_str(out, self.role);
        out.push_str(",\"content\":");
        match &self.content {
            Content::Text(text) => json::write_str(out, text),
            Content::Parts(parts) => {
                out.push('[');
                for (i, part) in parts.iter().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    json::write(out, part);
                }
                out.push(']');
            }
            Content::Null => out.push_str("null"),
        }
        for (name, value) in &self.extra {
            out.push(',');
            json::write_str(out, name);
            out.push(':');
            json::write(out, value);
        }
        out.push('}');
    }
}

/// Adds messages as JSON objects joined by commas, the form that [`Prompt`] keeps.
pub fn write_messages(messages: &[Message], out: &mut String) {
    for (i, message) in messages.iter().enumerate() {
        out.push_str(if i > 0 { "," } else { "" });
        message.write_json(out);
    }
}

/// The messages of one call as JSON text: what stays the same between calls of a program is rendered once and shared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompt {
    /// System message and demos, each a JSON object, joined by commas.
    pub prefix: Rc<str>,
    /// History turns and the current user message, likewise.
    pub tail: String,
}

impl Prompt {
    /// Adds the array of all messages: the value of `messages` in a request.
    ///
    /// ```
    /// use lakelet::lm::{Message, Prompt, write_messages};
    /// let mut tail = String::new();
    /// write_messages(&[Message::text("user", "Hi")], &mut tail);
    /// let prompt = Prompt { prefix: r#"{"role":"system","content":"Answer."}"#.into(), tail };
    /// let mut out = String::new();
    /// prompt.write_json(&mut out);
    /// assert_eq!(out, r#"[{"role":"system","content":"Answer."},{"role":"user","content":"Hi"}]"#);
    /// ```
    pub fn write_json(&self, out: &mut String) {
        out.reserve(self.prefix.len() + self.tail.len() + 3);
        out.push('[');
        out.push_str(&self.prefix);
        if !self.prefix.is_empty() && !self.tail.is_empty() {
            out.push(',');
        }
        out.push_str(&self.tail);
        out.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_content_is_valid_json() {
        let mut calls = Message { content: Content::Null, ..Message::text("assistant", "") };
        calls.extra.insert("tool_calls".into(), serde_json::json!([{"id": "a\"b"}]));
        let parts = Content::Parts(vec![serde_json::json!({"type": "text", "text": "é\u{2028}\\"}), Json::Null]);
        let parts = Message { content: parts, ..Message::text("user", "") };
        let mut out = String::new();
        write_messages(&[calls, parts], &mut out);
        let prompt = Prompt { prefix: out.as_str().into(), tail: String::new() };
        out.clear();
        prompt.write_json(&mut out);
        let read: Json = serde_json::from_str(&out).unwrap();
        assert_eq!(
            read,
            serde_json::json!([
                {"role": "assistant", "content": null, "tool_calls": [{"id": "a\"b"}]},
                {"role": "user", "content": [{"type": "text", "text": "é\u{2028}\\"}, null]},
            ])
        );
    }

    #[test]
    fn a_prompt_may_lack_either_half() {
        for (prefix, tail, expected) in [("", "", "[]"), ("1", "", "[1]"), ("", "2", "[2]"), ("1", "2", "[1,2]")] {
            let mut out = String::new();
            Prompt { prefix: prefix.into(), tail: tail.into() }.write_json(&mut out);
            assert_eq!(out, expected);
        }
    }
}
