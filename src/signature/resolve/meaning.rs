//! What an expression stands for, and how it becomes a type.

use super::names::{bare, generic};
use super::{alias, forward_reference, no_schema, type_error, value_error};
use crate::error::Result;
use crate::python::{repr, str_of};
use crate::signature::registry::Types;
use crate::signature::types::{Special, Type};
use crate::value::{ScalarKind, Value};

/// What an expression stands for.
pub(in crate::signature) enum Meaning {
    Type(Type),
    Constant(Value),
    Ellipsis,
    Tuple(Vec<Meaning>),
    Module(&'static str),
    /// `Optional`, `Union`, `Literal`, `Annotated`: nothing by itself.
    Form(&'static str),
    /// A generic class of `typing`, which wants brackets: its name.
    Generic(&'static str),
    /// Something else of Python's: how Python shows it, and the class of it.
    Other(String, &'static str),
}

impl Meaning {
    /// The type of a field.
    pub(in crate::signature) fn into_field_type(self) -> Result<Type> {
        match self {
            Self::Type(Type::Alias(alias)) if alias.0.starts_with("Annotated[") => Ok(alias.1.clone()),
            Self::Type(ty) => Ok(ty),
            // Python takes it for "no annotation".
            Self::Constant(Value::None) => Ok(Type::Str),
            Self::Form(name) => Err(no_schema(&format!("typing.{name}"))),
            other => {
                let (shown, class) = other.shown();
                Err(value_error(format!("Field types must be types, but received: {shown} of type <class '{class}'>."))
                    .with_hint("Name a type: `str`, `int`, `list[str]`, `Literal['a', 'b']` ..."))
            }
        }
    }

    /// `str` of the Python object, and the name of its class.
    pub(super) fn shown(&self) -> (String, &'static str) {
        match self {
            Self::Type(ty) => (class_repr(ty), "type"),
            Self::Constant(value) => (
                str_of(value),
                match value {
                    Value::None => "NoneType",
                    Value::Bool(_) => "bool",
                    Value::Int(_) | Value::BigInt(_) => "int",
                    Value::Float(_) => "float",
                    Value::Bytes(_) => "bytes",
                    _ => "str",
                },
            ),
            Self::Ellipsis => ("Ellipsis".to_owned(), "ellipsis"),
            Self::Tuple(items) => {
                let shown: Vec<_> = items.iter().map(Self::repr).collect();
                (format!("({}{})", shown.join(", "), if items.len() == 1 { "," } else { "" }), "tuple")
            }
            Self::Module(name) => (format!("<module '{name}'>"), "module"),
            Self::Form(name) => (format!("typing.{name}"), "typing._SpecialForm"),
            Self::Generic("Tuple") => ("typing.Tuple".to_owned(), "typing._TupleType"),
            Self::Generic("Callable") => ("typing.Callable".to_owned(), "typing._CallableType"),
            Self::Generic(name) => (format!("typing.{name}"), "typing._SpecialGenericAlias"),
            Self::Other(shown, class) => (shown.clone(), class),
        }
    }

    pub(super) fn repr(&self) -> String {
        match self {
            Self::Constant(value) => repr(value),
            other => other.shown().0,
        }
    }

    /// A type in brackets or in a union. There `None` is the type of it, and a text names a type that may come later.
    pub(super) fn into_argument(self, types: &Types) -> Result<Type> {
        match self {
            Self::Type(ty) => Ok(ty),
            Self::Constant(Value::None) => Ok(Type::None),
            Self::Constant(Value::Str(name)) => Ok(forward_reference(name, types, false)),
            Self::Generic(name) => match generic(name) {
                Some((shown, _)) => Ok(alias(format!("{shown}[]"), bare(name))),
                None => Err(no_schema(&format!("typing.{name}"))),
            },
            Self::Tuple(items) => {
                Err(type_error(format!("each arg must be a type. Got {}.", Self::Tuple(items).repr())))
            }
            other => Err(no_schema(&other.repr())),
        }
    }
}

fn class_repr(ty: &Type) -> String {
    match ty {
        Type::Scalar(kind) => {
            let module = match kind {
                ScalarKind::Decimal => "decimal",
                ScalarKind::Uuid => "uuid",
                _ => "datetime",
            };
            format!("<class '{module}.{}'>", kind.name())
        }
        Type::Special(special) => {
            let module = match special {
                Special::ToolCalls => "tool".to_owned(),
                Special::Citations => "citation".to_owned(),
                _ => special.name().to_ascii_lowercase(),
            };
            format!("<class 'dspy.adapters.types.{module}.{}'>", special.name())
        }
        Type::List(Some(_)) | Type::Dict(Some(_)) | Type::Tuple(Some(_)) | Type::Set(Some(_)) => ty.annotation_name(),
        Type::Union(_) | Type::Literal(_) | Type::Any => format!("typing.{}", ty.annotation_name()),
        _ => format!("<class '{}'>", ty.annotation_name()),
    }
}
