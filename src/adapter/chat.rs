//! [`ChatAdapter`]: fields under `[[ ## name ## ]]` headers.

mod header;
mod parse;
mod stream;

pub(super) use header::{Header, Match, is_line_end};

use std::rc::Rc;

use serde_json::Value as Json;

use super::template::{self, Template};
use super::value::write_field_value;
use super::{Adapter, FieldStream, JsonAdapter};
use crate::error::Result;
use crate::example::Example;
use crate::lm::{Capabilities, Message};
use crate::python::strip;
use crate::signature::{Field, Signature, Special, Type};
use crate::value::{Map, Value};

/// DSPy's name of the adapter.
const NAME: &str = "ChatAdapter";

/// The adapter that DSPy uses unless told otherwise: each field stands under a header of its own.
///
/// ```
/// use lakelet::adapter::{Adapter, ChatAdapter};
/// use lakelet::lm::Content;
/// use lakelet::{Example, Signature};
///
/// let signature = Signature::parse("question -> answer")?;
/// let turns = ChatAdapter::default().turns(&signature, &Example::new().with("question", "2+2?"))?;
/// assert_eq!(
///     turns[0].content,
///     Content::Text(
///         "[[ ## question ## ]]\n2+2?\n\nRespond with the corresponding output fields, starting with the field \
///          `[[ ## answer ## ]]`, and then ending with the marker for `[[ ## completed ## ]]`."
///             .into()
///     )
/// );
/// # Ok::<(), lakelet::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatAdapter {
    /// Tools go to the endpoint as tools, and calls of earlier turns as calls, where the endpoint can take them.
    pub native_function_calling: bool,
    /// Whether the endpoint may ask for several calls at once; `None` leaves it to the endpoint.
    pub parallel_tool_calls: Option<bool>,
    /// A reply that cannot be read is asked for once more through the [`JsonAdapter`].
    pub json_fallback: bool,
}

impl Default for ChatAdapter {
    fn default() -> Self {
        Self { native_function_calling: false, parallel_tool_calls: None, json_fallback: true }
    }
}

impl Adapter for ChatAdapter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn native_function_calling(&self) -> bool {
        self.native_function_calling
    }

    fn parallel_tool_calls(&self) -> Option<bool> {
        self.parallel_tool_calls
    }

    fn fallback(&self) -> Option<Rc<dyn Adapter>> {
        self.json_fallback.then(|| json_like(self))
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

    /// Headers are asked for in words alone.
    fn response_format(&self, _signature: &Signature, _model: Capabilities) -> Result<Option<Json>> {
        Ok(None)
    }

    fn parse(&self, signature: &Signature, reply: &str) -> Result<Map> {
        parse::parse(signature, reply)
    }

    fn stream(&self, signature: &Signature) -> Box<dyn FieldStream> {
        Box::new(stream::ChatStream::new(signature))
    }
}

/// The [`JsonAdapter`] that takes the place of an adapter whose replies cannot be read.
pub(super) fn json_like(adapter: &dyn Adapter) -> Rc<dyn Adapter> {
    Rc::new(JsonAdapter {
        native_function_calling: adapter.native_function_calling(),
        parallel_tool_calls: adapter.parallel_tool_calls(),
    })
}

impl Template for ChatAdapter {
    fn native_function_calling(&self) -> bool {
        self.native_function_calling
    }

    fn write_structure(&self, out: &mut String, signature: &Signature) -> Result<()> {
        out.push_str(
            "All interactions will be structured in the following way, with the appropriate values filled in.",
        );
        out.push_str("\n\n");
        write_placeholders(out, signature.inputs())?;
        out.push_str("\n\n");
        write_placeholders(out, signature.outputs())?;
        out.push_str("\n\n");
        write_header(out, "completed");
        Ok(())
    }

    fn write_input(&self, out: &mut String, field: &Field, value: &Value) -> Result<()> {
        write_section(out, field, value)
    }

    fn write_reminder(&self, out: &mut String, outputs: &[&Field]) -> Result<()> {
        out.push_str("Respond with the corresponding output fields, starting with the field ");
        for (i, field) in outputs.iter().enumerate() {
            out.push_str(if i > 0 { ", then `" } else { "`" });
            write_header(out, &field.name);
            out.push('`');
            write_type_note(out, &field.ty);
        }
        out.push_str(", and then ending with the marker for `");
        write_header(out, "completed");
        out.push_str("`.");
        Ok(())
    }

    fn write_reply(&self, out: &mut String, outputs: &[&Field], values: &Map, missing: &Value) -> Result<()> {
        let mut sections = String::new();
        for field in outputs {
            template::push_blank_line(&mut sections);
            let value = values.get(&field.name).unwrap_or(missing);
            write_section(&mut sections, field, value).map_err(|error| error.at_field(&field.name))?;
        }
        out.push_str(strip(&sections));
        out.push_str("\n\n");
        write_header(out, "completed");
        out.push('\n');
        Ok(())
    }
}

/// `[[ ## name ## ]]`.
pub(super) fn write_header(out: &mut String, name: &str) {
    out.push_str("[[ ## ");
    out.push_str(name);
    out.push_str(" ## ]]");
}

/// A value under the header of its field.
pub(super) fn write_section(out: &mut String, field: &Field, value: &Value) -> Result<()> {
    write_header(out, &field.name);
    out.push('\n');
    write_field_value(out, &field.ty, value)
}

/// What each field looks like, under its header.
pub(super) fn write_placeholders<'a>(out: &mut String, fields: impl Iterator<Item = &'a Field>) -> Result<()> {
    let mut sections = String::new();
    for field in fields {
        template::push_blank_line(&mut sections);
        write_header(&mut sections, &field.name);
        sections.push('\n');
        sections.push_str(&field.placeholder()?);
    }
    out.push_str(strip(&sections));
    Ok(())
}

/// What a reminder says about the type of a field, unless it is `str`.
pub(super) fn write_type_note(out: &mut String, ty: &Type) {
    match ty {
        Type::Str => {}
        Type::Special(Special::ToolCalls) => {
            out.push_str(r#" (must be a JSON object like {"tool_calls": [{"name": "...", "args": {...}}]})"#);
        }
        _ => {
            out.push_str(" (must be formatted as a valid Python ");
            ty.write_annotation_name(out);
            out.push(')');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lm::Content;

    fn text(message: Option<&Message>) -> &str {
        match message.map(|message| &message.content) {
            Some(Content::Text(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_system_message_shows_fields_structure_and_task() {
        let signature = Signature::parse("context: list[str], question -> answer: str, score: int").unwrap();
        let prefix = ChatAdapter::default().prefix(&signature, &[]).unwrap();
        assert_eq!(
            text(prefix.first()),
            "Your input fields are:\n1. `context` (list[str]): \n2. `question` (str):\nYour output fields are:\n\
             1. `answer` (str): \n2. `score` (int):\nAll interactions will be structured in the following way, with the \
             appropriate values filled in.\n\n[[ ## context ## ]]\n{context}\n\n[[ ## question ## ]]\n{question}\n\n\
             [[ ## answer ## ]]\n{answer}\n\n[[ ## score ## ]]\n{score}        # note: the value you produce must be a \
             single int value\n\n[[ ## completed ## ]]\nIn adhering to this structure, your objective is: \n        \
             Given the fields `context`, `question`, produce the fields `answer`, `score`."
        );
    }

    #[test]
    fn the_reminder_names_every_type_but_str() {
        let signature =
            Signature::parse("q -> a: str, r: dspy.Reasoning, n: Optional[int], calls: dspy.ToolCalls").unwrap();
        let turns = ChatAdapter::default().turns(&signature, &Example::new()).unwrap();
        assert_eq!(
            text(turns.first()),
            "Respond with the corresponding output fields, starting with the field `[[ ## a ## ]]`, then \
             `[[ ## r ## ]]` (must be formatted as a valid Python str), then `[[ ## n ## ]]` (must be formatted as a \
             valid Python Union[int, NoneType]), then `[[ ## calls ## ]]` (must be a JSON object like \
             {\"tool_calls\": [{\"name\": \"...\", \"args\": {...}}]}), and then ending with the marker for \
             `[[ ## completed ## ]]`."
        );
    }

    #[test]
    fn a_signature_without_outputs_leaves_a_gap() {
        let signature = Signature::parse("q ->").unwrap();
        let prefix = ChatAdapter::default().prefix(&signature, &[]).unwrap();
        assert!(text(prefix.first()).contains("{q}\n\n\n\n[[ ## completed ## ]]\n"));
    }
}
