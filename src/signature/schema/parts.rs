//! The parts that schemas are made of.

use serde_json::{Map as JsonMap, Value as Json};

use crate::python::str_of;
use crate::signature::types::{EnumType, Type};
use crate::sort::sort_by;
use crate::value::{Custom, ScalarKind, Value};

/// An object of one member.
pub(in crate::signature) fn object(key: &str, value: impl Into<Json>) -> JsonMap<String, Json> {
    JsonMap::from_iter([(key.to_owned(), value.into())])
}

pub(in crate::signature) fn typed(name: &str) -> JsonMap<String, Json> {
    object("type", name)
}

pub(in crate::signature) fn formatted(format: &str) -> JsonMap<String, Json> {
    let mut schema = typed("string");
    schema.insert("format".to_owned(), format.into());
    schema
}

pub(in crate::signature) fn scalar(kind: ScalarKind) -> JsonMap<String, Json> {
    match kind {
        ScalarKind::Datetime => formatted("date-time"),
        ScalarKind::Date => formatted("date"),
        ScalarKind::Time => formatted("time"),
        ScalarKind::Timedelta => formatted("duration"),
        ScalarKind::Uuid => formatted("uuid"),
        ScalarKind::Decimal => object("anyOf", vec![Json::Object(typed("number")), Json::Object(typed("string"))]),
    }
}

pub(in crate::signature) fn literal(values: &[Value]) -> JsonMap<String, Json> {
    let mut schema = match values {
        [single] => object("const", plain(single)),
        _ => object("enum", values.iter().map(plain).collect::<Vec<_>>()),
    };
    if let Some(name) = common_type(values.iter().map(plain)) {
        schema.insert("type".to_owned(), name.into());
    }
    schema
}

pub(in crate::signature) fn enumeration(ty: &EnumType) -> JsonMap<String, Json> {
    let values: Vec<Json> = ty.members.iter().map(|(_, value)| plain(value)).collect();
    let name = common_type(values.iter().cloned()).filter(|name| *name != "null");
    let mut schema = object("title", ty.name.as_str());
    schema.insert("enum".to_owned(), Json::Array(values));
    if let Some(name) = name {
        schema.insert("type".to_owned(), name.into());
    }
    schema
}

/// The type of all values, when they have one.
fn common_type(mut values: impl Iterator<Item = Json>) -> Option<&'static str> {
    let name = |value: &Json| match value {
        Json::String(_) => "string",
        Json::Number(number) if number.is_f64() => "number",
        Json::Number(_) => "integer",
        Json::Bool(_) => "boolean",
        Json::Array(_) => "array",
        Json::Null => "null",
        Json::Object(_) => "object",
    };
    let first = name(&values.next()?);
    (first != "object" && values.all(|value| name(&value) == first)).then_some(first)
}

/// A value as JSON, as pydantic writes defaults.
pub(in crate::signature) fn plain(value: &Value) -> Json {
    let list = |items: &[Value]| Json::Array(items.iter().map(plain).collect());
    match value {
        Value::None => Json::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(i) => (*i).into(),
        Value::BigInt(digits) => digits.parse::<u64>().map_or_else(|_| digits.as_str().into(), Json::from),
        Value::Float(f) => Json::from(*f),
        Value::Str(text) | Value::Scalar(_, text) => text.as_str().into(),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => list(items),
        Value::Dict(map) => Json::Object(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect()),
        Value::MixedDict(pairs) => Json::Object(pairs.iter().map(|(key, value)| (str_of(key), plain(value))).collect()),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into(),
        Value::Enum(ty, member) => ty.members.get(*member).map_or(Json::Null, |(_, value)| plain(value)),
        Value::Model(_, fields) => {
            Json::Object(fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect())
        }
        Value::Custom(custom) => match custom.as_ref() {
            Custom::Code(text) | Custom::Reasoning(text) => text.as_str().into(),
            _ => str_of(value).into(),
        },
    }
}

/// Adds a constraint to the schema that it is about.
pub(in crate::signature) fn constrain(schema: &mut JsonMap<String, Json>, name: &str, value: &Value) {
    if let Some(Json::Array(branches)) = schema.get_mut("anyOf") {
        let mut branches = branches
            .iter_mut()
            .filter_map(Json::as_object_mut)
            .filter(|branch| branch.get("type").is_none_or(|ty| ty != "null"));
        // Of a union of several, pydantic checks the value behind the schema's back.
        if let (Some(branch), None) = (branches.next(), branches.next()) {
            constrain(branch, name, value);
        }
        return;
    }
    let kind = schema.get("type").and_then(Json::as_str).unwrap_or("");
    let key = match (name, kind) {
        ("ge", "integer" | "number") => "minimum",
        ("gt", "integer" | "number") => "exclusiveMinimum",
        ("le", "integer" | "number") => "maximum",
        ("lt", "integer" | "number") => "exclusiveMaximum",
        ("multiple_of", "integer" | "number") => "multipleOf",
        ("min_length", "string") => "minLength",
        ("max_length", "string") => "maxLength",
        ("pattern", "string") => "pattern",
        ("min_length", "array") => "minItems",
        ("max_length", "array") => "maxItems",
        ("min_length", "object") => "minProperties",
        ("max_length", "object") => "maxProperties",
        _ => return,
    };
    schema.insert(key.to_owned(), plain(value));
}

/// Whether pydantic gives a property of this type a title: not when it is a definition, which has one.
pub(in crate::signature) fn takes_title(ty: &Type) -> bool {
    match ty {
        Type::Enum(_) | Type::Model(_) | Type::ModelRef(_) | Type::Special(_) => false,
        Type::Alias(alias) => takes_title(&alias.1),
        Type::Union(members) => {
            let mut inner = members.iter().filter(|member| **member != Type::None);
            match (inner.next(), inner.next()) {
                (Some(single), None) => takes_title(single),
                _ => true,
            }
        }
        _ => true,
    }
}

pub(in crate::signature) fn refer(name: &str) -> JsonMap<String, Json> {
    object("$ref", format!("#/$defs/{}", definition_name(name)))
}

/// The name of the definition that a schema refers to.
pub(in crate::signature) fn reference(schema: &JsonMap<String, Json>) -> Option<&str> {
    schema.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix("#/$defs/"))
}

/// Pydantic keeps letters, digits, `.`, `-` and `_` of a name.
pub(in crate::signature) fn definition_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }).collect()
}

pub(in crate::signature) fn refers_to(schema: &Json, name: &str) -> bool {
    match schema {
        Json::Object(map) => reference(map) == Some(name) || map.values().any(|value| refers_to(value, name)),
        Json::Array(items) => items.iter().any(|item| refers_to(item, name)),
        _ => false,
    }
}

/// Keys in alphabetical order; those of properties and of defaults stay as they are.
pub(in crate::signature) fn sorted(schema: Json, parent: &str) -> Json {
    match schema {
        Json::Object(map) => {
            let mut entries: Vec<(String, Json)> = map.into_iter().collect();
            if parent != "properties" && parent != "default" {
                sort_by(&mut entries, |(a, _), (b, _)| a.cmp(b));
            }
            let entries = entries.into_iter().map(|(key, value)| {
                let value = sorted(value, &key);
                (key, value)
            });
            Json::Object(entries.collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(|item| sorted(item, parent)).collect()),
        other => other,
    }
}
