//! Whether a value has a type already.

use super::equal::equal;
use super::special::is_of;
use crate::signature::Type;
use crate::value::{ScalarKind, Value};

/// Whether a value is of a type as it stands: Python's `isinstance`, into the parts of containers.
pub(crate) fn fits(value: &Value, ty: &Type) -> bool {
    let all = |items: &[Value], ty: &Option<Box<Type>>| {
        ty.as_deref().is_none_or(|ty| items.iter().all(|item| fits(item, ty)))
    };
    match (value, ty) {
        (_, Type::Any) => true,
        (_, Type::Alias(alias)) => fits(value, &alias.1),
        (_, Type::Union(members)) => members.iter().any(|member| fits(value, member)),
        (_, Type::Literal(values)) => values.iter().any(|member| equal(value, member)),
        (Value::List(items), Type::List(inner)) => all(items, inner),
        (Value::Set(items), Type::Set(inner) | Type::FrozenSet(inner)) => all(items, inner),
        (Value::Dict(members), Type::Dict(inner)) => inner.as_ref().is_none_or(|inner| {
            members.iter().all(|(key, member)| fits(&key.as_str().into(), &inner.0) && fits(member, &inner.1))
        }),
        (Value::MixedDict(pairs), Type::Dict(inner)) => inner
            .as_ref()
            .is_none_or(|inner| pairs.iter().all(|(key, member)| fits(key, &inner.0) && fits(member, &inner.1))),
        (Value::Tuple(items), Type::Tuple(inner)) => inner.as_ref().is_none_or(|inner| {
            items.len() == inner.len() && items.iter().zip(inner).all(|(item, inner)| fits(item, inner))
        }),
        (Value::Tuple(items), Type::TupleOf(inner)) => items.iter().all(|item| fits(item, inner)),
        (Value::Scalar(ScalarKind::Datetime, _), Type::Scalar(ScalarKind::Date)) => true,
        (Value::Scalar(kind, _), Type::Scalar(wanted)) => kind == wanted,
        (Value::Enum(ty, _), Type::Str) => matches!(ty.base.as_str(), "str" | "StrEnum"),
        (Value::Enum(ty, _), Type::Int) => matches!(ty.base.as_str(), "int" | "IntEnum"),
        (Value::Enum(ty, _), Type::Enum(wanted)) => ty == wanted,
        (Value::Model(ty, _), Type::Model(wanted)) => ty == wanted,
        (Value::Model(..) | Value::Dict(_), Type::JsonSchema(_)) => true,
        (Value::Dict(_), Type::Model(ty)) => ty.typed_dict,
        (Value::Custom(custom), Type::Special(special)) => is_of(custom, special),
        (Value::Bool(_) | Value::Int(_) | Value::BigInt(_), Type::Int)
        | (Value::Bool(_), Type::Bool)
        | (Value::Float(_), Type::Float)
        | (Value::Str(_), Type::Str)
        | (Value::Bytes(_), Type::Bytes)
        | (Value::None, Type::None) => true,
        _ => false,
    }
}
