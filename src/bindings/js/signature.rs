//! Signatures.

use serde_json::{Map, Value as Json};
use wasm_bindgen::prelude::*;

use super::errors::thrown;
use super::options::Options;
use crate::error::Result;
use crate::json;
use crate::signature::{Field, Io, Signature, Special, Type, Types};

/// Says whether a signature can be read ([`read`]).
#[wasm_bindgen]
pub fn check_signature(text: &str, are_fields: bool, instructions: Option<String>) -> std::result::Result<(), JsValue> {
    read(text, are_fields, instructions).map(drop).map_err(|error| thrown(&error))
}

/// `{instructions, fields: [{name, io, type, desc, prefix}]}`.
#[wasm_bindgen]
pub fn describe_signature(
    text: &str,
    are_fields: bool,
    instructions: Option<String>,
) -> std::result::Result<String, JsValue> {
    let signature = read(text, are_fields, instructions).map_err(|error| thrown(&error))?;
    let fields = signature.fields.iter().map(describe).collect::<Vec<_>>();
    let mut out = Map::new();
    out.insert("instructions".to_owned(), (*signature.instructions).into());
    out.insert("fields".to_owned(), fields.into());
    Ok(json::text(&Json::Object(out)))
}

/// Reads a signature string, or fields as JSON text: `{instructions?, fields: [{name, io, type, desc?, prefix?}]}`, where a type
/// is an annotation, or a JSON Schema with a `title`.
///
/// Signatures are read again where they are used, for they are small: a handle to one that was read would have to be freed.
pub(super) fn read(text: &str, are_fields: bool, instructions: Option<String>) -> Result<Signature> {
    let signature = if are_fields { build(text)? } else { Signature::parse_with(text, &types())? };
    match instructions {
        Some(instructions) => signature.with_instructions(&instructions),
        None => Ok(signature),
    }
}

/// What a signature can name beyond Python's own: in DSPy 3.4.1 these two are to be imported from `dspy.experimental`.
fn types() -> Types {
    let mut types = Types::new();
    types.insert("Document", Type::Special(Special::Document));
    types.insert("Citations", Type::Special(Special::Citations));
    types
}

fn build(json: &str) -> Result<Signature> {
    let options = Options::read(json)?;
    let fields = options.list("fields")?.iter().map(field).collect::<Result<_>>()?;
    Signature::from_fields(fields, options.text("instructions")?)
}

fn field(json: &Json) -> Result<Field> {
    let options = Options::read(&json::text(json))?;
    let name = options.text("name")?.unwrap_or_default();
    let ty = match json.get("type") {
        Some(Json::String(annotation)) => Type::parse(annotation, &types()).map_err(|error| error.at_field(name))?,
        Some(schema @ Json::Object(members)) => {
            let title = members.get("title").and_then(Json::as_str).unwrap_or("object");
            Type::JsonSchema(std::rc::Rc::new((title.to_owned(), schema.clone())))
        }
        _ => Type::Str,
    };
    let mut field =
        if options.text("io")? == Some("output") { Field::output(name, ty) } else { Field::input(name, ty) };
    if let Some(desc) = options.text("desc")? {
        field = field.with_desc(desc);
    }
    if let Some(prefix) = options.text("prefix")? {
        field = field.with_prefix(prefix);
    }
    Ok(field)
}

pub(super) fn describe(field: &Field) -> Json {
    let io = if field.io == Io::Input { "input" } else { "output" };
    let ty = field.ty.annotation_name();
    let members =
        [("name", field.name.as_str()), ("io", io), ("type", &ty), ("desc", &field.desc), ("prefix", &field.prefix)];
    Json::Object(members.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect())
}
