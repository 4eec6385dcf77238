//! Which values may go where.

use crate::signature::Type;
use crate::value::Value;

/// Whether every value of one type can be given where another is asked for.
pub(super) fn fits(given: &Type, asked: &Type) -> bool {
    match (given, asked) {
        _ if given == asked => true,
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Union(members), _) => members.iter().all(|member| fits(member, asked)),
        (_, Type::Union(members)) => members.iter().any(|member| fits(given, member)),
        (Type::Literal(values), _) => values.iter().all(|value| accepts(asked, value)),
        (Type::Int, Type::Float) => true,
        // Prompts number the texts of a list.
        (Type::List(Some(item)), Type::Str) => **item == Type::Str,
        (Type::List(Some(given)), Type::List(Some(asked))) => fits(given, asked),
        (Type::List(_), Type::List(_)) | (Type::Dict(_), Type::Dict(None) | Type::JsonSchema(_)) => true,
        (Type::Dict(None), Type::Dict(_) | Type::Model(_)) => true,
        _ => false,
    }
}

/// Whether a value can be given where a type is asked for. Types that are not checked here accept everything.
pub(super) fn accepts(ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (Type::Str, Value::Str(_)) | (Type::Bool, Value::Bool(_)) | (Type::None, Value::None) => true,
        (Type::Str, Value::List(items)) => items.iter().all(|item| item.as_str().is_some()),
        (Type::Int, Value::Int(_) | Value::BigInt(_)) => true,
        (Type::Float, Value::Int(_) | Value::BigInt(_) | Value::Float(_)) => true,
        (Type::Str | Type::Bool | Type::None | Type::Int | Type::Float, _) => false,
        (Type::Literal(values), _) => values.contains(value),
        (Type::Union(members), _) => members.iter().any(|member| accepts(member, value)),
        (Type::List(Some(item)), Value::List(items)) => items.iter().all(|value| accepts(item, value)),
        (Type::List(None), Value::List(_)) => true,
        (Type::List(_), _) => false,
        (Type::Dict(_), _) => matches!(value, Value::Dict(_) | Value::MixedDict(_)),
        _ => true,
    }
}
