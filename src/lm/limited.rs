//! A model behind a limiter.

use std::rc::Rc;
use std::task::Poll;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use futures_util::{FutureExt, StreamExt, TryFutureExt, stream};
use serde_json::{Map, Value as Json};

use super::limiter::{Limiter, Permit};
use super::{Capabilities, ChatRequest, ChatResponse, Delta, LanguageModel, begun};
use crate::error::{Error, ErrorKind, Result};
use crate::http::deadline::Deadline;
use crate::http::retry::{Policy, Tries};

/// A model that is asked through a [`Limiter`], which several may share: then they stand in one queue, each a caller of its own.
///
/// What the endpoint refuses because it is asked too much is asked again, when everybody's wait is over, before those who have not had
/// their turn.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::lm::{Limited, Limiter};
/// # fn example(workspace: lakelet::databricks::Workspace, host: lakelet::Host) -> lakelet::Result<()> {
/// let limiter = Limiter::new(host.clock, 5);
/// let model = Limited::new(Rc::new(workspace.chat("databricks-claude-sonnet-4-6")?), limiter.clone());
/// println!("{:?}", limiter.load());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Limited {
    model: Rc<dyn LanguageModel>,
    limiter: Limiter,
    caller: usize,
    retries: Policy,
}

impl Limited {
    /// The model, asked through the limiter.
    pub fn new(model: Rc<dyn LanguageModel>, limiter: Limiter) -> Self {
        let caller = limiter.new_caller();
        Self { model, limiter, caller, retries: Policy::default() }
    }

    /// Makes one call of the model after the other until one succeeds.
    async fn ask<T>(
        self,
        request: ChatRequest,
        ask: impl Fn(&dyn LanguageModel, ChatRequest) -> LocalBoxFuture<'static, Result<T>>,
    ) -> Result<(T, Permit)> {
        let clock = &**self.limiter.clock();
        let mut tries = Tries::new(self.retries, request.deadline_ms.unwrap_or(f64::INFINITY));
        let mut again = false;
        loop {
            let permit = self.turn(request.deadline_ms, again).await?;
            let error = match ask(&*self.model, ChatRequest { is_hurried: true, ..request.clone() }).await {
                Ok(answer) => return Ok((answer, permit)),
                Err(error) => error,
            };
            let is_throttled = throttles(&error);
            if request.is_hurried {
                if is_throttled {
                    permit.throttled(error.service().and_then(|service| service.retry_after_ms).unwrap_or_default());
                }
                return Err(error);
            }
            let wait_ms = tries.next_in_ms(clock, error)?;
            if is_throttled {
                permit.throttled(wait_ms);
            }
            drop(permit);
            if !is_throttled {
                clock.sleep(wait_ms).await;
            }
            again = true;
        }
    }

    async fn turn(&self, deadline_ms: Option<f64>, again: bool) -> Result<Permit> {
        let turn = self.limiter.turn(self.caller, again);
        match deadline_ms {
            Some(at) => {
                Deadline::new(Rc::clone(self.limiter.clock()), Some(at), f64::INFINITY).bound(turn.map(Ok)).await
            }
            None => Ok(turn.await),
        }
    }
}

/// Whether an endpoint says that it is asked too much.
fn throttles(error: &Error) -> bool {
    error.kind() == ErrorKind::RateLimited || error.service().is_some_and(|service| service.status == 503)
}

impl LanguageModel for Limited {
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
        let asked = self.clone().ask(request, |model, request| model.complete(request));
        Box::pin(async move {
            let (answer, permit) = asked.await?;
            permit.answered();
            Ok(answer)
        })
    }

    fn stream(&self, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        let asked = self.clone().ask(request, |model, request| begun(model.stream(request)));
        let opened = asked.map_ok(|(deltas, permit)| {
            permit.answered();
            let mut permit = Some(permit);
            let end = stream::poll_fn(move |_| {
                drop(permit.take());
                Poll::Ready(None)
            });
            deltas.chain(end)
        });
        opened.try_flatten_stream().boxed_local()
    }
}
