//! The signature of a model: its columns, with their types.

use serde_json::{Map, Value as Json, json};

use super::LoggedProgram;
use crate::error::Result;
use crate::signature::{Type, Types};
use crate::value::Value;

/// What a model is given and gives, as MLflow writes it.
pub(super) struct Signature {
    pub inputs: Json,
    pub outputs: Json,
}

/// The signature of a program.
pub(super) fn of(program: &LoggedProgram) -> Result<Signature> {
    let document = program.document();
    let section = |name: &str| document.get(name).and_then(Json::as_object).into_iter().flatten();
    let input = |(name, told): (&String, &Json)| {
        let required = told.get("default").is_none();
        Ok(column(name, &program.input_type(name)?, required))
    };
    let output = |(name, place): (&String, &Json)| {
        let ty = program.type_of(place.as_str().unwrap_or_default())?;
        // A guard that stops the program gives fewer outputs.
        Ok(column(name, &ty, false))
    };
    Ok(Signature {
        inputs: Json::Array(section("inputs").map(input).collect::<Result<_>>()?),
        outputs: Json::Array(section("outputs").map(output).collect::<Result<_>>()?),
    })
}

/// The type that a text in Python's notation names.
pub(super) fn read_type(text: &str) -> Result<Type> {
    Type::parse(text, &Types::new())
}

fn column(name: &str, ty: &Type, required: bool) -> Json {
    let mut column = kind(ty);
    column.insert("name".to_owned(), name.into());
    column.insert("required".to_owned(), (required && !ty.allows_none()).into());
    Json::Object(column)
}

/// A type as MLflow's schemas have it.
fn kind(ty: &Type) -> Map<String, Json> {
    let named = |name: &str| Map::from_iter([("type".to_owned(), name.into())]);
    match ty.unless_none() {
        Type::Str => named("string"),
        Type::Int => named("long"),
        Type::Float => named("double"),
        Type::Bool => named("boolean"),
        Type::Literal(values) if values.iter().all(|value| matches!(value, Value::Str(_))) => named("string"),
        Type::List(Some(item)) => {
            Map::from_iter([("type".to_owned(), json!("array")), ("items".to_owned(), Json::Object(kind(item)))])
        }
        _ => named("any"),
    }
}
