//! Values as nested elements, and types as the skeletons of them.

use serde_json::Value as Json;

use super::schema::{Schema, has_type};
use crate::error::Result;
use crate::python::{is_identifier, write_str};
use crate::signature::Type;
use crate::value::Value;

/// Whether a value of the type stands in a reply as elements, not as text.
pub(super) fn is_nested(ty: &Type) -> bool {
    match ty.unless_none() {
        Type::List(Some(item)) => !matches!(**item, Type::Special(_)),
        Type::Dict(Some(_)) | Type::Model(_) | Type::JsonSchema(_) => true,
        Type::Alias(alias) if alias.0.starts_with("list[") || alias.0.starts_with("dict[") => is_nested(&alias.1),
        _ => false,
    }
}

/// Adds plain data as an element. A `key` stands for a name that is none in XML.
pub(super) fn write_value(out: &mut String, tag: &str, key: Option<&str>, value: &Value) {
    out.push('<');
    out.push_str(tag);
    if let Some(key) = key {
        out.push_str(" key=");
        write_quoted(out, key);
    }
    match value {
        Value::None => return out.push_str(" />"),
        Value::List(items) if items.is_empty() => return out.push_str(" />"),
        _ => out.push('>'),
    }
    match value {
        Value::List(items) => items.iter().for_each(|item| write_value(out, "item", None, item)),
        Value::Dict(members) => {
            for (name, member) in members {
                if is_tag(name) {
                    write_value(out, name, None, member);
                } else {
                    write_value(out, "entry", Some(name), member);
                }
            }
        }
        Value::Str(text) => write_text(out, text),
        scalar => write_str(out, scalar),
    }
    write_end(out, tag);
}

/// Adds text with what would begin markup escaped.
pub(super) fn write_text(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            _ => out.push(c),
        }
    }
}

/// `</tag>`.
pub(super) fn write_end(out: &mut String, tag: &str) {
    out.push_str("</");
    out.push_str(tag);
    out.push('>');
}

/// Whether DSPy takes a key for a tag: an identifier of Python, in which `-` and `.` may stand too.
fn is_tag(name: &str) -> bool {
    let mut chars = name.chars();
    let first = chars.next();
    is_identifier(
        &first.into_iter().chain(chars.map(|c| if matches!(c, '-' | '.') { '_' } else { c })).collect::<String>(),
    )
}

/// Adds an attribute's value, in the quotes that need fewer escapes.
fn write_quoted(out: &mut String, value: &str) {
    let quote = if value.contains('"') && !value.contains('\'') { '\'' } else { '"' };
    out.push(quote);
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            '"' if quote == '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out.push(quote);
}

/// Adds what a field of the type looks like, with `...` for every text.
pub(super) fn write_skeleton(out: &mut String, tag: &str, ty: &Type) -> Result<()> {
    let schema = ty.schema_by_name()?;
    Skeleton { out, around: Vec::new() }.element(tag, Schema::whole(&schema));
    Ok(())
}

struct Skeleton<'a> {
    out: &'a mut String,
    /// The definitions that the element is in; one inside itself is cut short.
    around: Vec<&'a str>,
}

impl<'a> Skeleton<'a> {
    fn element(&mut self, tag: &str, schema: Schema<'a>) {
        if let Some(name) = schema.reference() {
            if self.around.contains(&name) {
                return self.write(tag, |skeleton| skeleton.out.push_str("..."));
            }
            self.around.push(name);
            self.element(tag, schema.resolved());
            self.around.pop();
        } else if let Some(choices) = schema.choices() {
            let choice = choices.iter().find(|choice| !has_type(choice, "null")).or(choices.first());
            self.element(tag, schema.with(choice.unwrap_or(&Json::Null)));
        } else if schema.has_type("array") {
            self.write(tag, |skeleton| skeleton.element("item", schema.items()));
        } else {
            let properties = schema.json.get("properties").and_then(Json::as_object);
            self.write(tag, |skeleton| match properties.filter(|properties| !properties.is_empty()) {
                Some(properties) => {
                    properties.iter().for_each(|(name, property)| skeleton.element(name, schema.with(property)));
                }
                None => skeleton.out.push_str("..."),
            });
        }
    }

    fn write(&mut self, tag: &str, inside: impl FnOnce(&mut Self)) {
        self.out.push('<');
        self.out.push_str(tag);
        self.out.push('>');
        inside(self);
        write_end(self.out, tag);
    }
}
