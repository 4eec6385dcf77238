//! A streamed answer, put together.

use std::rc::Rc;

use serde_json::{Map as JsonMap, Value as Json};

use super::{ChatResponse, Completion, Delta, Usage};

/// Collects the pieces of a streamed answer, until they are the answer that would have come whole.
#[derive(Debug, Default)]
pub struct Gathered {
    completion: Completion,
    /// The `index` of each tool call so far.
    indices: Vec<u64>,
    usage: Usage,
    reported: JsonMap<String, Json>,
    model: String,
    answered_by: Option<Rc<str>>,
}

impl Gathered {
    /// Takes the next piece.
    pub fn push(&mut self, delta: &Delta) {
        if delta.begins_anew {
            *self = Self::default();
        }
        let completion = &mut self.completion;
        for (place, piece) in [(&mut completion.text, &delta.text), (&mut completion.reasoning, &delta.reasoning)] {
            if !piece.is_empty() {
                place.get_or_insert_default().push_str(piece);
            }
        }
        completion.citations.extend_from_slice(&delta.citations);
        if delta.finish_reason.is_some() {
            completion.finish_reason.clone_from(&delta.finish_reason);
        }
        self.usage = delta.usage.unwrap_or(self.usage);
        if !delta.reported.is_empty() {
            self.reported.clone_from(&delta.reported);
        }
        if let Some(model) = &delta.model {
            self.model.clone_from(model);
        }
        if delta.answered_by.is_some() {
            self.answered_by.clone_from(&delta.answered_by);
        }
        delta.tool_calls.iter().for_each(|piece| self.push_call(piece));
    }

    /// The first piece of a call has its id and name; the others of the same `index` add to its arguments.
    fn push_call(&mut self, piece: &Json) {
        let index = piece.get("index").and_then(Json::as_u64).unwrap_or(self.indices.len() as u64);
        let calls = &mut self.completion.tool_calls;
        let Some(call) = self.indices.iter().position(|known| *known == index).and_then(|at| calls.get_mut(at)) else {
            let mut call = piece.clone();
            if let Json::Object(members) = &mut call {
                members.shift_remove("index");
            }
            self.indices.push(index);
            calls.push(call);
            return;
        };
        let more = piece.pointer("/function/arguments").and_then(Json::as_str).unwrap_or_default();
        match call.pointer_mut("/function/arguments") {
            Some(Json::String(arguments)) => arguments.push_str(more),
            Some(arguments) => *arguments = more.into(),
            None => {
                if let Some(Json::Object(function)) = call.get_mut("function") {
                    function.insert("arguments".to_owned(), more.into());
                }
            }
        }
    }

    /// The answer.
    pub fn finish(self) -> ChatResponse {
        ChatResponse {
            completions: vec![self.completion],
            model: self.model,
            answered_by: self.answered_by,
            usage: self.usage,
            reported: self.reported,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pieces_of_tool_calls_are_joined_by_their_index() {
        let mut gathered = Gathered::default();
        let pieces = [
            json!({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}),
            json!({"index": 1, "id": "b", "type": "function", "function": {"name": "g"}}),
            json!({"index": 0, "function": {"arguments": "{\"x\":"}}),
            json!({"index": 1, "function": {"arguments": "{}"}}),
            json!({"index": 0, "function": {"arguments": " 1}"}}),
        ];
        for piece in pieces {
            gathered.push(&Delta { tool_calls: vec![piece], ..Delta::default() });
        }
        let completion = gathered.finish().completions.remove(0);
        assert_eq!(
            completion.tool_calls,
            [
                json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}}),
                json!({"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}),
            ]
        );
        assert_eq!((completion.text, completion.reasoning), (None, None));
    }
}
