//! The grammar of signature strings: field lists as Python's parameter lists, types as Python's expressions.
//!
//! DSPy hands the text to Python's own parser, so this reads what Python reads: every quoting of texts and numbers, comments,
//! line ends inside brackets, and also the expressions that DSPy then refuses, because it names them when it does.

mod constants;
mod expressions;
mod lexer;
mod parameters;

use std::borrow::Cow;

pub(super) use expressions::{parse_type, refused};
pub(super) use parameters::{Parameter, parse_fields};

use crate::error::{Error, ErrorKind};
use crate::value::Value;

/// How deep brackets, operators and attributes may nest.
pub(super) const DEPTH: usize = 64;

/// A Python expression, as far as types need it.
#[derive(Debug)]
pub(super) enum Expr<'a> {
    Name(Cow<'a, str>),
    /// A string, number, `True`, `False` or `None`.
    Constant(Value),
    Ellipsis,
    /// `a.b`
    Attribute(Box<Expr<'a>>, Cow<'a, str>),
    /// `a[b]`
    Subscript(Box<Expr<'a>>, Box<Expr<'a>>),
    Tuple(Vec<Expr<'a>>),
    /// `a | b | c`
    Union(Vec<Expr<'a>>),
    /// `Field(a=1)`, of which Python makes a description of a field.
    Field(Vec<(Cow<'a, str>, Expr<'a>)>),
    /// What no type can hold, in the notation of Python's `ast.dump`.
    Other(String),
}

impl Expr<'_> {
    /// The expression in the notation of Python's `ast.dump`.
    pub(super) fn dump(&self) -> String {
        match self {
            Self::Name(name) => format!("Name(id='{name}', ctx=Load())"),
            Self::Constant(value) => format!("Constant(value={})", crate::python::repr(value)),
            Self::Ellipsis => "Constant(value=Ellipsis)".to_owned(),
            Self::Attribute(base, name) => format!("Attribute(value={}, attr='{name}', ctx=Load())", base.dump()),
            Self::Subscript(base, index) => {
                format!("Subscript(value={}, slice={}, ctx=Load())", base.dump(), index.dump())
            }
            Self::Tuple(items) => format!("Tuple(elts=[{}], ctx=Load())", dump_all(items)),
            Self::Union(members) => {
                let mut members = members.iter().map(Self::dump);
                let first = members.next().unwrap_or_default();
                members.fold(first, |left, right| format!("BinOp(left={left}, op=BitOr(), right={right})"))
            }
            Self::Field(given) => {
                let keywords: Vec<_> = given
                    .iter()
                    .map(|(name, value)| format!("keyword(arg='{name}', value={})", value.dump()))
                    .collect();
                format!("Call(func=Name(id='Field', ctx=Load()), args=[], keywords=[{}])", keywords.join(", "))
            }
            Self::Other(dump) => dump.clone(),
        }
    }
}

fn dump_all(items: &[Expr]) -> String {
    items.iter().map(Expr::dump).collect::<Vec<_>>().join(", ")
}

/// An error in the text itself, near a place in it.
fn syntax_error(message: &str, text: &str, position: usize) -> Error {
    let (before, rest) = text.split_at_checked(position).unwrap_or((text, ""));
    let whole = shorten(text.trim());
    let place = match rest.trim() {
        "" => format!("at the end of `{whole}`"),
        rest => {
            let near: String = rest.chars().take(20).collect();
            format!("at character {} of `{whole}`, near `{near}`", before.trim_start().chars().count() + 1)
        }
    };
    Error::new(ErrorKind::Signature, format!("{message} {place}"))
        .with_hint(
            "Write fields as `name` or `name: type`, separated by commas: `question, context: list[str] -> answer`.",
        )
        .with_python_class("SyntaxError")
}

fn shorten(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(100) {
        Some((end, _)) => Cow::Owned(format!("{}...", text.get(..end).unwrap_or(""))),
        None => Cow::Borrowed(text),
    }
}
