//! Replies made values of a type: DSPy's `parse_value` over pydantic 2.14's lax validation.
//!
//! [`parse_value`] takes the text of a field (or a JSON value) and gives a value of the field's type. What cannot be made one is
//! told as pydantic tells it: a [`Mismatch`] with every issue's type and place.

pub(crate) mod calendar;
mod choice;
mod clock;
mod constraint;
mod container;
mod decimal;
mod equal;
mod fits;
mod label;
mod model;
mod number;
mod schema;
mod special;
mod text;
mod union;
mod validate;

use crate::error::{Error, ErrorKind};
use crate::python::{str_of, strip};
use crate::signature::{EnumType, Type};
use crate::value::Value;
use crate::{json_repair, literal};

pub(crate) use equal::{distinct_keys, distinct_values, equal, equal_maps, is_hashable};
pub(crate) use fits::fits;
pub use validate::validate;
pub(crate) use validate::validate_by_name;

/// Why a value is not of a type.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// What is wrong, in a sentence.
    pub message: String,
    /// pydantic's issues; empty for the `ValueError` that DSPy itself raises for an enum.
    pub issues: Vec<Issue>,
}

/// One thing that is wrong with a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Issue {
    /// pydantic's name of it: `int_parsing`, `missing`, ...
    pub kind: &'static str,
    /// Keys and positions from the value down to the place.
    pub loc: Vec<String>,
}

impl Mismatch {
    pub(crate) fn of_issues(issues: Vec<Issue>) -> Self {
        let tell = |issue: &Issue| match issue.loc.is_empty() {
            true => label::explain(issue.kind),
            false => format!("`{}`: {}", issue.loc.join("."), label::explain(issue.kind)),
        };
        Self { message: issues.iter().map(tell).collect::<Vec<_>>().join("; "), issues }
    }
}

impl From<Mismatch> for Error {
    fn from(mismatch: Mismatch) -> Self {
        let class = if mismatch.issues.is_empty() { "ValueError" } else { "ValidationError" };
        Self::new(ErrorKind::Parse, mismatch.message).with_python_class(class)
    }
}

/// DSPy's `parse_value(value, annotation)`.
///
/// ```
/// use lakelet::{Value, coerce::parse_value, signature::Type};
/// let numbers = Type::List(Some(Box::new(Type::Int)));
/// assert_eq!(parse_value(&Value::from("[1, '2',"), &numbers), Ok(Value::List(vec![Value::Int(1), Value::Int(2)])));
/// let mismatch = parse_value(&Value::from("five"), &Type::Int).unwrap_err();
/// assert_eq!(mismatch.issues[0].kind, "int_parsing");
/// ```
///
/// # Errors
/// A [`Mismatch`] when the value cannot be made one of the type.
pub fn parse_value(value: &Value, ty: &Type) -> Result<Value, Mismatch> {
    match ty {
        Type::Str => Ok(value.as_str().map_or_else(|| Value::Str(str_of(value)), Value::from)),
        Type::Alias(alias) => parse_value(value, &alias.1),
        Type::Enum(enumeration) => {
            enum_member(enumeration, value).map(|member| Value::Enum(enumeration.clone(), member))
        }
        Type::Literal(allowed) => parse_literal(value, ty, allowed),
        Type::Union(members) if members.contains(&Type::Str) && members.contains(&Type::None) => validate(value, ty),
        _ => match value.as_str() {
            Some(text) => parse_text(text, ty),
            None => validate(value, ty),
        },
    }
}

fn parse_text(text: &str, ty: &Type) -> Result<Value, Mismatch> {
    let raw = || Value::from(text);
    let mut candidate = json_repair::loads(text);
    if candidate.as_str() == Some("") && !text.is_empty() {
        candidate = literal::eval(text).unwrap_or_else(raw);
    }
    validate(&candidate, ty).or_else(|mismatch| match ty {
        // DSPy's own types may read the text themselves.
        Type::Special(_) => validate(&raw(), ty).map_err(|_| mismatch),
        _ => Err(mismatch),
    })
}

/// Models put quotes and the type's name around a literal.
fn parse_literal(value: &Value, ty: &Type, allowed: &[Value]) -> Result<Value, Mismatch> {
    let is_allowed = |value: &Value| allowed.iter().any(|member| equal(member, value));
    if is_allowed(value) {
        return Ok(value.clone());
    }
    let Some(text) = value.as_str() else { return validate(value, ty) };
    let mut text = strip(text);
    let wrapped = ["Literal[", "str["].iter().find_map(|prefix| text.strip_prefix(prefix)?.strip_suffix(']'));
    text = wrapped.unwrap_or(text);
    let quoted = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    text = quoted.unwrap_or(text);
    let plain = Value::from(text);
    if is_allowed(&plain) { Ok(plain) } else { parse_text(text, ty) }
}

/// The member with this value, else with this name.
fn enum_member(enumeration: &EnumType, value: &Value) -> Result<usize, Mismatch> {
    let members = &enumeration.members;
    let by_value = |wanted: &Value| members.iter().position(|(_, member)| equal(member, wanted));
    let by_name = |name| members.iter().find(|(member, _)| member == name).and_then(|(_, value)| by_value(value));
    by_value(value).or_else(|| by_name(value.as_str()?)).ok_or_else(|| Mismatch {
        message: format!("{} is not a valid name or value for the enum {}", str_of(value), enumeration.name),
        issues: Vec::new(),
    })
}
