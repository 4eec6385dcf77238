//! Adapters: values to messages, and replies to values, byte for byte as DSPy's.
//!
//! An adapter says how fields stand in a message; `template` says which messages there are, and `history`, `media` and
//! `value` are the same for all. Adapters do what they are told with every byte: [`defang`] comes before them, where a value
//! is not trusted.

mod baml;
mod chat;
pub mod defang;
mod history;
mod json;
pub(crate) mod jsonable;
mod listener;
pub mod media;
mod named;
mod outputs;
mod partial;
mod template;
mod two_step;
mod value;
mod xml;

pub use baml::BamlAdapter;
pub use chat::ChatAdapter;
pub use json::JsonAdapter;
pub(crate) use jsonable::{JsonStyle, to_json, write_json};
pub use listener::{Chunk, StreamListener};
pub use named::{AdapterOptions, named};
pub(crate) use outputs::empty_reply;
pub use two_step::TwoStepAdapter;
pub use value::format_field_value;
pub use xml::XmlAdapter;

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use serde_json::Value as Json;

use crate::error::Result;
use crate::example::Example;
use crate::lm::{Capabilities, Message};
use crate::run::Run;
use crate::signature::Signature;
use crate::value::{Map, Value};

/// How a signature becomes messages and a reply becomes fields.
pub trait Adapter {
    /// DSPy's name of it, `ChatAdapter` for instance.
    fn name(&self) -> &'static str;

    /// Tools go to the endpoint as tools, and their calls come back as calls, where the endpoint can do that.
    fn native_function_calling(&self) -> bool {
        false
    }

    /// Whether the endpoint may ask for several calls at once, if the adapter has a say in it.
    fn parallel_tool_calls(&self) -> Option<bool> {
        None
    }

    /// Through what a reply that cannot be read is asked for once more.
    fn fallback(&self) -> Option<Rc<dyn Adapter>> {
        None
    }

    /// What stays the same from call to call: the system message and the demos.
    ///
    /// # Errors
    /// [`Signature`](crate::ErrorKind::Signature), when a type cannot be described; [`Input`](crate::ErrorKind::Input), when a
    /// demo holds a value that cannot be shown.
    fn prefix(&self, signature: &Signature, demos: &[Example]) -> Result<Vec<Message>>;

    /// What one call adds: the turns of a `History` input, and the user message. Inputs that are not given are left out.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input), when an input holds a value that cannot be shown; it names the field.
    fn turns(&self, signature: &Signature, inputs: &Example) -> Result<Vec<Message>>;

    /// Values as a user message shows inputs of type `str`, with nothing around them.
    ///
    /// # Errors
    /// As [`Adapter::turns`].
    fn inputs_text(&self, values: &Map) -> Result<String>;

    /// The `response_format` to send, if any.
    fn response_format(&self, signature: &Signature, model: Capabilities) -> Result<Option<Json>>;

    /// The output fields of a reply, in the order of the signature.
    ///
    /// # Errors
    /// [`Parse`](crate::ErrorKind::Parse), with the reply.
    fn parse(&self, signature: &Signature, reply: &str) -> Result<Map>;

    /// The output fields of a reply, for adapters that need a model to read it.
    ///
    /// # Errors
    /// As [`Adapter::parse`], and what that model fails with.
    fn read<'a>(&'a self, _run: &'a Run, signature: &'a Signature, reply: &'a str) -> LocalBoxFuture<'a, Result<Map>> {
        Box::pin(async move { self.parse(signature, reply) })
    }

    /// A reader for a reply that arrives in pieces.
    fn stream(&self, signature: &Signature) -> Box<dyn FieldStream>;
}

/// Reads a reply that arrives in pieces, and tells the fields as they grow.
///
/// What is told never goes back: the text of a field only gets longer, a list or object only grows, and once a field is done it
/// does not change.
pub trait FieldStream {
    /// Takes the next piece and tells what it brought.
    fn push(&mut self, piece: &str, told: &mut Vec<FieldUpdate>);

    /// The reply has ended: tells what was held back.
    fn finish(&mut self, told: &mut Vec<FieldUpdate>);
}

/// News of one field of a streamed reply.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldUpdate {
    pub field: String,
    pub news: News,
}

/// What is new of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// More text of a `str` field.
    Text(String),
    /// A list, a dict or the like so far, while it is being written: its complete parts, and the text that is being written in it.
    /// A model shows as a dict of the fields that are there.
    Partial(Value),
    /// The whole value, complete and of the field's type.
    Value(Value),
}

impl FieldUpdate {
    /// More text of a `str` field; empty for other news.
    pub fn text(&self) -> &str {
        match &self.news {
            News::Text(text) => text,
            _ => "",
        }
    }

    /// The whole value, if that is the news.
    pub fn value(&self) -> Option<&Value> {
        match &self.news {
            News::Value(value) => Some(value),
            _ => None,
        }
    }
}
