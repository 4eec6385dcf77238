//! A record of answers, from which work that was broken off goes on.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use futures_util::{FutureExt, StreamExt};
use serde_json::{Map, Value as Json, json};

use super::model::request_key;
use super::{Cache, entry};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::lm::{Capabilities, ChatRequest, ChatResponse, Delta, LanguageModel, Usage};
use crate::time::Clock;

/// The answers of models, as work comes by them, in a store of the caller's.
///
/// What an optimizer does follows from its seed and from the answers of the models. So the answers are all that it takes to go on after a
/// crash: the work is begun anew with the same journal, and what was answered before is not asked again. It costs the same again in a
/// [`Budget`](crate::run::Budget), so that it ends where it would have ended. Failures are not kept: what failed is asked again.
///
/// Unlike a [cache](super::Cached) it keeps an answer for each time that something is asked.
#[derive(Clone)]
pub struct Journal(Rc<Shared>);

struct Shared {
    store: Rc<dyn Cache>,
    job: String,
    asked: RefCell<HashMap<String, u64>>,
    replayed: Cell<u64>,
}

impl Journal {
    /// A journal of the work `job`, whose name tells it apart from other work in the store.
    pub fn new(store: Rc<dyn Cache>, job: &str) -> Self {
        let (asked, replayed) = Default::default();
        Self(Rc::new(Shared { store, job: job.to_owned(), asked, replayed }))
    }

    /// How many answers came from the journal so far.
    pub fn replayed(&self) -> u64 {
        self.0.replayed.get()
    }

    /// The place of an answer in the store. A request that is made again has another one.
    fn place(&self, model: &dyn LanguageModel, request: &ChatRequest) -> Option<String> {
        let key = request_key(model, request)?;
        let mut asked = self.0.asked.borrow_mut();
        let times = asked.entry(key.clone()).or_default();
        *times += 1;
        Some(format!("{}/{key}/{times}", self.0.job))
    }
}

/// A model whose answers are written down in a journal.
#[derive(Clone)]
pub(crate) struct Journaled {
    pub model: Rc<dyn LanguageModel>,
    pub journal: Journal,
    pub clock: Rc<dyn Clock>,
    /// Grows by the milliseconds that replayed answers took when they were asked for.
    pub replayed_ms: Rc<Cell<f64>>,
}

impl Journaled {
    async fn ask(self, request: ChatRequest) -> Result<ChatResponse> {
        let Self { model, journal, clock, replayed_ms } = self;
        let Some(place) = journal.place(&*model, &request) else { return model.complete(request).await };
        if let Some((answer, ms)) = journal.0.store.get(&place).await?.as_deref().and_then(read) {
            journal.0.replayed.set(journal.replayed() + 1);
            replayed_ms.set(replayed_ms.get() + ms);
            // What the cache knew when it was asked first, it is to know when it is asked again.
            model.recall(&request, &answer).await;
            return Ok(answer);
        }
        let asked_ms = clock.now_ms();
        let answer = model.complete(request).await?;
        let text = write(&answer, clock.now_ms() - asked_ms);
        journal.0.store.put(&place, text).await.map_err(|error| {
            Error::new(ErrorKind::Cancelled, format!("the journal cannot be written: {}", error.message()))
                .with_hint("make room in the store, or work without a journal")
        })?;
        Ok(answer)
    }
}

impl LanguageModel for Journaled {
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
        Box::pin(self.clone().ask(request))
    }

    fn stream(&self, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        self.clone().ask(request).map(|answer| answer.map(Delta::from)).into_stream().boxed_local()
    }
}

/// An answer, what was used for it, and how many milliseconds it took.
fn write(answer: &ChatResponse, ms: f64) -> String {
    let Usage { prompt_tokens, completion_tokens, total_tokens, cached_tokens, reasoning_tokens } = answer.usage;
    json::text(&json!({
        "answer": entry::write(answer), "answered_by": answer.answered_by.as_deref(), "reported": answer.reported, "ms": ms,
        "usage": [prompt_tokens, completion_tokens, total_tokens, cached_tokens, reasoning_tokens],
    }))
}

fn read(text: &str) -> Option<(ChatResponse, f64)> {
    let json = json::read(text).ok()?;
    let tokens = |place: usize| json.get("usage")?.get(place)?.as_u64();
    let usage = Usage {
        prompt_tokens: tokens(0)?,
        completion_tokens: tokens(1)?,
        total_tokens: tokens(2)?,
        cached_tokens: tokens(3)?,
        reasoning_tokens: tokens(4)?,
    };
    let answer = ChatResponse {
        usage,
        answered_by: json.get("answered_by")?.as_str().map(Rc::from),
        reported: json.get("reported")?.as_object()?.clone(),
        ..entry::read(json.get("answer")?.as_str()?)?
    };
    Some((answer, json.get("ms")?.as_f64()?))
}
