//! DSPy's own types on their way in and out: the name of a class, and its attributes.

use crate::error::{Error, ErrorKind};
use crate::value::{Custom, Map, Value};

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

/// A value in which DSPy's own types are their attributes, save those that are a text. Where each stood is noted in
/// `places`, the inner ones first: the steps that lead there, and its class.
pub(super) fn open(value: &Value, path: &mut Vec<Value>, places: &mut Vec<Value>) -> Value {
    let mut inside = |step: Value, value: &Value, places: &mut Vec<Value>| {
        path.push(step);
        let opened = open(value, path, places);
        path.pop();
        opened
    };
    let (class, attributes) = match value {
        Value::List(items) | Value::Tuple(items) => {
            let items = items.iter().enumerate().map(|(i, item)| inside(Value::Int(i as i64), item, places));
            return Value::List(items.collect());
        }
        Value::Dict(fields) | Value::Model(_, fields) => {
            let fields = fields.iter().map(|(name, field)| (name.clone(), inside(name.as_str().into(), field, places)));
            return Value::Dict(fields.collect());
        }
        Value::Custom(custom) => match custom.as_ref() {
            Custom::Code(text) | Custom::Reasoning(text) => return text.as_str().into(),
            Custom::Media(class, attributes) => (*class, Value::Dict(attributes.clone())),
            Custom::Tool(attributes) => ("Tool", Value::Dict(attributes.clone())),
            Custom::ToolCalls(attributes) => ("ToolCalls", Value::Dict(attributes.clone())),
            Custom::Citations(citations) => ("Citations", attribute("citations", citations.clone())),
            Custom::History(messages) => {
                ("History", attribute("messages", messages.iter().cloned().map(Value::Dict).collect()))
            }
        },
        plain => return plain.clone(),
    };
    let opened = open(&attributes, path, places);
    places.push(Value::List(vec![class.into(), Value::List(path.clone())]));
    opened
}

fn attribute(name: &str, items: Vec<Value>) -> Value {
    Value::Dict(Map::from_iter([(name.to_owned(), Value::List(items))]))
}
