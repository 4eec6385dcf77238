//! Values as DSPy programs see them: Python's, in a form that keeps what prompts depend on.
//!
//! JSON alone would not do: a prompt shows `1.0` and `1` differently, a tuple or a date has its own text, and the order of
//! keys is the order on the page.

use std::rc::Rc;

use indexmap::IndexMap;

use crate::signature::{Decision, EnumType, ModelType};

/// Values by name, in order.
pub type Map = IndexMap<String, Value>;

/// A Python value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`, JSON `null`.
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, as decimal digits with an optional sign.
    BigInt(String),
    Float(f64),
    Str(String),
    List(Vec<Value>),
    /// A dict whose keys are all strings.
    Dict(Map),
    /// A dict with at least one key that is not a string.
    MixedDict(Vec<(Value, Value)>),
    Tuple(Vec<Value>),
    /// A set or frozenset, in the order given.
    Set(Vec<Value>),
    Bytes(Vec<u8>),
    /// A date, time, decimal or UUID: the text that Python's pydantic writes into JSON.
    Scalar(ScalarKind, String),
    /// A member of an enum: the enum and the position of the member.
    Enum(Rc<EnumType>, usize),
    /// An instance of a model or typed dict; fields in declaration order.
    Model(Rc<ModelType>, Map),
    /// One of DSPy's own types.
    Custom(Box<Custom>),
}

/// The scalar types that travel as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarKind {
    Datetime,
    Date,
    Time,
    Timedelta,
    Decimal,
    Uuid,
}

/// DSPy's own types, as `dspy.adapters.types` defines them (DSPy 3.4.1).
#[derive(Clone, Debug, PartialEq)]
pub enum Custom {
    /// A conversation: each message maps field names to values.
    History(Vec<Map>),
    /// `dspy.Image`, `Audio`, `File`, `Document`: the name and the attributes that were given.
    Media(&'static str, Map),
    Code(String),
    Reasoning(String),
    /// `dspy.ToolCalls`: each call has `name`, `args` and maybe `id`; results, when there are any.
    ToolCalls(Map),
    /// `dspy.Tool`: `name`, `desc`, `args`.
    Tool(Map),
    /// `dspy.Citations`: a list of citation objects.
    Citations(Vec<Value>),
    /// A `Noul`, `Choice` or `Score`: `value`, `confidence`, and what else is known.
    Decision(Rc<Decision>, Map),
    /// A `dspy.Example`: its fields, and the names of those that are inputs, when that was told.
    Example(Map, Option<Vec<String>>),
}

impl Value {
    /// The text, when the value is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The truth value, when the value is a `bool`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Self::Str(s.to_owned())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Self::Str(s)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Self::Int(i)
    }
}

impl From<f64> for Value {
    fn from(f: f64) -> Self {
        Self::Float(f)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

/// Plain JSON read as Python's `json.loads` reads it: whole numbers are integers, the others floats.
impl From<&serde_json::Value> for Value {
    fn from(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::None,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => match (n.as_i64(), n.as_u64()) {
                (Some(i), _) => Self::Int(i),
                (None, Some(u)) => Self::BigInt(u.to_string()),
                (None, None) => Self::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(s) => Self::Str(s.clone()),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(map) => Self::Dict(map.iter().map(|(k, v)| (k.clone(), Self::from(v))).collect()),
        }
    }
}
