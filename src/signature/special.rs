//! DSPy's own types as the models that they are in Python (DSPy 3.4.1).

use super::schema::docstring;
use super::types::{ModelField, ModelType, Special, Type};
use crate::value::Value;

impl Special {
    /// The model that the type is.
    pub(crate) fn model(&self) -> ModelType {
        let fields = match self {
            Self::History => vec![field("messages", list(dict(Type::Any)))],
            Self::Image => vec![field("url", Type::Str)],
            Self::Audio => vec![field("data", Type::Str), field("audio_format", Type::Str)],
            Self::File => ["file_data", "file_id", "filename"].map(maybe_text).into(),
            Self::Document => {
                let media_type = Type::Literal(["text/plain", "application/pdf"].map(Value::from).into());
                let media_type = with_default(field("media_type", media_type), "text/plain".into());
                vec![field("data", Type::Str), maybe_text("title"), media_type, maybe_text("context")]
            }
            Self::Code(_) => vec![field("code", Type::Str)],
            Self::Reasoning => vec![field("content", Type::Str)],
            Self::Tool => vec![
                field("func", Type::Alias(("Callable".to_owned(), Type::Any).into())),
                maybe_text("name"),
                maybe_text("desc"),
                maybe("args", dict(Type::Any)),
                maybe("arg_types", dict(Type::Any)),
                maybe("arg_desc", dict(Type::Str)),
                with_default(field("has_kwargs", Type::Bool), false.into()),
            ],
            Self::ToolCalls => {
                let calls = list(Type::Model(tool_call().into()));
                vec![field("tool_calls", calls), maybe("tool_call_results", Type::Any)]
            }
            Self::Citations => vec![field("citations", list(Type::Model(citation().into())))],
            Self::Decision(decision) => decision.fields(),
        };
        let doc = if let Self::Code(Some(_)) = self { None } else { docstring(self.name()) };
        let is_closed = matches!(self, Self::History | Self::Decision(_));
        let extra = is_closed.then(|| "forbid".to_owned());
        ModelType { name: self.name().to_owned(), doc, extra, typed_dict: false, fields }
    }
}

/// `dspy.ToolCalls.ToolCall`.
pub(crate) fn tool_call() -> ModelType {
    model("ToolCall", vec![maybe_text("id"), field("name", Type::Str), field("args", dict(Type::Any))])
}

/// `dspy.Citations.Citation`.
pub(crate) fn citation() -> ModelType {
    let fields = vec![
        with_default(field("type", Type::Str), "char_location".into()),
        field("cited_text", Type::Str),
        field("document_index", Type::Int),
        maybe_text("document_title"),
        field("start_char_index", Type::Int),
        field("end_char_index", Type::Int),
        maybe_text("supported_text"),
    ];
    model("Citation", fields)
}

fn model(name: &str, fields: Vec<ModelField>) -> ModelType {
    ModelType { name: name.to_owned(), doc: None, extra: None, typed_dict: false, fields }
}

pub(super) fn field(name: &str, ty: Type) -> ModelField {
    ModelField {
        name: name.to_owned(),
        ty,
        description: None,
        default: None,
        alias: None,
        title: None,
        constraints: Vec::new(),
    }
}

fn with_default(field: ModelField, default: Value) -> ModelField {
    ModelField { default: Some(default), ..field }
}

pub(super) fn maybe(name: &str, ty: Type) -> ModelField {
    with_default(field(name, Type::optional(ty)), Value::None)
}

fn maybe_text(name: &str) -> ModelField {
    maybe(name, Type::Str)
}

fn list(item: Type) -> Type {
    Type::List(Some(Box::new(item)))
}

fn dict(value: Type) -> Type {
    Type::Dict(Some(Box::new((Type::Str, value))))
}
