//! Fields as system messages describe them.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::types::{Special, Type};
use super::{Field, Io, Signature};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::python::{float_repr, str_of, strip, write_str};
use crate::sort::sort_by;

impl Signature {
    /// The numbered list of fields in a system message: name, type and description of each, as
    /// `get_field_description_string` of DSPy 3.4.1 writes it.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), for `dspy.Code[...]`, which DSPy cannot describe.
    ///
    /// ```
    /// use lakelet::Signature;
    /// # fn main() -> lakelet::Result<()> {
    /// let signature = Signature::parse("question, context: list[str] -> answer")?;
    /// assert_eq!(signature.describe(signature.inputs())?, "1. `question` (str): \n2. `context` (list[str]):");
    /// # Ok(()) }
    /// ```
    pub fn describe<'a>(&self, fields: impl Iterator<Item = &'a Field>) -> Result<String> {
        let mut text = String::new();
        for (i, field) in fields.enumerate() {
            if i > 0 {
                text.push('\n');
            }
            text.push_str(&(i + 1).to_string());
            text.push_str(". `");
            text.push_str(&field.name);
            text.push_str("` (");
            field.ty.write_annotation_name(&mut text);
            text.push_str("): ");
            if !field.has_default_desc() {
                text.push_str(&field.desc);
            }
            field.ty.write_descriptions(&mut text)?;
            if let Some(constraints) = field.constraints.as_deref().filter(|constraints| !constraints.is_empty()) {
                text.push_str("\nConstraints: ");
                text.push_str(constraints);
            }
        }
        let stripped = strip(&text);
        Ok(if stripped.len() == text.len() { text } else { stripped.to_owned() })
    }
}

impl Field {
    /// What stands for a field's value in a system message: `{answer}`, and for an output a note on what is wanted, as
    /// `translate_field_type` of DSPy 3.4.1 writes it.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when the type has no JSON Schema.
    ///
    /// ```
    /// use lakelet::Signature;
    /// # fn main() -> lakelet::Result<()> {
    /// let signature = Signature::parse("question -> done: bool")?;
    /// let note = "{done}        # note: the value you produce must be True or False";
    /// assert_eq!(signature.fields[1].placeholder()?, note);
    /// # Ok(()) }
    /// ```
    pub fn placeholder(&self) -> Result<String> {
        let mut text = ["{", &self.name, "}"].concat();
        if self.io == Io::Output {
            write_note(&mut text, &self.ty)?;
        }
        Ok(text)
    }

    /// Whether anything was said about the field.
    pub(crate) fn has_desc(&self) -> bool {
        !self.has_default_desc() && !strip(&self.desc).is_empty()
    }

    /// Whether nothing was said about the field, so that its description is `${name}`.
    fn has_default_desc(&self) -> bool {
        self.desc.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) == Some(&self.name)
    }
}

fn write_note(text: &mut String, ty: &Type) -> Result<()> {
    const NOTE: &str = "        # note: the value you produce ";
    match ty {
        Type::Str | Type::Special(Special::Reasoning | Special::Code(None)) => return Ok(()),
        Type::Special(Special::Code(Some(_))) => return Err(no_language()),
        Type::Bool => text.extend([NOTE, "must be True or False"]),
        Type::Int => text.extend([NOTE, "must be a single int value"]),
        Type::Float => text.extend([NOTE, "must be a single float value"]),
        Type::Enum(ty) => {
            text.extend([NOTE, "must be one of: "]);
            // A second name of a value is no choice of its own.
            let mut values: Vec<String> = Vec::new();
            for (_, value) in &ty.members {
                let text = str_of(value);
                if !values.contains(&text) {
                    values.push(text);
                }
            }
            for (i, value) in values.iter().enumerate() {
                text.extend([if i > 0 { "; " } else { "" }, value]);
            }
        }
        Type::Literal(values) => {
            text.extend([NOTE, "must exactly match (no extra characters) one of: "]);
            for (i, value) in values.iter().enumerate() {
                text.push_str(if i > 0 { "; " } else { "" });
                write_str(text, value);
            }
        }
        _ => {
            let schema = ty.json_schema()?;
            text.extend([NOTE, "must adhere to the JSON schema: "]);
            write_type_first(text, &schema);
        }
    }
    Ok(())
}

impl Type {
    /// The JSON Schema as prompts show it: on one line, `type` in front and the other keys in alphabetical order.
    ///
    /// # Errors
    /// As [`Type::json_schema`].
    ///
    /// ```
    /// use lakelet::signature::{Type, Types};
    /// # fn main() -> lakelet::Result<()> {
    /// let schema = Type::parse("set[str]", &Types::new())?.schema_text()?;
    /// assert_eq!(schema, r#"{"type": "array", "items": {"type": "string"}, "uniqueItems": true}"#);
    /// # Ok(()) }
    /// ```
    pub fn schema_text(&self) -> Result<String> {
        let mut text = String::new();
        write_type_first(&mut text, &self.json_schema()?);
        Ok(text)
    }

    /// Adds the description of each of DSPy's own types in the type, at any depth.
    fn write_descriptions(&self, text: &mut String) -> Result<()> {
        match self {
            Self::Special(special) => {
                let description = special.description()?;
                if !description.is_empty() {
                    text.extend(["\n    Type description of ", special.name(), ": ", &description]);
                }
                Ok(())
            }
            Self::List(Some(item)) | Self::Set(Some(item)) | Self::FrozenSet(Some(item)) | Self::TupleOf(item) => {
                item.write_descriptions(text)
            }
            Self::Dict(Some(pair)) => {
                pair.0.write_descriptions(text)?;
                pair.1.write_descriptions(text)
            }
            Self::Tuple(Some(items)) | Self::Union(items) => {
                items.iter().try_for_each(|item| item.write_descriptions(text))
            }
            Self::Alias(alias) => alias.1.write_descriptions(text),
            _ => Ok(()),
        }
    }
}

impl Special {
    /// What DSPy 3.4.1 tells a model about the type; often nothing.
    fn description(&self) -> Result<Cow<'static, str>> {
        Ok(Cow::Borrowed(match self {
            Self::Code(None) => {
                "Code represented in a string, specified in the `code` field. If this is an output field, the code field \
                 should follow the markdown code block format, e.g. \n```python\n{code}\n```\nProgramming language: python"
            }
            Self::Code(Some(_)) => return Err(no_language()),
            Self::ToolCalls => {
                "Tool calls must be a JSON object with `tool_calls`, a list of calls. Each call must include `name` and \
                 `args`. Example: {\"tool_calls\": [{\"name\": \"search\", \"args\": {\"query\": \"cats\"}}]}"
            }
            Self::Citations => {
                "Citations with quoted text and source references. Include the exact text being cited and information \
                 about its source."
            }
            Self::Document => {
                "A document containing text content that can be referenced and cited. Include the full text content and \
                 optionally a title for proper referencing."
            }
            Self::Decision(decision) => return Ok(Cow::Owned(decision.description())),
            _ => "",
        }))
    }
}

/// In a signature string DSPy 3.4.1 makes a type of `dspy.Code["java"]` that it then fails to describe.
fn no_language() -> Error {
    Error::new(ErrorKind::Signature, "`dspy.Code[...]` with a language cannot be described")
        .with_hint("Use `dspy.Code`, and name the language in the field's description.")
        .with_python_class("AttributeError")
}

/// Adds JSON on one line, as `json.dumps(ensure_ascii=False)` writes it, with `type` in front of the sorted other keys.
fn write_type_first(out: &mut String, schema: &Json) {
    match schema {
        Json::Object(map) => {
            let mut entries: Vec<(&String, &Json)> = map.iter().collect();
            sort_by(&mut entries, |(a, _), (b, _)| (*a != "type", a).cmp(&(*b != "type", b)));
            out.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                json::write_str(out, key);
                out.push_str(": ");
                write_type_first(out, value);
            }
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_type_first(out, item);
            }
            out.push(']');
        }
        Json::String(text) => json::write_str(out, text),
        Json::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => out.push_str(&float_repr(float)),
            None => out.push_str(&number.to_string()),
        },
        Json::Bool(_) | Json::Null => out.push_str(&json::text(schema)),
    }
}
