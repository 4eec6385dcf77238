//! DSPy's own types on their way in and out: the name of a class, and its attributes.

use crate::error::{Error, ErrorKind};
use crate::value::{Custom, Map, ScalarKind, Value};

const MEDIA: [&str; 4] = ["Image", "Audio", "File", "Document"];

/// What a class with these attributes is.
pub(super) fn read(class: &str, mut attributes: Map) -> Option<Custom> {
    if let Some(class) = MEDIA.into_iter().find(|known| *known == class) {
        return Some(Custom::Media(class, attributes));
    }
    Some(match class {
        "Code" => Custom::Code(text(attributes.swap_remove("code")?)?),
        "Reasoning" => Custom::Reasoning(text(attributes.swap_remove("content")?)?),
        "History" => {
            let messages = list(attributes.swap_remove("messages")?)?.into_iter();
            let message = |value| if let Value::Dict(message) = value { Some(message) } else { None };
            Custom::History(messages.map(message).collect::<Option<_>>()?)
        }
        "Citations" => Custom::Citations(list(attributes.swap_remove("citations")?)?),
        "ToolCalls" => Custom::ToolCalls(attributes),
        "Tool" => Custom::Tool(attributes),
        "Example" => Custom::Example(attributes, None),
        _ => return None,
    })
}

fn text(value: Value) -> Option<String> {
    if let Value::Str(text) = value { Some(text) } else { None }
}

fn list(value: Value) -> Option<Vec<Value>> {
    if let Value::List(items) = value { Some(items) } else { None }
}

pub(super) fn malformed(class: &str) -> Error {
    Error::new(ErrorKind::Input, format!("the attributes of a value of type `{class}` are of the wrong type"))
}

/// Values on their way out, with what JSON cannot say noted beside them.
pub(super) struct Opened {
    /// Note whole floats, tuples and dates as well, so that what goes in again is the same.
    exact: bool,
    path: Vec<Value>,
    /// Where objects of DSPy's own types stand, the inner ones first: the class, and the steps that lead there.
    pub places: Vec<Value>,
}

impl Opened {
    /// Only DSPy's own types are noted.
    pub fn plain() -> Self {
        Self { exact: false, path: Vec::new(), places: Vec::new() }
    }

    /// Everything is noted that JavaScript would not give back as it was.
    pub fn exact() -> Self {
        Self { exact: true, ..Self::plain() }
    }

    /// The value with DSPy's own types as their attributes, save those that are a text.
    pub fn open(&mut self, value: &Value) -> Value {
        match value {
            Value::List(items) => self.list(items),
            Value::Tuple(items) => {
                let items = self.list(items);
                self.note("tuple", items)
            }
            Value::Dict(fields) | Value::Model(_, fields) => self.fields(fields),
            Value::Float(number) if number.fract() == 0.0 => self.note("float", value.clone()),
            Value::Scalar(ScalarKind::Datetime, _) => self.note("datetime", value.clone()),
            Value::Custom(custom) => self.custom(custom),
            plain => plain.clone(),
        }
    }

    fn list(&mut self, items: &[Value]) -> Value {
        Value::List(items.iter().enumerate().map(|(i, item)| self.inside(Value::Int(i as i64), item)).collect())
    }

    fn fields(&mut self, fields: &Map) -> Value {
        let fields = fields.iter().map(|(name, field)| (name.clone(), self.inside(name.as_str().into(), field)));
        Value::Dict(fields.collect())
    }

    fn inside(&mut self, step: Value, value: &Value) -> Value {
        self.path.push(step);
        let opened = self.open(value);
        self.path.pop();
        opened
    }

    fn custom(&mut self, custom: &Custom) -> Value {
        let (class, attributes) = match custom {
            Custom::Code(text) | Custom::Reasoning(text) => return text.as_str().into(),
            Custom::Media(class, attributes) => (*class, self.fields(attributes)),
            Custom::Tool(attributes) => ("Tool", self.fields(attributes)),
            Custom::Decision(_, attributes) => return self.fields(attributes),
            Custom::Example(fields, _) => ("Example", self.fields(fields)),
            Custom::ToolCalls(attributes) => ("ToolCalls", self.fields(attributes)),
            Custom::Citations(citations) => ("Citations", self.attribute("citations", citations.clone())),
            Custom::History(messages) => {
                ("History", self.attribute("messages", messages.iter().cloned().map(Value::Dict).collect()))
            }
        };
        self.place(class);
        attributes
    }

    fn attribute(&mut self, name: &str, items: Vec<Value>) -> Value {
        self.fields(&Map::from_iter([(name.to_owned(), Value::List(items))]))
    }

    fn note(&mut self, kind: &str, opened: Value) -> Value {
        if self.exact {
            self.place(kind);
        }
        opened
    }

    fn place(&mut self, kind: &str) {
        self.places.push(Value::List(vec![kind.into(), Value::List(self.path.clone())]));
    }
}
