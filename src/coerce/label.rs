//! pydantic's names: of types, where a union's issues say which member they are of; and of issues, in words.

use crate::python::repr;
use crate::signature::{Special, Type};

/// A type as places show it.
pub(super) fn label(ty: &Type) -> String {
    let join = |types: &[Type], by: &str| types.iter().map(label).collect::<Vec<_>>().join(by);
    let of = |item: &Option<Box<Type>>| item.as_deref().map_or_else(|| "any".to_owned(), label);
    match ty {
        Type::Any => "any".to_owned(),
        Type::Str => "str".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Float => "float".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::None => "none".to_owned(),
        Type::Bytes => "bytes".to_owned(),
        Type::Complex => "complex".to_owned(),
        Type::Scalar(kind) => kind.name().to_ascii_lowercase(),
        Type::List(item) => format!("list[{}]", of(item)),
        Type::Set(item) => format!("set[{}]", of(item)),
        Type::FrozenSet(item) => format!("frozenset[{}]", of(item)),
        Type::Dict(None) => "dict[any,any]".to_owned(),
        Type::Dict(Some(types)) => format!("dict[{},{}]", label(&types.0), label(&types.1)),
        Type::Tuple(None) => "tuple[any, ...]".to_owned(),
        Type::Tuple(Some(items)) => format!("tuple[{}]", join(items, ", ")),
        Type::TupleOf(item) => format!("tuple[{}, ...]", label(item)),
        Type::Union(members) => {
            let others: Vec<Type> = members.iter().filter(|member| **member != Type::None).cloned().collect();
            let inner = match others.as_slice() {
                [only] => label(only),
                _ => format!("union[{}]", join(&others, ",")),
            };
            if others.len() < members.len() { format!("nullable[{inner}]") } else { inner }
        }
        Type::Literal(values) => format!("literal[{}]", values.iter().map(repr).collect::<Vec<_>>().join(",")),
        Type::Enum(enumeration) => match enumeration.base.as_str() {
            "int" | "IntEnum" => format!("int-enum[{}]", enumeration.name),
            "str" | "StrEnum" => format!("str-enum[{}]", enumeration.name),
            _ => format!("enum[{}]", enumeration.name),
        },
        Type::Model(model) => model.name.clone(),
        Type::ModelRef(name) => name.clone(),
        Type::JsonSchema(named) => named.0.clone(),
        Type::Special(Special::Code(Some(language))) => format!("Code_{language}"),
        Type::Special(special) => special.name().to_owned(),
        Type::Alias(alias) => label(&alias.1),
    }
}

/// An issue in words, with pydantic's name of it.
pub(super) fn explain(kind: &str) -> String {
    let words = match kind {
        "missing" => "is missing",
        "extra_forbidden" => "is not a field of the model",
        "int_parsing" | "int_type" => "should be a whole number",
        "int_from_float" => "should be a whole number, but has a fraction",
        "float_parsing" | "float_type" => "should be a number",
        "bool_parsing" | "bool_type" => "should be true or false",
        "string_type" => "should be text",
        "list_type" => "should be a list",
        "dict_type" | "model_type" => "should be an object",
        "literal_error" | "enum" => "should be one of the allowed values",
        "none_required" => "should be null",
        _ => return format!("is not valid ({kind})"),
    };
    format!("{words} ({kind})")
}
