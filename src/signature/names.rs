//! The words that prompts show for types, fields and prefixes.

use std::borrow::Cow;

use super::types::{Special, Type};
use crate::python::{capitalize, decimal_digit, is_upper, write_str, write_str_repr};
use crate::value::{ScalarKind, Value};

impl Type {
    /// The text in parentheses behind a field's name: `list[str]`, `Union[int, NoneType]`, `Literal['a', 'b']`.
    ///
    /// As `get_annotation_name` of DSPy 3.4.1 writes it.
    ///
    /// ```
    /// use lakelet::signature::Type;
    /// let numbers = Type::List(Some(Box::new(Type::Int)));
    /// assert_eq!(Type::optional(numbers).annotation_name(), "Union[list[int], NoneType]");
    /// ```
    pub fn annotation_name(&self) -> String {
        let mut out = String::new();
        self.write_annotation_name(&mut out);
        out
    }

    /// Adds the annotation name to a text; see [`Type::annotation_name`].
    pub fn write_annotation_name(&self, out: &mut String) {
        match self {
            Self::Any => out.push_str("Any"),
            Self::Str => out.push_str("str"),
            Self::Int => out.push_str("int"),
            Self::Float => out.push_str("float"),
            Self::Bool => out.push_str("bool"),
            Self::None => out.push_str("NoneType"),
            Self::Bytes => out.push_str("bytes"),
            Self::Complex => out.push_str("complex"),
            Self::Scalar(kind) => out.push_str(kind.name()),
            Self::List(item) => write_generic(out, "list", item.as_deref().as_slice()),
            Self::Set(item) => write_generic(out, "set", item.as_deref().as_slice()),
            Self::FrozenSet(item) => write_generic(out, "frozenset", item.as_deref().as_slice()),
            Self::Dict(None) => out.push_str("dict"),
            Self::Dict(Some(pair)) => write_generic(out, "dict", &[&pair.0, &pair.1]),
            Self::Tuple(None) => out.push_str("tuple"),
            Self::Tuple(Some(items)) => write_generic(out, "tuple", &items.iter().collect::<Vec<_>>()),
            Self::TupleOf(item) => {
                out.push_str("tuple[");
                item.write_annotation_name(out);
                out.push_str(", Ellipsis]");
            }
            Self::Union(members) => write_generic(out, "Union", &members.iter().collect::<Vec<_>>()),
            Self::Literal(values) => write_literal(out, values),
            Self::Enum(ty) => out.push_str(&ty.name),
            Self::Model(ty) => out.push_str(&ty.name),
            Self::ModelRef(name) => out.push_str(name),
            Self::Special(special) => special.write_annotation_name(out),
            Self::JsonSchema(named) => out.push_str(&named.0),
            Self::Alias(alias) => out.push_str(&alias.0),
        }
    }
}

fn write_generic(out: &mut String, name: &str, args: &[&Type]) {
    out.push_str(name);
    for (i, arg) in args.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "[" });
        arg.write_annotation_name(out);
    }
    if !args.is_empty() {
        out.push(']');
    }
}

/// Texts are quoted, but unlike Python's `repr` only single quotes are ever escaped, and only next to double ones.
fn write_literal(out: &mut String, values: &[Value]) {
    out.push_str("Literal[");
    for (i, value) in values.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "" });
        let Value::Str(text) = value else {
            write_str(out, value);
            continue;
        };
        match (text.contains('\''), text.contains('"')) {
            (true, false) => out.extend(["\"", text, "\""]),
            (true, true) => out.extend(["'", &text.replace('\'', "\\'"), "'"]),
            (false, _) => out.extend(["'", text, "'"]),
        }
    }
    out.push(']');
}

impl Special {
    /// The name of the class: `Image`, `ToolCalls`.
    pub fn name(&self) -> &str {
        match self {
            Self::History => "History",
            Self::Image => "Image",
            Self::Audio => "Audio",
            Self::File => "File",
            Self::Document => "Document",
            Self::Code(_) => "Code",
            Self::Reasoning => "Reasoning",
            Self::Tool => "Tool",
            Self::ToolCalls => "ToolCalls",
            Self::Citations => "Citations",
            Self::Decision(decision) => decision.name(),
        }
    }

    fn write_annotation_name(&self, out: &mut String) {
        match self {
            // DSPy has prompts show reasoning as the text that it is.
            Self::Reasoning => out.push_str("str"),
            Self::Code(Some(language)) => {
                out.push_str("Code_(");
                write_str_repr(out, language);
                out.push_str(",)");
            }
            _ => out.push_str(self.name()),
        }
    }
}

impl ScalarKind {
    /// The name of the Python class.
    pub fn name(self) -> &'static str {
        match self {
            Self::Datetime => "datetime",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timedelta => "timedelta",
            Self::Decimal => "Decimal",
            Self::Uuid => "UUID",
        }
    }
}

/// A field's name in words, which DSPy saves with a program as the prefix of the field.
///
/// As `infer_prefix` of DSPy 3.4.1:
///
/// ```
/// use lakelet::signature::infer_prefix;
/// assert_eq!(infer_prefix("getHTTPResponse_v2"), "Get HTTP Response V 2");
/// ```
pub fn infer_prefix(name: &str) -> String {
    // Most names have no words but those between underscores.
    let name = if name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(split_words(name))
    };
    let mut out = String::with_capacity(name.len() + 1);
    for (i, word) in name.split('_').enumerate() {
        out.push_str(if i > 0 { " " } else { "" });
        if is_upper(word) {
            out.push_str(word);
        } else {
            out.push_str(&capitalize(word));
        }
    }
    out
}

/// Puts `_` between words that only their case tells apart, and around numbers.
fn split_words(name: &str) -> String {
    let name = split_before_words(name);
    let name = split_between(&name, |a, b| (a.is_ascii_lowercase() || a.is_ascii_digit()) && b.is_ascii_uppercase());
    let name = split_between(&name, |a, b| a.is_ascii_alphabetic() && decimal_digit(b).is_some());
    split_between(&name, |a, b| decimal_digit(a).is_some() && b.is_ascii_alphabetic())
}

/// Puts `_` between any character but a line end and a capitalised word behind it: `(.)([A-Z][a-z]+)`.
fn split_before_words(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut out = String::with_capacity(name.len() + 8);
    let mut i = 0;
    while i < chars.len() {
        out.push(at(i));
        let word = at(i) != '\n' && at(i + 1).is_ascii_uppercase() && at(i + 2).is_ascii_lowercase();
        i += 1;
        if word {
            out.push('_');
            out.push(at(i));
            i += 1;
            while at(i).is_ascii_lowercase() {
                out.push(at(i));
                i += 1;
            }
        }
    }
    out
}

/// Puts `_` between two neighbours that fit; a character is the second neighbour of one pair and the first of none.
fn split_between(name: &str, fits: impl Fn(char, char) -> bool) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    let mut before = None;
    for c in name.chars() {
        let split = before.is_some_and(|before| fits(before, c));
        if split {
            out.push('_');
        }
        out.push(c);
        before = (!split).then_some(c);
    }
    out
}
