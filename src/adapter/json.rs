//! [`JsonAdapter`]: inputs under headers, the reply as one JSON object.

mod parse;
mod stream;

use serde_json::{Value as Json, json};

use super::chat::{write_placeholders, write_section, write_type_note};
use super::jsonable::{JsonStyle, write_object};
use super::template::{self, Template};
use super::{Adapter, FieldStream};
use crate::error::Result;
use crate::example::Example;
use crate::lm::{Capabilities, Message};
use crate::signature::{Field, Signature, Special, Type, strict_schema};
use crate::value::{Map, Value};

/// DSPy's name of the adapter.
const NAME: &str = "JSONAdapter";

/// The adapter for endpoints that can be held to a JSON schema: DSPy's `JSONAdapter`.
///
/// ```
/// use lakelet::adapter::{Adapter, JsonAdapter};
/// use lakelet::lm::Content;
/// use lakelet::{Example, Signature};
///
/// let signature = Signature::parse("question -> answer")?;
/// let turns = JsonAdapter::default().turns(&signature, &Example::new().with("question", "2+2?"))?;
/// assert_eq!(
///     turns[0].content,
///     Content::Text(
///         "[[ ## question ## ]]\n2+2?\n\nRespond with a JSON object in the following order of fields: `answer`.".into()
///     )
/// );
/// # Ok::<(), lakelet::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonAdapter {
    /// Tools go to the endpoint as tools, and calls of earlier turns as calls, where the endpoint can take them.
    pub native_function_calling: bool,
    /// Whether the endpoint may ask for several calls at once; `None` leaves it to the endpoint.
    pub parallel_tool_calls: Option<bool>,
}

impl Default for JsonAdapter {
    fn default() -> Self {
        Self { native_function_calling: true, parallel_tool_calls: None }
    }
}

impl JsonAdapter {
    /// Reads a reply for an adapter that shares the format.
    pub(super) fn parse_for(&self, adapter: &'static str, signature: &Signature, reply: &str) -> Result<Map> {
        parse::parse(adapter, signature, reply)
    }
}

impl Adapter for JsonAdapter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn native_function_calling(&self) -> bool {
        self.native_function_calling
    }

    fn parallel_tool_calls(&self) -> Option<bool> {
        self.parallel_tool_calls
    }

    fn prefix(&self, signature: &Signature, demos: &[Example]) -> Result<Vec<Message>> {
        template::prefix(self, signature, demos)
    }

    fn turns(&self, signature: &Signature, inputs: &Example) -> Result<Vec<Message>> {
        template::turns(self, signature, inputs)
    }

    fn inputs_text(&self, values: &Map) -> Result<String> {
        template::inputs_text(self, values)
    }

    /// The schema of the outputs, or only that an object is wanted where the endpoint takes no schema or the outputs have none
    /// that says all keys.
    fn response_format(&self, signature: &Signature, model: Capabilities) -> Result<Option<Json>> {
        let calls_as_text = !self.native_function_calling
            && signature.outputs().any(|field| field.ty == Type::Special(Special::ToolCalls));
        if !model.json_object {
            return Ok(None);
        }
        let schema = (model.json_schema && !calls_as_text)
            .then(|| signature.response_schema(self.native_function_calling).and_then(|schema| strict_schema(&schema)))
            .and_then(Result::ok);
        Ok(match schema {
            Some(schema) => Some(json!({
                "type": "json_schema",
                "json_schema": { "name": "DSPyProgramOutputs", "schema": schema, "strict": true },
            })),
            None => Some(json!({ "type": "json_object" })),
        })
    }

    fn parse(&self, signature: &Signature, reply: &str) -> Result<Map> {
        self.parse_for(NAME, signature, reply)
    }

    fn stream(&self, signature: &Signature) -> Box<dyn FieldStream> {
        Box::new(stream::JsonStream::new(signature))
    }
}

impl Template for JsonAdapter {
    fn native_function_calling(&self) -> bool {
        self.native_function_calling
    }

    fn write_structure(&self, out: &mut String, signature: &Signature) -> Result<()> {
        out.push_str(
            "All interactions will be structured in the following way, with the appropriate values filled in.\n\n\
             Inputs will have the following structure:\n\n",
        );
        write_placeholders(out, signature.inputs())?;
        out.push_str("\n\nOutputs will be a JSON object with the following fields.\n\n");
        let placeholders = signature
            .outputs()
            .map(|field| Ok((field.name.as_str(), Value::Str(field.placeholder()?))))
            .collect::<Result<Vec<_>>>()?;
        write_object(out, placeholders.iter().map(|(name, value)| (*name, value)), JsonStyle::Indented);
        Ok(())
    }

    fn write_input(&self, out: &mut String, field: &Field, value: &Value) -> Result<()> {
        write_section(out, field, value)
    }

    fn write_reminder(&self, out: &mut String, outputs: &[&Field]) -> Result<()> {
        out.push_str("Respond with a JSON object in the following order of fields: ");
        for (i, field) in outputs.iter().enumerate() {
            out.push_str(if i > 0 { ", then `" } else { "`" });
            out.push_str(&field.name);
            out.push('`');
            write_type_note(out, &field.ty);
        }
        out.push('.');
        Ok(())
    }

    fn write_reply(&self, out: &mut String, outputs: &[&Field], values: &Map, missing: &Value) -> Result<()> {
        let value = |field: &&'_ Field| values.get(&field.name).unwrap_or(missing);
        write_object(out, outputs.iter().map(|field| (field.name.as_str(), value(field))), JsonStyle::Indented);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lm::Content;

    fn prefix(signature: &str, demos: &[Example]) -> Vec<String> {
        let signature = Signature::parse(signature).unwrap();
        let messages = JsonAdapter::default().prefix(&signature, demos).unwrap();
        let text = |message: Message| match message.content {
            Content::Text(text) => text,
            other => panic!("{other:?}"),
        };
        messages.into_iter().map(text).collect()
    }

    #[test]
    fn the_system_message_shows_the_reply_as_an_object() {
        let system = prefix("q -> a: str, ok: bool", &[]).remove(0);
        let structure = system.split_once("appropriate values filled in.\n\n").map_or("", |(_, rest)| rest);
        assert_eq!(
            structure,
            "Inputs will have the following structure:\n\n[[ ## q ## ]]\n{q}\n\nOutputs will be a JSON object with the \
             following fields.\n\n{\n  \"a\": \"{a}\",\n  \"ok\": \"{ok}        # note: the value you produce must be \
             True or False\"\n}\nIn adhering to this structure, your objective is: \n        Given the fields `q`, \
             produce the fields `a`, `ok`."
        );
        assert!(prefix("q ->", &[]).remove(0).contains("following fields.\n\n{}\nIn adhering"));
    }

    #[test]
    fn a_reply_is_indented_json_of_the_values_as_they_are() {
        let nested = Value::Dict(Map::from_iter([("k".to_owned(), Value::List(vec![1.into(), Value::List(vec![])]))]));
        let demo =
            Example::new().with("q", "1").with("a", Value::List(vec!["é".into(), Value::None])).with("b", nested);
        assert_eq!(
            prefix("q -> a, b, c", &[demo])[2],
            "{\n  \"a\": [\n    \"é\",\n    null\n  ],\n  \"b\": {\n    \"k\": [\n      1,\n      []\n    ]\n  },\n  \
             \"c\": \"Not supplied for this particular example. \"\n}"
        );
    }

    #[test]
    fn the_response_format_is_the_strictest_that_endpoint_and_outputs_allow() {
        let none = Capabilities::default();
        let object = Capabilities { json_object: true, ..none };
        let schema = Capabilities { json_schema: true, ..object };
        let kind = |native_function_calling, signature, model| {
            let signature = Signature::parse(signature).unwrap();
            let format = JsonAdapter { native_function_calling, ..JsonAdapter::default() }
                .response_format(&signature, model)
                .unwrap()?;
            Some(format["type"].as_str().unwrap_or("").to_owned())
        };
        assert_eq!(kind(true, "q -> a", none), None);
        assert_eq!(kind(true, "q -> a", object).as_deref(), Some("json_object"));
        assert_eq!(kind(true, "q -> a", schema).as_deref(), Some("json_schema"));
        assert_eq!(kind(true, "q -> a: dict[str, int]", schema).as_deref(), Some("json_object"));
        assert_eq!(kind(true, "q -> a: dspy.ToolCalls", schema).as_deref(), Some("json_schema"));
        assert_eq!(kind(false, "q -> a: dspy.ToolCalls", schema).as_deref(), Some("json_object"));

        let format = JsonAdapter::default().response_format(&Signature::parse("q -> n: int").unwrap(), schema).unwrap();
        assert_eq!(
            format.map(|format| format["json_schema"].clone()),
            Some(json!({
                "name": "DSPyProgramOutputs",
                "strict": true,
                "schema": {
                    "type": "object",
                    "title": "DSPyProgramOutputs",
                    "properties": { "n": { "title": "N", "type": "integer" } },
                    "required": ["n"],
                    "additionalProperties": false,
                },
            }))
        );
    }

    #[test]
    fn a_reply_that_has_no_json_form_is_a_json_string() {
        let demo = Example::new().with("q", "1").with("a", Value::Bytes(vec![0xff]));
        assert_eq!(prefix("q -> a", &[demo])[2], r#""{'a': b'\\xff'}""#);
    }
}
