//! Values as JSON text, as DSPy makes it: pydantic's JSON mode (2.14) turns the value into plain data, and
//! `json.dumps(ensure_ascii=False)` writes that.

use serde_json::Value as Json;

use super::media;
use crate::json;
use crate::python::{float_repr, str_of, write_repr, write_str};
use crate::signature::{ModelType, Type};
use crate::value::{Custom, Map, Value};

/// How JSON text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonStyle {
    /// One line, with a space after `,` and `:`.
    OneLine,
    /// Python's `indent=2`.
    Indented,
    /// Indented like that, but as pydantic's `model_dump_json(by_alias=True)` writes: the aliases of fields, and no NaN.
    Model,
}

/// Pydantic has no JSON form for the value: bytes that are not UTF-8, or a key that is a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotJson;

/// Adds the JSON text of a value; of one that has no JSON form, the JSON string of Python's `str(value)`.
pub(crate) fn write_json(out: &mut String, value: &Value, style: JsonStyle) {
    let start = out.len();
    if (Writer { out, style, depth: 0 }).value(value, ANY).is_err() {
        out.truncate(start);
        json::write_str(out, &str_of(value));
    }
}

/// A value as JSON.
pub(crate) fn to_json(value: &Value) -> Json {
    let mut text = String::new();
    write_json(&mut text, value, JsonStyle::OneLine);
    json::read(&text).unwrap_or(Json::Null)
}

/// Adds the JSON text of the named values as one object.
pub(crate) fn write_object<'a>(
    out: &mut String,
    members: impl Iterator<Item = (&'a str, &'a Value)> + Clone,
    style: JsonStyle,
) {
    let start = out.len();
    let written = Writer { out, style, depth: 0 }.object(members.clone().map(|(name, value)| (name, value, ANY)));
    if written.is_err() {
        let whole = Value::Dict(members.map(|(name, value)| (name.to_owned(), value.clone())).collect());
        out.truncate(start);
        json::write_str(out, &str_of(&whole));
    }
}

/// Adds a value as prompts show it: containers as JSON, everything else as Python's `str` of its plain form.
pub(crate) fn write_text(out: &mut String, value: &Value) {
    let start = out.len();
    if write_plain(out, value).is_err() {
        out.truncate(start);
        write_str(out, value);
    }
}

fn write_plain(out: &mut String, value: &Value) -> Result<(), NotJson> {
    match value {
        Value::Str(text) | Value::Scalar(_, text) => out.push_str(text),
        Value::None | Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_) => write_repr(out, value),
        Value::Bytes(bytes) => out.push_str(std::str::from_utf8(bytes).map_err(|_| NotJson)?),
        Value::Enum(ty, member) => match ty.members.get(*member) {
            // A float that is no number is plain data on its own, but not as the value of a member.
            Some((_, Value::Float(number))) if !number.is_finite() => out.push_str("None"),
            Some((_, value)) => write_plain(out, value)?,
            None => out.push_str("None"),
        },
        Value::Custom(_) if let Some(text) = plain_text(value) => out.push_str(&text),
        _ => Writer { out, style: JsonStyle::OneLine, depth: 0 }.value(value, ANY)?,
    }
    Ok(())
}

/// The text of a value of those of DSPy's own types that are a text when they are made plain.
fn plain_text(value: &Value) -> Option<String> {
    let Value::Custom(custom) = value else { return None };
    match custom.as_ref() {
        Custom::Code(text) | Custom::Reasoning(text) => Some(text.clone()),
        Custom::Tool(_) | Custom::Example(..) => Some(str_of(value)),
        Custom::Media(..) | Custom::Citations(_) => Some(media::marked(custom)),
        Custom::History(_) | Custom::ToolCalls(_) | Custom::Decision(..) => None,
    }
}

/// Inside untyped containers.
const ANY: &Type = &Type::Any;

struct Writer<'a> {
    out: &'a mut String,
    style: JsonStyle,
    depth: usize,
}

impl Writer<'_> {
    /// Adds a value. Its type matters where a model declares one: a float field keeps what is not a number.
    fn value(&mut self, value: &Value, ty: &Type) -> Result<(), NotJson> {
        match value {
            Value::None => self.out.push_str("null"),
            Value::Bool(true) => self.out.push_str("true"),
            Value::Bool(false) => self.out.push_str("false"),
            Value::Int(_) | Value::BigInt(_) => write_repr(self.out, value),
            Value::Float(number) => self.float(*number, ty),
            Value::Str(text) | Value::Scalar(_, text) => json::write_str(self.out, text),
            Value::Bytes(bytes) => json::write_str(self.out, std::str::from_utf8(bytes).map_err(|_| NotJson)?),
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
                self.array(items.iter().enumerate().map(|(i, item)| (item, item_type(ty, i))))?;
            }
            Value::Dict(map) => {
                let inner = value_type(ty);
                self.object(map.iter().map(|(key, value)| (key.as_str(), value, inner)))?;
            }
            Value::MixedDict(pairs) => {
                // Keys that get the same text are one member: at the first place, with the last value.
                let mut members = Map::with_capacity(pairs.len());
                for (key, value) in pairs {
                    members.insert(key_text(key)?, value.clone());
                }
                let inner = value_type(ty);
                self.object(members.iter().map(|(key, value)| (key.as_str(), value, inner)))?;
            }
            Value::Enum(ty, member) => self.value(ty.members.get(*member).map_or(&Value::None, |m| &m.1), ANY)?,
            Value::Model(ty, fields) => self.model(ty, fields)?,
            Value::Custom(custom) => match plain_text(value) {
                Some(text) => json::write_str(self.out, &text),
                None => self.custom(custom)?,
            },
        }
        Ok(())
    }

    fn float(&mut self, number: f64, ty: &Type) {
        match number {
            _ if self.style == JsonStyle::Model => json::write(self.out, &number.into()),
            _ if number.is_finite() => self.out.push_str(&float_repr(number)),
            _ if !is_float(ty) => self.out.push_str("null"),
            f64::INFINITY => self.out.push_str("Infinity"),
            f64::NEG_INFINITY => self.out.push_str("-Infinity"),
            _ => self.out.push_str("NaN"),
        }
    }

    fn model(&mut self, ty: &ModelType, fields: &Map) -> Result<(), NotJson> {
        let by_alias = self.style == JsonStyle::Model;
        self.object(fields.iter().map(|(name, value)| match ty.fields.iter().find(|field| field.name == *name) {
            Some(field) => (field.alias.as_ref().filter(|_| by_alias).unwrap_or(name).as_str(), value, &field.ty),
            None => (name.as_str(), value, ANY),
        }))
    }

    fn custom(&mut self, custom: &Custom) -> Result<(), NotJson> {
        match custom {
            Custom::History(messages) => {
                let messages = Value::List(messages.iter().cloned().map(Value::Dict).collect());
                self.object([("messages", &messages, ANY)].into_iter())
            }
            Custom::ToolCalls(calls) => {
                let shown = Value::List(tool_calls(calls));
                let results = calls.get("tool_call_results").filter(|results| **results != Value::None);
                let members =
                    [Some(("tool_calls", &shown, ANY)), results.map(|results| ("tool_call_results", results, ANY))];
                self.object(members.into_iter().flatten())
            }
            // What is not known is not shown.
            Custom::Decision(decision, given) => {
                let mut attributes = decision.attributes(given);
                attributes.retain(|name, value| *value != Value::None || name == "value");
                self.object(attributes.iter().map(|(name, value)| (name.as_str(), value, ANY)))
            }
            _ => Ok(()),
        }
    }

    fn array<'a>(&mut self, items: impl Iterator<Item = (&'a Value, &'a Type)>) -> Result<(), NotJson> {
        self.items('[', items, ']', |writer, (value, ty)| writer.value(value, ty))
    }

    fn object<'a>(&mut self, members: impl Iterator<Item = (&'a str, &'a Value, &'a Type)>) -> Result<(), NotJson> {
        self.items('{', members, '}', |writer, (name, value, ty)| {
            json::write_str(writer.out, name);
            writer.out.push_str(": ");
            writer.value(value, ty)
        })
    }

    fn items<T>(
        &mut self,
        open: char,
        items: impl Iterator<Item = T>,
        close: char,
        write: impl Fn(&mut Self, T) -> Result<(), NotJson>,
    ) -> Result<(), NotJson> {
        self.out.push(open);
        self.depth += 1;
        let mut empty = true;
        for item in items {
            match self.style {
                JsonStyle::OneLine => self.out.push_str(if empty { "" } else { ", " }),
                JsonStyle::Indented | JsonStyle::Model => {
                    self.out.push_str(if empty { "" } else { "," });
                    self.new_line();
                }
            }
            empty = false;
            write(self, item)?;
        }
        self.depth -= 1;
        if self.style != JsonStyle::OneLine && !empty {
            self.new_line();
        }
        self.out.push(close);
        Ok(())
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        (0..self.depth).for_each(|_| self.out.push_str("  "));
    }
}

/// What prompts show of the calls: their names and arguments.
fn tool_calls(calls: &Map) -> Vec<Value> {
    let Some(Value::List(calls)) = calls.get("tool_calls") else { return Vec::new() };
    let shown = |call: &Value| match call {
        Value::Dict(call) => {
            let member = |name: &str| (name.to_owned(), call.get(name).cloned().unwrap_or(Value::None));
            Value::Dict(["name", "args"].map(member).into_iter().collect())
        }
        other => other.clone(),
    };
    calls.iter().map(shown).collect()
}

/// The text of a key, as pydantic writes it.
fn key_text(key: &Value) -> Result<String, NotJson> {
    Ok(match key {
        Value::Bool(true) => "true".to_owned(),
        Value::Bool(false) => "false".to_owned(),
        Value::Float(number) if !number.is_finite() => "None".to_owned(),
        Value::None | Value::Int(_) | Value::BigInt(_) | Value::Float(_) => str_of(key),
        Value::Str(text) | Value::Scalar(_, text) => text.clone(),
        Value::Bytes(bytes) => std::str::from_utf8(bytes).map_err(|_| NotJson)?.to_owned(),
        Value::Tuple(items) => items.iter().map(key_text).collect::<Result<Vec<_>, _>>()?.join(","),
        Value::Enum(ty, member) => key_text(ty.members.get(*member).map_or(&Value::None, |m| &m.1))?,
        _ => return Err(NotJson),
    })
}

/// Whether pydantic serialises what has this type as a float.
fn is_float(ty: &Type) -> bool {
    match ty {
        Type::Float => true,
        Type::Union(members) => members.iter().any(is_float) && !members.contains(ANY),
        Type::Alias(alias) => is_float(&alias.1),
        _ => false,
    }
}

/// The type of an item of a list, tuple or set of type `ty`.
fn item_type(ty: &Type, index: usize) -> &Type {
    match ty {
        Type::List(Some(item)) | Type::Set(Some(item)) | Type::FrozenSet(Some(item)) | Type::TupleOf(item) => item,
        Type::Tuple(Some(items)) => items.get(index).unwrap_or(ANY),
        Type::Union(members) => members.iter().map(|ty| item_type(ty, index)).find(|ty| *ty != ANY).unwrap_or(ANY),
        Type::Alias(alias) => item_type(&alias.1, index),
        _ => ANY,
    }
}

/// The type of a value of a dict of type `ty`.
fn value_type(ty: &Type) -> &Type {
    match ty {
        Type::Dict(Some(entry)) => &entry.1,
        Type::Union(members) => members.iter().map(value_type).find(|ty| *ty != ANY).unwrap_or(ANY),
        Type::Alias(alias) => value_type(&alias.1),
        _ => ANY,
    }
}
