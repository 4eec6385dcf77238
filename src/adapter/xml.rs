//! [`XmlAdapter`]: every field is an element.

mod names;
mod nested;
mod parse;
mod reader;
mod schema;
mod stream;
mod tree;

use std::rc::Rc;

use serde_json::Value as Json;

use super::chat::json_like;
use super::jsonable::{JsonStyle, write_json};
use super::template::{self, Template};
use super::value::write_field_value;
use super::{Adapter, FieldStream};
use crate::error::Result;
use crate::example::Example;
use crate::json_repair;
use crate::lm::{Capabilities, Message};
use crate::python::strip;
use crate::signature::{Field, Signature, Type};
use crate::value::{Map, Value};
use nested::{is_nested, write_end, write_skeleton, write_text, write_value};

/// DSPy's name of the adapter.
const NAME: &str = "XMLAdapter";

/// The adapter for models that keep to XML best: DSPy's `XMLAdapter`.
///
/// ```
/// use lakelet::adapter::{Adapter, XmlAdapter};
/// use lakelet::lm::Content;
/// use lakelet::{Example, Signature};
///
/// let signature = Signature::parse("question -> answer, tags: list[str]")?;
/// let turns = XmlAdapter::default().turns(&signature, &Example::new().with("question", "2+2?"))?;
/// assert_eq!(
///     turns[0].content,
///     Content::Text(
///         "<question>\n2+2?\n</question>\n\nRespond with the corresponding output fields wrapped in XML tags `<answer>`, \
///          then `<tags>`. Use this nested XML structure: <tags><item>...</item></tags>"
///             .into()
///     )
/// );
/// # Ok::<(), lakelet::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XmlAdapter {
    /// Tools go to the endpoint as tools, and calls of earlier turns as calls, where the endpoint can take them.
    pub native_function_calling: bool,
    /// Whether the endpoint may ask for several calls at once; `None` leaves it to the endpoint.
    pub parallel_tool_calls: Option<bool>,
    /// A reply that cannot be read is asked for once more through the [`JsonAdapter`](super::JsonAdapter).
    pub json_fallback: bool,
}

impl Default for XmlAdapter {
    fn default() -> Self {
        Self { native_function_calling: false, parallel_tool_calls: None, json_fallback: true }
    }
}

impl XmlAdapter {
    /// Whether a value of the type stands in a reply as nested elements, not as text.
    pub fn nests(ty: &Type) -> bool {
        is_nested(ty)
    }

    /// What an element of that name looks like when it holds a value of the type, with `...` for every text.
    ///
    /// # Errors
    /// [`Signature`](crate::ErrorKind::Signature), when the type has no JSON Schema.
    pub fn skeleton(name: &str, ty: &Type) -> Result<String> {
        let mut out = String::new();
        write_skeleton(&mut out, name, ty)?;
        Ok(out)
    }
}

impl Adapter for XmlAdapter {
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

    /// Tags are asked for in words alone.
    fn response_format(&self, _signature: &Signature, _model: Capabilities) -> Result<Option<Json>> {
        Ok(None)
    }

    fn parse(&self, signature: &Signature, reply: &str) -> Result<Map> {
        parse::parse(signature, reply)
    }

    fn stream(&self, signature: &Signature) -> Box<dyn FieldStream> {
        Box::new(stream::XmlStream::new(signature))
    }
}

impl Template for XmlAdapter {
    fn native_function_calling(&self) -> bool {
        self.native_function_calling
    }

    fn write_structure(&self, out: &mut String, signature: &Signature) -> Result<()> {
        out.push_str(
            "All interactions will be structured in the following way, with the appropriate values filled in.\n\n",
        );
        for (i, field) in signature.inputs().enumerate() {
            out.push_str(if i > 0 { "\n\n" } else { "" });
            write_element(out, &field.name, &field.placeholder()?);
        }
        out.push_str("\n\n");
        for (i, field) in signature.outputs().enumerate() {
            out.push_str(if i > 0 { "\n\n" } else { "" });
            if is_nested(&field.ty) {
                write_skeleton(out, &field.name, &field.ty)?;
            } else {
                write_element(out, &field.name, &field.placeholder()?);
            }
        }
        Ok(())
    }

    fn write_input(&self, out: &mut String, field: &Field, value: &Value) -> Result<()> {
        let mut text = String::new();
        write_field_value(&mut text, &field.ty, value)?;
        write_element(out, &field.name, &text);
        Ok(())
    }

    fn write_reminder(&self, out: &mut String, outputs: &[&Field]) -> Result<()> {
        out.push_str("Respond with the corresponding output fields wrapped in XML tags ");
        for (i, field) in outputs.iter().enumerate() {
            out.push_str(if i > 0 { ", then `<" } else { "`<" });
            out.push_str(&field.name);
            out.push_str(">`");
        }
        out.push('.');
        for (i, field) in outputs.iter().filter(|field| is_nested(&field.ty)).enumerate() {
            out.push_str(if i > 0 { " " } else { " Use this nested XML structure: " });
            write_skeleton(out, &field.name, &field.ty)?;
        }
        Ok(())
    }

    fn write_reply(&self, out: &mut String, outputs: &[&Field], values: &Map, missing: &Value) -> Result<()> {
        let mut elements = String::new();
        for field in outputs {
            template::push_blank_line(&mut elements);
            let value = values.get(&field.name).unwrap_or(missing);
            write_output(&mut elements, field, value).map_err(|error| error.at_field(&field.name))?;
        }
        out.push_str(strip(&elements));
        Ok(())
    }
}

fn write_output(out: &mut String, field: &Field, value: &Value) -> Result<()> {
    if let Some(data) = is_nested(&field.ty).then(|| plain(value)).flatten() {
        write_value(out, &field.name, None, &data);
        return Ok(());
    }
    let mut text = String::new();
    write_field_value(&mut text, &field.ty, value)?;
    if field.ty == Type::Str {
        let shown = std::mem::take(&mut text);
        write_text(&mut text, &shown);
    }
    write_element(out, &field.name, &text);
    Ok(())
}

/// A list or dict as plain data, as JSON has it.
fn plain(value: &Value) -> Option<Value> {
    let mut json = String::new();
    write_json(&mut json, value, JsonStyle::OneLine);
    json_repair::valid(&json).filter(|data| matches!(data, Value::List(_) | Value::Dict(_)))
}

/// A field with its text on lines of its own.
fn write_element(out: &mut String, name: &str, text: &str) {
    out.push('<');
    out.push_str(name);
    out.push_str(">\n");
    out.push_str(text);
    out.push('\n');
    write_end(out, name);
}
