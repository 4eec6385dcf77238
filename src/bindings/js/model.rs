//! Models: those of a workspace, and functions of the caller's that answer like one.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use js_sys::{Array, Function};
use serde_json::{Map, Value as Json};
use wasm_bindgen::prelude::*;

use super::errors::{from_thrown, thrown};
use super::options::Options;
use super::store::Store;
use crate::cache::Cached;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::lm::{Capabilities, ChatRequest, ChatResponse, Completion, Delta, Gathered, LanguageModel, wire};
use crate::platform::js::{member, settled};

/// A model in wasm memory.
#[wasm_bindgen]
pub struct Model {
    pub(super) model: Rc<dyn LanguageModel>,
}

#[wasm_bindgen]
impl Model {
    /// A function that answers: from a request, as JSON text, to `{reply, stop}`. The reply is a promise of an answer or of
    /// `{next}`, a function to promises of pieces. Answers and pieces are a text, or a list with the JSON text of what
    /// the chat-completions API would answer. The options: `{capabilities?, defaults?}`.
    pub fn of_function(name: String, answer: Function, length: usize) -> std::result::Result<Self, JsValue> {
        answering(name, answer, length).map(|it| Self { model: Rc::new(it) }).map_err(|error| thrown(&error))
    }

    /// The same model, whose answers are kept in a store.
    pub fn cached(&self, store: &Store) -> Self {
        Self { model: Rc::new(Cached::new(Rc::clone(&self.model), Rc::clone(&store.cache))) }
    }

    /// The same model, to be given away.
    pub fn copy(&self) -> Self {
        Self { model: Rc::clone(&self.model) }
    }
}

fn answering(name: String, answer: Function, length: usize) -> Result<Answering> {
    let options = Options::read(length)?;
    let capabilities = options.json("capabilities")?.unwrap_or_default();
    let can = |name: &str| capabilities.get(name).and_then(Json::as_bool).unwrap_or_default();
    let capabilities = Capabilities {
        json_object: can("jsonObject") || can("jsonSchema"),
        json_schema: can("jsonSchema"),
        function_calling: can("functionCalling"),
        reasoning: can("reasoning"),
    };
    Ok(Answering { name: name.into(), answer, capabilities, defaults: options.json("defaults")?.unwrap_or_default() })
}

#[derive(Clone)]
struct Answering {
    name: Rc<str>,
    answer: Function,
    capabilities: Capabilities,
    defaults: Map<String, Json>,
}

/// What a function answers, whole or in pieces. What it does is stopped when this is dropped.
struct Answer {
    call: JsValue,
    /// To the next piece; none for an answer that came whole.
    next: Option<Function>,
    first: JsValue,
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Ok(stop) = member(&self.call, "stop").dyn_into::<Function>() {
            let _ = stop.call0(&self.call);
        }
    }
}

impl Answering {
    async fn ask(self, request: ChatRequest) -> Result<Answer> {
        let given = JsValue::from_str(&self.written(&request));
        let call = self.answer.call1(&JsValue::NULL, &given).map_err(|thrown| from_thrown(&thrown))?;
        let mut answer = Answer { call, next: None, first: JsValue::UNDEFINED };
        answer.first = settled(&member(&answer.call, "reply")).await.map_err(|thrown| from_thrown(&thrown))?;
        answer.next = member(&answer.first, "next").dyn_into().ok();
        Ok(answer)
    }

    /// `{messages, responseFormat?, options}`.
    fn written(&self, request: &ChatRequest) -> String {
        let mut out = String::from("{\"messages\":");
        request.prompt.write_json(&mut out);
        if let Some(format) = &request.response_format {
            out.push_str(",\"responseFormat\":");
            out.push_str(format);
        }
        let mut options = self.defaults.clone();
        options.extend(request.options.clone());
        options.retain(|_, value| !value.is_null());
        out.push_str(",\"options\":");
        json::write(&mut out, &Json::Object(options));
        out.push('}');
        out
    }
}

impl Answer {
    async fn whole(self, name: &str) -> Result<ChatResponse> {
        if self.next.is_none() {
            return whole(&self.first, name);
        }
        let mut gathered = Gathered::default();
        let mut pieces = self.pieces(name.into());
        while let Some(piece) = pieces.try_next().await? {
            gathered.push(&piece);
        }
        let mut response = gathered.finish();
        if response.model.is_empty() {
            response.model = name.to_owned();
        }
        Ok(response)
    }

    fn pieces(self, name: Rc<str>) -> LocalBoxStream<'static, Result<Delta>> {
        let Some(next) = self.next.clone() else {
            return stream::iter([whole(&self.first, &name).map(Delta::from)]).boxed_local();
        };
        let pieces = stream::try_unfold(self, move |answer| {
            let piece = next.call0(&answer.first);
            async move {
                let piece = piece.map_err(|thrown| from_thrown(&thrown))?;
                let piece = settled(&piece).await.map_err(|thrown| from_thrown(&thrown))?;
                Ok(if piece.is_undefined() { None } else { Some((self::piece(&piece)?, answer)) })
            }
        });
        pieces.boxed_local()
    }
}

fn whole(answer: &JsValue, name: &str) -> Result<ChatResponse> {
    let mut response = match answer.as_string() {
        Some(text) => {
            let completion = Completion { text: Some(text), ..Completion::default() };
            ChatResponse { completions: vec![completion], ..ChatResponse::default() }
        }
        None => object(answer).and_then(|json| wire::response(&json)).ok_or_else(unreadable)?,
    };
    if response.model.is_empty() {
        response.model = name.to_owned();
    }
    Ok(response)
}

fn piece(piece: &JsValue) -> Result<Delta> {
    match piece.as_string() {
        Some(text) => Ok(Delta { text, ..Delta::default() }),
        None => object(piece).and_then(|json| wire::delta(&json)).ok_or_else(unreadable),
    }
}

fn object(of: &JsValue) -> Option<Json> {
    let text = of.dyn_ref::<Array>()?.get(0).as_string()?;
    json::read(text).ok()
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Protocol, "the model function gave nothing that is an answer").with_hint(
        "return a text, { text, usage }, what the chat-completions API answers, or an async iterable of pieces",
    )
}

impl LanguageModel for Answering {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn defaults(&self) -> &Map<String, Json> {
        &self.defaults
    }

    fn complete(&self, request: ChatRequest) -> LocalBoxFuture<'static, Result<ChatResponse>> {
        let (name, answer) = (Rc::clone(&self.name), self.clone().ask(request));
        Box::pin(async move { answer.await?.whole(&name).await })
    }

    fn stream(&self, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        let (name, answer) = (Rc::clone(&self.name), self.clone().ask(request));
        stream::once(answer).map_ok(move |answer| answer.pieces(Rc::clone(&name))).try_flatten().boxed_local()
    }
}
