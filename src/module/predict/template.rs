//! A predictor's messages with places for its inputs, for engines that fill them in by themselves: SQL, row by row.

use serde_json::{Map as JsonMap, Value as Json, json};

use super::Predict;
use super::decision::Decisions;
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::lm::{Capabilities, Content, Message};
use crate::signature::{Field, Signature, Type};

/// What every call of a predictor sends, the values of its inputs aside.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    pub messages: Vec<TemplateMessage>,
    /// The inputs and the outputs, in the order of the signature.
    pub inputs: Vec<TemplateField>,
    pub outputs: Vec<TemplateField>,
    /// DSPy's name of the adapter, by which replies are read.
    pub adapter: String,
    /// The `response_format` that the adapter asks for.
    pub response_format: Option<Json>,
    /// Parameters of the request, by their wire names.
    pub options: JsonMap<String, Json>,
}

/// A message with places for inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateMessage {
    pub role: String,
    pub content: Vec<Piece>,
}

/// A part of a message's text.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Text(String),
    /// The place of an input, by its name: its value stands there as [`format_field_value`](crate::adapter::format_field_value) writes it.
    Input(String),
}

/// A field of the signature behind a template.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateField {
    pub name: String,
    /// Its type is `str`: a list of texts as the value of such an input is shown as numbered passages.
    pub is_text: bool,
}

impl Predict {
    /// The messages of every call to an endpoint that does nothing natively, with places for the inputs.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) where more than texts depends on the inputs or on how the endpoint answers: earlier turns
    /// of a conversation, pictures in demos, outputs that are decided by probabilities, several completions, an adapter that needs a model
    /// to read replies. Else as [`prompt`](Self::prompt).
    pub fn template(&self, model: Capabilities) -> Result<Template> {
        if !Decisions::of(&self.signature, &self.decision_settings)?.is_empty() {
            return Err(unsupported("outputs that are decided by probabilities need more than the text of a reply"));
        }
        if self.adapter.parse(&self.signature, "").is_err_and(|error| error.kind() == ErrorKind::Unsupported) {
            return Err(unsupported(&format!("{} needs a model to read a reply", self.adapter.name())));
        }
        if self.config.get("n").is_some_and(|n| !n.is_null() && *n != json!(1)) {
            return Err(unsupported("a template has one completion for each input").at_field("n"));
        }
        let mut messages = self.adapter.prefix(&self.signature, &self.demos)?;
        let fixed = messages.len();
        messages.extend(self.adapter.turns(&self.signature, &Example::new())?);
        let mark = unused(&messages)?;
        messages.truncate(fixed);
        messages.extend(self.adapter.turns(&self.signature, &marked(&self.signature, mark))?);
        let inputs: Vec<&str> = self.signature.inputs().map(|field| field.name.as_str()).collect();
        let messages = messages.iter().map(|message| split(message, mark, &inputs)).collect::<Result<_>>()?;
        let field = |field: &Field| TemplateField { name: field.name.clone(), is_text: field.ty == Type::Str };
        Ok(Template {
            messages,
            inputs: self.signature.inputs().map(field).collect(),
            outputs: self.signature.outputs().map(field).collect(),
            adapter: self.adapter.name().to_owned(),
            response_format: self.adapter.response_format(&self.signature, model)?,
            options: self.config.clone(),
        })
    }
}

/// The inputs, each with a text in its place that tells which one it is.
fn marked(signature: &Signature, mark: char) -> Example {
    let inputs = signature.inputs().enumerate();
    inputs.fold(Example::new(), |inputs, (i, field)| inputs.with(&field.name, format!("{mark}{i}{mark}")))
}

/// A character that is in no message.
fn unused(messages: &[Message]) -> Result<char> {
    let is_free = |c: &char| {
        messages.iter().all(|message| match &message.content {
            Content::Text(text) => !text.contains(*c),
            _ => true,
        })
    };
    // For private use: no text should have them, and this one may have some.
    ('\u{e000}'..='\u{f8ff}').find(is_free).ok_or_else(|| unsupported("the messages use up all private characters"))
}

fn split(message: &Message, mark: char, inputs: &[&str]) -> Result<TemplateMessage> {
    let Content::Text(text) = &message.content else {
        return Err(unsupported("a demo holds more than text"));
    };
    let piece = |(i, text): (usize, &str)| match i % 2 {
        0 => Some(Piece::Text(text.to_owned())),
        _ => Some(Piece::Input((*inputs.get(text.parse::<usize>().ok()?)?).to_owned())),
    };
    let content: Option<Vec<Piece>> = text.split(mark).enumerate().map(piece).collect();
    let content = content.ok_or_else(|| unsupported("an input is not shown as it is"))?;
    // Adapters take white space away at both ends of a message: where an input stands there, from its value.
    let at_end = |piece: Option<&Piece>| matches!(piece, Some(Piece::Text(text)) if text.is_empty());
    if content.len() > 1 && (at_end(content.first()) || at_end(content.last())) {
        return Err(unsupported("a message begins or ends with an input"));
    }
    Ok(TemplateMessage { role: message.role.to_owned(), content })
}

fn unsupported(message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("the predictor has no template: {message}"))
        .with_hint("Call it row by row instead.")
}

impl Template {
    /// The template as JSON, with members named as here; a message is `{role, content}`, and in its content a text stands for itself and
    /// `{input}` for the place of one.
    pub fn to_json(&self) -> Json {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => json!(text),
            Piece::Input(name) => json!({"input": name}),
        };
        let message = |message: &TemplateMessage| json!({"role": message.role, "content": message.content.iter().map(piece).collect::<Vec<_>>()});
        let fields = |fields: &[TemplateField]| -> Json {
            fields.iter().map(|field| json!({"name": field.name, "is_text": field.is_text})).collect()
        };
        json!({
            "messages": self.messages.iter().map(message).collect::<Vec<_>>(),
            "inputs": fields(&self.inputs),
            "outputs": fields(&self.outputs),
            "adapter": self.adapter,
            "response_format": self.response_format,
            "options": self.options,
        })
    }

    /// Reads what [`to_json`](Self::to_json) wrote; `None` for anything else.
    pub fn from_json(json: &Json) -> Option<Self> {
        let text = |json: &Json, name: &str| Some(json.get(name)?.as_str()?.to_owned());
        let piece = |piece: &Json| match piece {
            Json::String(text) => Some(Piece::Text(text.clone())),
            place => Some(Piece::Input(text(place, "input")?)),
        };
        let message = |message: &Json| {
            let content = message.get("content")?.as_array()?.iter().map(piece).collect::<Option<_>>()?;
            Some(TemplateMessage { role: text(message, "role")?, content })
        };
        let field = |field: &Json| {
            Some(TemplateField { name: text(field, "name")?, is_text: field.get("is_text")?.as_bool()? })
        };
        let fields = |name: &str| json.get(name)?.as_array()?.iter().map(field).collect::<Option<Vec<_>>>();
        Some(Self {
            messages: json.get("messages")?.as_array()?.iter().map(message).collect::<Option<_>>()?,
            inputs: fields("inputs")?,
            outputs: fields("outputs")?,
            adapter: text(json, "adapter")?,
            response_format: json.get("response_format").filter(|format| !format.is_null()).cloned(),
            options: json.get("options")?.as_object()?.clone(),
        })
    }
}
