//! A language model with a memory.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value as Json};

use super::{Cache, entry, key};
use crate::error::Result;
use crate::json;
use crate::lm::{Capabilities, ChatRequest, ChatResponse, Delta, Gathered, LanguageModel, Usage};

/// What DSPy's key says of the function that asks.
const ASKED_BY: &str = "dspy.clients.lm.litellm_completion";

/// A model whose answers are kept and given again to the same request. What comes from the cache costs nothing; a streamed
/// answer comes from it in one piece.
///
/// The option `cache`, `false` in a call or among the model's own, asks the model itself. A `rollout_id` tells calls apart
/// that are the same otherwise. Errors are not kept, and a store that fails is passed over.
#[derive(Clone)]
pub struct Cached {
    model: Rc<dyn LanguageModel>,
    store: Rc<dyn Cache>,
}

impl Cached {
    /// Keeps the answers of a model in a store, which several models may share: their names tell them apart.
    pub fn new(model: Rc<dyn LanguageModel>, store: Rc<dyn Cache>) -> Self {
        Self { model, store }
    }

    /// The key of a request; `None` when it is not to be answered from the cache.
    fn key(&self, request: &ChatRequest) -> Option<String> {
        let option = request.options.get("cache").or_else(|| self.model.defaults().get("cache"));
        if option == Some(&Json::Bool(false)) { None } else { request_key(&*self.model, request) }
    }

    async fn find(&self, key: Option<&str>) -> Option<ChatResponse> {
        entry::read(&self.store.get(key?).await.ok().flatten()?)
    }

    async fn keep(&self, key: Option<String>, answer: &ChatResponse) {
        if let Some(key) = key {
            _ = self.store.put(&key, entry::write(answer)).await; // the answer is there, kept or not
        }
    }
}

/// The key of a request to a model.
pub(super) fn request_key(model: &dyn LanguageModel, request: &ChatRequest) -> Option<String> {
    let mut messages = String::new();
    request.prompt.write_json(&mut messages);
    let mut all = Map::new();
    all.insert("model".to_owned(), model.name().into());
    all.insert("messages".to_owned(), json::read(&messages).ok()?);
    all.extend(model.defaults().iter().chain(&request.options).map(|(name, value)| (name.clone(), value.clone())));
    if let Some(format) = &request.response_format {
        all.insert("response_format".to_owned(), json::read(&**format).ok()?);
    }
    match &request.rollout_id {
        Some(rollout_id) => _ = all.insert("rollout_id".to_owned(), rollout_id.clone()),
        None => _ = all.shift_remove("rollout_id"),
    }
    all.shift_remove("cache");
    all.insert("_fn_identifier".to_owned(), ASKED_BY.into());
    Some(key(&all))
}

impl LanguageModel for Cached {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.model.capabilities()
    }

    fn defaults(&self) -> &Map<String, Json> {
        self.model.defaults()
    }

    fn complete(&self, request: ChatRequest) -> LocalBoxFuture<'static, Result<ChatResponse>> {
        let this = self.clone();
        Box::pin(async move {
            let key = this.key(&request);
            if let Some(answer) = this.find(key.as_deref()).await {
                return Ok(answer);
            }
            let answer = this.model.complete(request).await?;
            this.keep(key, &answer).await;
            Ok(answer)
        })
    }

    fn stream(&self, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        let this = self.clone();
        let answer = async move {
            let key = this.key(&request);
            match this.find(key.as_deref()).await {
                Some(answer) => stream::once(async { Ok(in_one_piece(answer)) }).boxed_local(),
                None => this.kept_stream(key, request),
            }
        };
        stream::once(answer).flatten().boxed_local()
    }

    fn recall(&self, request: &ChatRequest, answer: &ChatResponse) -> LocalBoxFuture<'static, ()> {
        let (this, key, answer) = (self.clone(), self.key(request), answer.clone());
        Box::pin(async move { this.keep(key, &answer).await })
    }
}

impl Cached {
    /// The model's own stream, whose pieces are kept together once it has ended well.
    fn kept_stream(self, key: Option<String>, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        let deltas = self.model.stream(request);
        let state = Some((self, deltas, key, Gathered::default()));
        let pieces = stream::unfold(state, |state| async move {
            let (this, mut deltas, key, mut gathered) = state?;
            match deltas.next().await {
                Some(Ok(delta)) => {
                    gathered.push(&delta);
                    Some((Ok(delta), Some((this, deltas, key, gathered))))
                }
                Some(Err(error)) => Some((Err(error), None)),
                None => {
                    this.keep(key, &gathered.finish()).await;
                    None
                }
            }
        });
        pieces.boxed_local()
    }
}

fn in_one_piece(answer: ChatResponse) -> Delta {
    let completion = answer.completions.into_iter().next().unwrap_or_default();
    let calls = completion.tool_calls.into_iter().zip(0_u64..).map(|(mut call, index)| {
        if let Json::Object(members) = &mut call {
            members.insert("index".to_owned(), index.into());
        }
        call
    });
    Delta {
        text: completion.text.unwrap_or_default(),
        reasoning: completion.reasoning.unwrap_or_default(),
        tool_calls: calls.collect(),
        citations: completion.citations,
        finish_reason: completion.finish_reason,
        usage: Some(Usage::default()),
        model: Some(answer.model),
        ..Delta::default()
    }
}
