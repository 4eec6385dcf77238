//! Models: those of a workspace, and functions of the caller's that answer like one.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use futures_util::stream;
use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::*;

use super::errors::from_thrown;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, write_str};
use crate::lm::{Capabilities, ChatRequest, ChatResponse, Completion, Delta, LanguageModel, Usage};
use crate::platform::js::settled;

/// A model in wasm memory.
#[wasm_bindgen]
pub struct Model {
    pub(super) model: Rc<dyn LanguageModel>,
}

#[wasm_bindgen]
impl Model {
    /// A function from a request, as JSON text, to a promise of the reply: its text, or `{text, usage?, model?}`.
    /// `takes_schema` says that it understands `response_format`.
    pub fn of_function(name: String, answer: Function, takes_schema: bool) -> Self {
        Self { model: Rc::new(Answering { name, answer, takes_schema }) }
    }

    /// The same model, to be given away.
    pub fn copy(&self) -> Self {
        Self { model: Rc::clone(&self.model) }
    }
}

#[derive(Clone)]
struct Answering {
    name: String,
    answer: Function,
    takes_schema: bool,
}

impl Answering {
    async fn ask(self, request: ChatRequest) -> Result<ChatResponse> {
        let given = JsValue::from_str(&written(&request));
        let answer = self.answer.call1(&JsValue::NULL, &given).map_err(|thrown| from_thrown(&thrown))?;
        let answer = settled(&answer).await.map_err(|thrown| from_thrown(&thrown))?;
        let mut response = ChatResponse { model: self.name, ..ChatResponse::default() };
        let text = match answer.as_string() {
            Some(text) => text,
            None => read(&answer, &mut response)?,
        };
        response.completions.push(Completion { text: Some(text), ..Completion::default() });
        Ok(response)
    }
}

/// `{messages, response_format?, options}`.
fn written(request: &ChatRequest) -> String {
    let mut out = String::from("{\"messages\":");
    request.prompt.write_json(&mut out);
    if let Some(format) = &request.response_format {
        out.push_str(",\"responseFormat\":");
        out.push_str(format);
    }
    out.push_str(",\"options\":{");
    for (i, (name, value)) in request.options.iter().enumerate() {
        out.push_str(if i > 0 { "," } else { "" });
        write_str(&mut out, name);
        out.push(':');
        json::write(&mut out, value);
    }
    out.push_str("}}");
    out
}

fn read(answer: &JsValue, response: &mut ChatResponse) -> Result<String> {
    let member = |of: &JsValue, name: &str| Reflect::get(of, &JsValue::from_str(name)).unwrap_or_default();
    let text = member(answer, "text").as_string().ok_or_else(|| {
        Error::new(ErrorKind::Protocol, "the model function gave neither a text nor an object with a `text`")
            .with_hint("return the reply as a string, or { text, usage }")
    })?;
    if let Some(model) = member(answer, "model").as_string() {
        response.model = model;
    }
    let usage = member(answer, "usage");
    let count = |name| member(&usage, name).as_f64().unwrap_or_default() as u64;
    response.usage = Usage {
        prompt_tokens: count("promptTokens"),
        completion_tokens: count("completionTokens"),
        total_tokens: count("totalTokens"),
        cached_tokens: count("cachedTokens"),
        reasoning_tokens: count("reasoningTokens"),
    };
    Ok(text)
}

impl LanguageModel for Answering {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { json_schema: self.takes_schema, json_object: self.takes_schema, ..Capabilities::default() }
    }

    fn complete(&self, request: ChatRequest) -> LocalBoxFuture<'static, Result<ChatResponse>> {
        Box::pin(self.clone().ask(request))
    }

    /// The whole reply as one piece.
    fn stream(&self, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        let whole = self.clone().ask(request);
        Box::pin(stream::once(async move {
            let response = whole.await?;
            let text = response.completions.into_iter().next().and_then(|completion| completion.text);
            Ok(Delta {
                text: text.unwrap_or_default(),
                finish_reason: Some("stop".to_owned()),
                usage: Some(response.usage),
                model: Some(response.model),
                ..Delta::default()
            })
        }))
    }
}
