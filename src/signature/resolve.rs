//! From expressions to types.

mod meaning;
mod names;
mod subscript;

use std::borrow::Cow;
use std::rc::Rc;

pub(super) use meaning::Meaning;

use super::grammar::{DEPTH, Expr, parse_type, refused};
use super::registry::Types;
use super::types::Type;
use crate::error::{Error, ErrorKind, Result};
use crate::python::str_repr;
use crate::value::Value;

impl Type {
    /// Reads a type as signatures write it: `list[str]`, `Literal['a', 'b'] | None`, `dict[str, Address]`.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), with the exception that DSPy 3.4.1 raises for the same text.
    ///
    /// ```
    /// use lakelet::signature::{Type, Types};
    /// # fn main() -> lakelet::Result<()> {
    /// let ty = Type::parse("int | None", &Types::new())?;
    /// assert_eq!(ty, Type::Union(vec![Type::Int, Type::None]));
    /// assert!(Type::parse("integer", &Types::new()).is_err());
    /// # Ok(()) }
    /// ```
    pub fn parse(text: &str, types: &Types) -> Result<Self> {
        resolve(&parse_type(text)?, types)?.into_field_type()
    }
}

/// What an expression stands for.
pub(super) fn resolve(expr: &Expr, types: &Types) -> Result<Meaning> {
    match expr {
        Expr::Name(name) => names::meaning(name, types),
        Expr::Constant(value) => Ok(Meaning::Constant(value.clone())),
        Expr::Ellipsis => Ok(Meaning::Ellipsis),
        Expr::Attribute(base, name) => names::attribute(base, name, types),
        Expr::Subscript(base, index) => {
            let base = resolve(base, types)?;
            let args = match index.as_ref() {
                Expr::Tuple(items) => items.iter().map(|item| resolve(item, types)).collect::<Result<_>>()?,
                single => vec![resolve(single, types)?],
            };
            subscript::subscript(base, args, types)
        }
        Expr::Tuple(items) => items.iter().map(|item| resolve(item, types)).collect::<Result<_>>().map(Meaning::Tuple),
        Expr::Union(members) => {
            let mut members = members.iter();
            let first = match members.next() {
                Some(first) => resolve(first, types)?,
                None => return Err(refused("BinOp()")),
            };
            members.try_fold(first, |left, right| {
                let right = resolve(right, types)?;
                // DSPy makes an Optional of it, in which `None` comes last, only when the class is written out.
                let flip = matches!(left, Meaning::Type(Type::None)) && !matches!(right, Meaning::Type(Type::None));
                let pair = if flip { vec![right, left] } else { vec![left, right] };
                union(pair, types)
            })
        }
        Expr::Field(given) => field_description(given, types),
        Expr::Other(dump) => Err(refused(dump)),
    }
}

/// A union is flat, and holds each type once; a union of one type is that type.
fn union(members: Vec<Meaning>, types: &Types) -> Result<Meaning> {
    let mut flat: Vec<Type> = Vec::with_capacity(members.len());
    for member in members {
        let parts = match member.into_argument(types)? {
            Type::Union(parts) => parts,
            single => vec![single],
        };
        for part in parts {
            if !flat.contains(&part) {
                flat.push(part);
            }
        }
        if flat.len() > DEPTH {
            return Err(Error::new(ErrorKind::Signature, format!("a union has more than {DEPTH} members"))
                .with_hint("For a choice between texts use `Literal['a', 'b', ...]`."));
        }
    }
    Ok(Meaning::Type(match flat.pop() {
        Some(single) if flat.is_empty() => single,
        last => {
            flat.extend(last);
            Type::Union(flat)
        }
    }))
}

/// A type named in quotes. Python looks the name up late, so an unknown one is no error until the type is used.
fn forward_reference(name: String, types: &Types, in_builtin: bool) -> Type {
    let found = parse_type(&name).and_then(|expr| match expr {
        Expr::Constant(Value::Str(_)) => Err(no_schema(&name)),
        expr => resolve(&expr, types)?.into_argument(types),
    });
    found.unwrap_or_else(|_| {
        let shown = if in_builtin { name.clone() } else { format!("ForwardRef({})", str_repr(&name)) };
        alias(shown, Type::ModelRef(name))
    })
}

fn alias(shown: String, ty: Type) -> Type {
    Type::Alias(Rc::new((shown, ty)))
}

/// `Field(...)`, which is a description of a field and no type.
fn field_description(given: &[(Cow<str>, Expr)], types: &Types) -> Result<Meaning> {
    let mut description = String::new();
    let mut extra = Vec::new();
    for (name, value) in given {
        let value = resolve(value, types)?.repr();
        match name.as_ref() {
            "description" | "title" | "alias" => description += &format!(" {name}={value}"),
            _ => extra.push(format!("'{name}': {value}")),
        }
    }
    if !extra.is_empty() {
        description += &format!(" json_schema_extra={{{}}}", extra.join(", "));
    }
    Ok(Meaning::Other(format!("annotation=NoneType required=True{description}"), "pydantic.fields.FieldInfo"))
}

fn value_error(message: String) -> Error {
    Error::new(ErrorKind::Signature, message).with_python_class("ValueError")
}

fn type_error(message: String) -> Error {
    Error::new(ErrorKind::Signature, message)
        .with_hint("Brackets take types: `list[T]`, `dict[K, V]`, `tuple[A, B]`, `set[T]`, `Optional[T]`.")
        .with_python_class("TypeError")
}

fn no_schema(shown: &str) -> Error {
    Error::new(ErrorKind::Signature, format!("Unable to generate pydantic-core schema for {shown}."))
        .with_hint("Use a type that JSON can carry.")
        .with_python_class("PydanticSchemaGenerationError")
}
