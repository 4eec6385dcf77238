//! What may stand in brackets behind a type.

use super::names::{Holds, bare, builtin, generic};
use super::{Meaning, alias, forward_reference, no_schema, type_error, union, value_error};
use crate::error::{Error, ErrorKind, Result};
use crate::python::repr;
use crate::signature::registry::Types;
use crate::signature::types::{Special, Type};
use crate::value::Value;

/// `base[args]`
pub(super) fn subscript(base: Meaning, mut args: Vec<Meaning>, types: &Types) -> Result<Meaning> {
    let ty = match base {
        Meaning::Form("Optional") => {
            if args.len() != 1 {
                return Err(value_error("Optional must have exactly one type argument".to_owned())
                    .with_hint("For several types write `A | B | None`."));
            }
            args.push(Meaning::Constant(Value::None));
            return union(args, types);
        }
        Meaning::Form("Union") if args.is_empty() => {
            return Err(type_error("Cannot take a Union of no types.".to_owned()));
        }
        Meaning::Form("Union") => return union(args, types),
        Meaning::Form("Literal") => literal(args)?,
        Meaning::Form("Annotated") => return annotated(args, types),
        Meaning::Generic(name) => {
            let Some((shown, holds)) = generic(name) else {
                return Err(no_schema(&format!("typing.{name}[...]")));
            };
            let wanted = match holds {
                Holds::Items => 1,
                Holds::Pairs => 2,
                Holds::Anything => args.len(),
            };
            if args.len() != wanted {
                let problem = if args.len() < wanted { "few" } else { "many" };
                let got = args.len();
                return Err(type_error(format!(
                    "Too {problem} arguments for typing.{name}; actual {got}, expected {wanted}"
                )));
            }
            let named = builtin(shown).is_some();
            let mut arguments = arguments(args, types, false)?;
            if name == "Counter" {
                let shown = show(shown, &arguments);
                arguments.push(Argument::Type(Type::Int));
                alias(shown, container(bare(name), arguments)?)
            } else if named && !arguments.is_empty() {
                container(bare(name), arguments)?
            } else {
                alias(show(shown, &arguments), container(bare(name), arguments)?)
            }
        }
        Meaning::Type(Type::Special(Special::Code(None))) => match args.as_slice() {
            [Meaning::Constant(Value::Str(language))] => Type::Special(Special::Code(Some(language.clone()))),
            _ => return Err(type_error("`dspy.Code[...]` takes the name of one language, in quotes".to_owned())),
        },
        Meaning::Type(
            ty @ (Type::List(None) | Type::Dict(None) | Type::Tuple(None) | Type::Set(None) | Type::FrozenSet(None)),
        ) => {
            let count = args.len();
            let arguments = arguments(args, types, true)?;
            let is_plain = match ty {
                Type::Dict(_) if count < 2 => {
                    return Err(type_error(format!("Expected two type arguments for <class 'dict'>, got {count}")));
                }
                Type::Dict(_) => count == 2,
                Type::Tuple(_) => count > 0,
                _ => count == 1,
            };
            if is_plain {
                container(ty, arguments)?
            } else {
                // Python keeps what it has no use for, and prompts show it.
                alias(show(&ty.annotation_name(), &arguments), container(ty, arguments)?)
            }
        }
        Meaning::Type(ty) => return Err(type_error(format!("type '{}' is not subscriptable", ty.annotation_name()))),
        other => return Err(type_error(format!("{} is not subscriptable", other.repr()))),
    };
    Ok(Meaning::Type(ty))
}

/// The items of a container.
fn arguments(args: Vec<Meaning>, types: &Types, in_builtin: bool) -> Result<Vec<Argument>> {
    let argument = |arg| {
        Ok(Argument::Type(match arg {
            Meaning::Ellipsis => return Ok(Argument::Ellipsis),
            Meaning::Constant(Value::None) if in_builtin => alias("None".to_owned(), Type::None),
            Meaning::Constant(Value::Str(name)) => forward_reference(name, types, in_builtin),
            other => other.into_argument(types)?,
        }))
    };
    args.into_iter().map(argument).collect()
}

/// A container as prompts show it.
fn show(name: &str, arguments: &[Argument]) -> String {
    let mut shown = format!("{name}[");
    for (i, argument) in arguments.iter().enumerate() {
        shown.push_str(if i > 0 { ", " } else { "" });
        match argument {
            Argument::Type(ty) => ty.write_annotation_name(&mut shown),
            Argument::Ellipsis => shown.push_str("Ellipsis"),
        }
    }
    shown.push(']');
    shown
}

enum Argument {
    Type(Type),
    Ellipsis,
}

/// A container with its items; what is too many is dropped.
fn container(bare: Type, arguments: Vec<Argument>) -> Result<Type> {
    if let (Type::Tuple(_), [Argument::Type(_), Argument::Ellipsis]) = (&bare, arguments.as_slice()) {
        let item = arguments.into_iter().next();
        return match item {
            Some(Argument::Type(item)) => Ok(Type::TupleOf(Box::new(item))),
            _ => Err(no_schema("Ellipsis")),
        };
    }
    if let (Type::Tuple(_), Some(Argument::Ellipsis)) = (&bare, arguments.last()) {
        return Err(
            value_error("Variable tuples can only have one type".to_owned()).with_hint("Write `tuple[T, ...]`.")
        );
    }
    let mut items = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match argument {
            Argument::Type(ty) => items.push(ty),
            Argument::Ellipsis => return Err(no_schema("Ellipsis")),
        }
    }
    if let Type::Tuple(_) = bare {
        return Ok(Type::Tuple(Some(items)));
    }
    let mut items = items.into_iter();
    let first = items.next();
    Ok(match bare {
        Type::Set(_) => Type::Set(first.map(Box::new)),
        Type::FrozenSet(_) => Type::FrozenSet(first.map(Box::new)),
        Type::Dict(_) => Type::Dict(first.zip(items.next()).map(Box::new)),
        _ => Type::List(first.map(Box::new)),
    })
}

fn literal(args: Vec<Meaning>) -> Result<Type> {
    // By representation, for which 1 and True are two.
    let mut values = indexmap::IndexMap::new();
    for arg in args {
        match arg {
            Meaning::Constant(value) => _ = values.insert(repr(&value), value),
            Meaning::Type(Type::Literal(inner)) => values.extend(inner.into_iter().map(|value| (repr(&value), value))),
            other => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("`Literal[...]` holds constants, but received: {}", other.repr()),
                )
                .with_hint("Put texts in quotes: `Literal['yes', 'no']`."));
            }
        }
    }
    if values.is_empty() {
        return Err(Error::new(ErrorKind::Signature, "literal \"expected\" cannot be empty, obj=typing.Literal[()]")
            .with_hint("Name at least one: `Literal['yes', 'no']`.")
            .with_python_class("AssertionError"));
    }
    Ok(Type::Literal(values.into_values().collect()))
}

/// `Annotated[T, ...]`: as a field's type it is `T`; inside of others prompts show all of it.
fn annotated(args: Vec<Meaning>, types: &Types) -> Result<Meaning> {
    if args.len() < 2 {
        return Err(type_error(
            "Annotated[...] should be used with at least two arguments (a type and an annotation).".to_owned(),
        ));
    }
    let mut shown = "Annotated[".to_owned();
    let mut inner = None;
    for arg in args {
        match inner {
            None => {
                let ty = arg.into_argument(types)?;
                ty.write_annotation_name(&mut shown);
                inner = Some(ty);
            }
            Some(_) => {
                shown.push_str(", ");
                match arg {
                    Meaning::Type(ty) => ty.write_annotation_name(&mut shown),
                    other => shown.push_str(&other.shown().0),
                }
            }
        }
    }
    shown.push(']');
    Ok(Meaning::Type(alias(shown, inner.unwrap_or(Type::Any))))
}
