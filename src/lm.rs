//! Language models: a [`ChatRequest`] in, a [`ChatResponse`] or a stream of [`Delta`]s out.

mod gather;
mod limited;
mod limiter;
mod message;
mod responses;
mod router;
mod usage;
pub(crate) mod wire;

pub use gather::Gathered;
pub use limited::Limited;
pub use limiter::{Limiter, Load};
pub use message::{Content, Message, Prompt, write_messages};
pub use responses::to_responses;
pub use router::{PassedOver, Router};
pub use usage::{Usage, UsageByModel};

use std::future;
use std::rc::Rc;
use std::sync::LazyLock;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use futures_util::{StreamExt, stream};
use serde_json::Value as Json;

use crate::error::Result;

/// A chat call, before the model's name and the transport are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatRequest {
    pub prompt: Prompt,
    /// `response_format` as JSON text.
    pub response_format: Option<Rc<str>>,
    /// Sampling parameters and tools by their wire names (`temperature`, `max_tokens`, `n`, `tools` ...), in order. They
    /// stand above the model's own [`defaults`](LanguageModel::defaults); `null` takes a default away and is not sent.
    pub options: serde_json::Map<String, Json>,
    /// Tells apart calls that are the same otherwise, so that a cache does not answer one with the other. It is never sent.
    pub rollout_id: Option<Json>,
    /// When the caller stops waiting, on the host's clock ([`Clock::now_ms`](crate::time::Clock::now_ms)). Retries and
    /// their waits count; what cannot end in time fails with [`Deadline`](crate::ErrorKind::Deadline).
    pub deadline_ms: Option<f64>,
    /// Somebody stands ready to ask another model, or to ask again: what fails before a piece of the answer is there fails at once,
    /// and is not tried again.
    pub is_hurried: bool,
}

/// One completion.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    /// `None` when the model sent none (it may have called tools instead).
    pub text: Option<String>,
    /// What the model said while it reasoned, where the endpoint tells.
    pub reasoning: Option<String>,
    /// OpenAI-form tool calls.
    pub tool_calls: Vec<Json>,
    /// What of the documents it was given the model cites, as the endpoint tells it.
    pub citations: Vec<Json>,
    /// How likely the tokens were, where the request asked for it.
    pub logprobs: Option<Json>,
    /// `stop`, `length`, `tool_calls`, `content_filter`.
    pub finish_reason: Option<String>,
}

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatResponse {
    /// `n` completions.
    pub completions: Vec<Completion>,
    /// The model version that answered.
    pub model: String,
    /// Which of several models that was, by its [name](LanguageModel::name).
    pub answered_by: Option<Rc<str>>,
    pub usage: Usage,
    /// All that the service reports of what was used, as it reports it.
    pub reported: serde_json::Map<String, Json>,
}

/// A piece of a streamed answer (one completion).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    /// The answer was cut, and begins again: what came before does not count.
    pub begins_anew: bool,
    pub text: String,
    pub reasoning: String,
    /// Pieces of OpenAI-form tool calls; [`Gathered`] joins them by their `index`.
    pub tool_calls: Vec<Json>,
    pub citations: Vec<Json>,
    pub finish_reason: Option<String>,
    /// Totals; they come once, near the end.
    pub usage: Option<Usage>,
    /// With the totals: all that the service reports of what was used, as it reports it.
    pub reported: serde_json::Map<String, Json>,
    pub model: Option<String>,
    /// Which of several models answers, by its [name](LanguageModel::name).
    pub answered_by: Option<Rc<str>>,
}

/// A whole answer as one piece: its first completion.
impl From<ChatResponse> for Delta {
    fn from(answer: ChatResponse) -> Self {
        let completion = answer.completions.into_iter().next().unwrap_or_default();
        Self {
            begins_anew: false,
            text: completion.text.unwrap_or_default(),
            reasoning: completion.reasoning.unwrap_or_default(),
            tool_calls: completion.tool_calls,
            citations: completion.citations,
            finish_reason: completion.finish_reason,
            usage: Some(answer.usage),
            reported: answer.reported,
            model: Some(answer.model),
            answered_by: answer.answered_by,
        }
    }
}

/// A stream whose first piece is there; what failed before it is an error of its own.
fn begun(
    mut deltas: LocalBoxStream<'static, Result<Delta>>,
) -> LocalBoxFuture<'static, Result<LocalBoxStream<'static, Result<Delta>>>> {
    Box::pin(async move {
        match deltas.next().await.transpose()? {
            Some(first) => Ok(stream::once(async { Ok(first) }).chain(deltas).boxed_local()),
            None => Ok(deltas),
        }
    })
}

/// What an endpoint can do beyond text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// `response_format`, of type `json_object` at least.
    pub json_object: bool,
    /// `response_format` of type `json_schema`; nothing without `json_object`.
    pub json_schema: bool,
    /// `tools`.
    pub function_calling: bool,
    /// `reasoning_effort`, answered by reasoning content.
    pub reasoning: bool,
}

/// A model that can be asked.
pub trait LanguageModel {
    /// The name of the model or endpoint, for traces and usage.
    fn name(&self) -> &str;

    fn capabilities(&self) -> Capabilities;

    /// The parameters that the model sends with every call which does not bring its own: DSPy's `lm.kwargs`.
    fn defaults(&self) -> &serde_json::Map<String, Json> {
        static NONE: LazyLock<serde_json::Map<String, Json>> = LazyLock::new(serde_json::Map::new);
        &NONE
    }

    /// Asks and waits for the whole answer. Dropping the future aborts the call.
    fn complete(&self, request: ChatRequest) -> LocalBoxFuture<'static, Result<ChatResponse>>;

    /// Asks and yields the answer as it arrives. A stream that ends before the model was done yields an error of kind
    /// [`Protocol`](crate::ErrorKind::Protocol). Dropping the stream aborts the call.
    fn stream(&self, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>>;

    /// Hears what it answered to a request in earlier work, which is taken up again: a [cache](crate::cache::Cached) keeps it.
    fn recall(&self, request: &ChatRequest, answer: &ChatResponse) -> LocalBoxFuture<'static, ()> {
        _ = (request, answer);
        Box::pin(future::ready(()))
    }
}
