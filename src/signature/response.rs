//! The outputs of a signature as the JSON Schema of a structured reply.

use serde_json::{Map as JsonMap, Value as Json};

use super::grammar::DEPTH;
use super::schema::{Builder, sorted};
use super::types::{Special, Type};
use super::{Field, Signature};
use crate::error::{Error, ErrorKind, Result};

impl Signature {
    /// The JSON Schema of the outputs as one object, for `response_format`: every property is required and no other is
    /// allowed, as JSONAdapter of DSPy 3.4.1 asks for it. With `native_tools` the model calls tools outside of its text, so
    /// that a `ToolCalls` output is left out. [`strict_schema`] makes of it what goes over the wire.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when an output is a `dict[...]`, whose keys cannot be listed, or has no schema.
    ///
    /// ```
    /// use lakelet::Signature;
    /// # fn main() -> lakelet::Result<()> {
    /// let schema = Signature::parse("question -> answer")?.response_schema(false)?;
    /// assert_eq!(
    ///     schema.to_string(),
    ///     concat!(
    ///         r#"{"additionalProperties":false,"properties":{"answer":{"title":"Answer","type":"string"}},"#,
    ///         r#""required":["answer"],"title":"DSPyProgramOutputs","type":"object"}"#
    ///     )
    /// );
    /// # Ok(()) }
    /// ```
    pub fn response_schema(&self, native_tools: bool) -> Result<Json> {
        if let Some(field) = self.outputs().find(|field| field.is_open_ended()) {
            let name = &field.name;
            return Err(Error::new(
                ErrorKind::Signature,
                format!("Field '{name}' has an open-ended mapping type which is not supported by Structured Outputs."),
            )
            .with_hint("Ask for a JSON object instead, or list the keys in a model.")
            .at_field(name)
            .with_python_class("ValueError"));
        }
        let mut builder = Builder::closed();
        let mut properties = JsonMap::new();
        let mut required = Vec::new();
        for field in self.outputs() {
            if native_tools && field.ty == Type::Special(Special::ToolCalls) {
                continue;
            }
            let mut schema = builder.schema(&field.ty).map_err(|error| error.at_field(&field.name))?;
            builder.describe_property(&mut schema, &field.name, &field.ty, None, field.default.as_ref());
            properties.insert(field.name.clone(), Json::Object(schema));
            if field.default.is_none() {
                required.push(Json::from(field.name.as_str()));
            }
        }
        let mut schema = JsonMap::new();
        schema.insert("additionalProperties".to_owned(), false.into());
        schema.insert("properties".to_owned(), Json::Object(properties));
        if !required.is_empty() {
            schema.insert("required".to_owned(), Json::Array(required));
        }
        schema.insert("title".to_owned(), "DSPyProgramOutputs".into());
        schema.insert("type".to_owned(), "object".into());
        let mut schema = sorted(builder.with_definitions(schema), "");
        require_all(&mut schema);
        Ok(schema)
    }
}

impl Field {
    /// Whether the field is a `dict[...]`, which a schema of listed properties cannot describe.
    pub fn is_open_ended(&self) -> bool {
        match &self.ty {
            Type::Dict(Some(_)) => true,
            Type::Alias(alias) => alias.0.starts_with("dict["),
            _ => false,
        }
    }
}

/// Makes every property required and forbids others, in objects, lists of them and definitions. As DSPy does, but for
/// alternatives and tuples, into which it does not look either.
fn require_all(schema: &mut Json) {
    let Some(schema) = schema.as_object_mut() else { return };
    let is = |schema: &JsonMap<String, Json>, name: &str| schema.get("type").is_some_and(|ty| ty == name);
    if is(schema, "object") {
        let names: Vec<Json> = match schema.entry("properties").or_insert_with(|| Json::Object(JsonMap::new())) {
            Json::Object(properties) => {
                properties.values_mut().for_each(require_all);
                properties.keys().map(|name| name.as_str().into()).collect()
            }
            _ => Vec::new(),
        };
        schema.insert("required".to_owned(), Json::Array(names));
        schema.insert("additionalProperties".to_owned(), false.into());
    }
    if is(schema, "array")
        && let Some(items) = schema.get_mut("items")
    {
        require_all(items);
    }
    for key in ["$defs", "definitions"] {
        if let Some(Json::Object(definitions)) = schema.get_mut(key) {
            definitions.values_mut().for_each(require_all);
        }
    }
}

/// The schema in the strict form that structured outputs want on the wire: closed objects, all properties required, no
/// `null` defaults, no reference beside other keys, no `allOf` of one.
///
/// # Errors
/// [`Signature`](ErrorKind::Signature), when a reference leads nowhere or back to itself.
pub fn strict_schema(schema: &Json) -> Result<Json> {
    let mut visits = 0;
    strict(schema, schema, 0, &mut visits)
}

/// How many parts a strict schema may have. References that are written out can multiply without end.
const PARTS: usize = 20_000;

fn strict(schema: &Json, root: &Json, depth: usize, visits: &mut usize) -> Result<Json> {
    let Json::Object(schema) = schema else { return Ok(schema.clone()) };
    *visits += 1;
    if depth > DEPTH || *visits > PARTS {
        return Err(Error::new(ErrorKind::Signature, "a schema refers to itself without end")
            .with_hint("Describe the inner object without a description or default of its own.")
            .with_python_class("RecursionError"));
    }
    let mut inner = |schema: &Json| strict(schema, root, depth + 1, visits);
    let mut out = schema.clone();
    for key in ["$defs", "definitions", "properties"] {
        if let Some(Json::Object(named)) = out.get_mut(key) {
            for value in named.values_mut() {
                *value = inner(value)?;
            }
        }
    }
    if out.get("type").is_some_and(|ty| ty == "object") && !out.contains_key("additionalProperties") {
        out.insert("additionalProperties".to_owned(), false.into());
    }
    if let Some(Json::Object(properties)) = out.get("properties") {
        let names: Vec<Json> = properties.keys().map(|name| name.as_str().into()).collect();
        out.insert("required".to_owned(), Json::Array(names));
    }
    if let Some(items @ Json::Object(_)) = out.get_mut("items") {
        *items = inner(items)?;
    }
    for key in ["anyOf", "allOf"] {
        if let Some(Json::Array(branches)) = out.get_mut(key) {
            for branch in branches {
                *branch = inner(branch)?;
            }
        }
    }
    if let Some(Json::Array(branches)) = out.get("allOf")
        && let [Json::Object(single)] = branches.as_slice()
    {
        let single = single.clone();
        out.shift_remove("allOf");
        out.extend(single);
    }
    if out.get("default").is_some_and(Json::is_null) {
        out.shift_remove("default");
    }
    match out.get("$ref").and_then(Json::as_str) {
        Some(path) if out.len() > 1 => {
            let target = path.strip_prefix('#').and_then(|path| root.pointer(path)).ok_or_else(|| {
                Error::new(ErrorKind::Signature, format!("Could not resolve $ref '{path}'"))
                    .with_hint("Refer to definitions of the same schema: `#/$defs/Name`.")
                    .with_python_class("ValueError")
            })?;
            let mut resolved = match inner(target)? {
                Json::Object(resolved) => resolved,
                other => return Ok(other),
            };
            out.shift_remove("$ref");
            resolved.extend(out);
            Ok(Json::Object(resolved))
        }
        _ => Ok(Json::Object(out)),
    }
}
