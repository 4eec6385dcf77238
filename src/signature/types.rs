//! The types that a field can have.

use std::rc::Rc;

use serde_json::Value as Json;

use super::decision::Decision;
use crate::value::{ScalarKind, Value};

/// The type of a field, as Python's annotations have it.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    Any,
    Str,
    Int,
    Float,
    Bool,
    None,
    Bytes,
    Complex,
    Scalar(ScalarKind),
    /// `list` or `list[T]`.
    List(Option<Box<Type>>),
    /// `dict` or `dict[K, V]`.
    Dict(Option<Box<(Type, Type)>>),
    /// `tuple` or `tuple[A, B]`.
    Tuple(Option<Vec<Type>>),
    /// `tuple[T, ...]`.
    TupleOf(Box<Type>),
    Set(Option<Box<Type>>),
    FrozenSet(Option<Box<Type>>),
    /// `A | B`, `Union[A, B]`, `Optional[A]` (whose last member is [`Type::None`]), flat and without duplicates.
    Union(Vec<Type>),
    Literal(Vec<Value>),
    Enum(Rc<EnumType>),
    Model(Rc<ModelType>),
    /// A model inside itself, by name.
    ModelRef(String),
    Special(Special),
    /// An object described by JSON Schema, with the name that prompts show.
    JsonSchema(Rc<(String, Json)>),
    /// A type that prompts show under a name of its own, and that is otherwise the other one: `Sequence[int]`.
    Alias(Rc<(String, Type)>),
}

/// DSPy's own types.
#[derive(Clone, Debug, PartialEq)]
pub enum Special {
    History,
    Image,
    Audio,
    File,
    Document,
    /// `dspy.Code`, or `dspy.Code["java"]`.
    Code(Option<String>),
    Reasoning,
    Tool,
    ToolCalls,
    Citations,
    /// `Noul`, `Choice` or `Score` with its options.
    Decision(Rc<Decision>),
}

/// A Python `Enum`.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumType {
    pub name: String,
    /// `Enum`, `str`, `int`, `IntEnum` or `StrEnum`.
    pub base: String,
    /// Names and values.
    pub members: Vec<(String, Value)>,
}

/// A pydantic model, or a `TypedDict`.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelType {
    pub name: String,
    pub doc: Option<String>,
    /// `forbid`, `allow` or `ignore`.
    pub extra: Option<String>,
    pub typed_dict: bool,
    pub fields: Vec<ModelField>,
}

/// A field of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelField {
    pub name: String,
    pub ty: Type,
    pub description: Option<String>,
    /// A field without default is required.
    pub default: Option<Value>,
    pub alias: Option<String>,
    pub title: Option<String>,
    /// `ge`, `max_length`, ... by name, in order.
    pub constraints: Vec<(String, Value)>,
}

impl Type {
    /// `Optional[T]`.
    pub fn optional(inner: Type) -> Self {
        Self::Union(vec![inner, Self::None])
    }

    /// The one type beside `None` in a union of two; else the type itself.
    pub(crate) fn unless_none(&self) -> &Self {
        let Self::Union(members) = self else { return self };
        let mut others = members.iter().filter(|member| **member != Self::None);
        match (others.next(), others.next()) {
            (Some(single), None) => single,
            _ => self,
        }
    }

    /// Whether the type says that `None` may stand for a value: `None` itself, and unions that have it.
    ///
    /// As `annotation_allows_none` of DSPy 3.4.1, for which neither `Any` nor `Literal[None]` does.
    pub fn allows_none(&self) -> bool {
        match self {
            Self::None => true,
            Self::Union(members) => members.iter().any(Self::allows_none),
            Self::Alias(alias) => alias.1.allows_none(),
            _ => false,
        }
    }
}
