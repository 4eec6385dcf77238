//! A model that stands for several.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use futures_util::{StreamExt, TryFutureExt};
use serde_json::{Map, Value as Json};

use super::{Capabilities, ChatRequest, ChatResponse, Delta, LanguageModel, begun};
use crate::error::{Error, ErrorKind, Result, Service};
use crate::http::retry::{Policy, Tries};
use crate::time::Clock;

/// How long a model is passed over that failed and did not say for how long; twice as long for each further failure.
const FIRST_BREAK_MS: f64 = 1000.0;
const LONGEST_BREAK_MS: f64 = 60_000.0;
/// How long a model is passed over that does not exist.
const MISSING_BREAK_MS: f64 = 300_000.0;

/// Asks the first of several models that can answer: one that is throttled or fails is passed over for as long as it asked for, or for a
/// while, and the next one is asked at once.
///
/// An answer names the model that gave it ([`ChatResponse::answered_by`]), and so does what was used. A stream passes over models until
/// its first piece is there, so that it never holds pieces of two.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::lm::Router;
/// # fn example(workspace: lakelet::databricks::Workspace, host: lakelet::Host) -> lakelet::Result<()> {
/// let sonnet = Rc::new(workspace.chat("databricks-claude-sonnet-4-6")?);
/// let llama = Rc::new(workspace.chat("databricks-meta-llama-3-3-70b-instruct")?);
/// let model = Router::new(host.clock, vec![sonnet, llama])?
///     .telling(|passed| eprintln!("{} passed over: {}", passed.model, passed.error));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Router {
    routes: Rc<[Route]>,
    clock: Rc<dyn Clock>,
    name: Rc<str>,
    capabilities: Capabilities,
    retries: Policy,
    tell: Option<Listener>,
}

type Listener = Rc<dyn Fn(&PassedOver)>;

/// A model that was passed over.
#[derive(Clone, Debug)]
pub struct PassedOver {
    pub model: Rc<str>,
    /// Why.
    pub error: Error,
    /// How long it is not asked.
    pub for_ms: f64,
}

struct Route {
    model: Rc<dyn LanguageModel>,
    name: Rc<str>,
    /// The model is not asked before this moment.
    closed_until_ms: Cell<f64>,
    failures: Cell<i32>,
    /// The last one.
    failure: RefCell<Option<Error>>,
}

impl Router {
    /// Asks these models, the first one first.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when there is none.
    pub fn new(clock: Rc<dyn Clock>, models: Vec<Rc<dyn LanguageModel>>) -> Result<Self> {
        let all = |can: fn(Capabilities) -> bool| models.iter().all(|model| can(model.capabilities()));
        let capabilities = Capabilities {
            json_object: all(|of| of.json_object),
            json_schema: all(|of| of.json_schema),
            function_calling: all(|of| of.function_calling),
            reasoning: all(|of| of.reasoning),
        };
        let name = models.iter().map(|model| model.name()).collect::<Vec<_>>().join(" | ").into();
        let routes: Rc<[Route]> = models.into_iter().map(Route::new).collect();
        if routes.is_empty() {
            return Err(Error::new(ErrorKind::Config, "a router needs a model").with_hint("Give one model at least."));
        }
        Ok(Self { routes, clock, name, capabilities, retries: Policy::default(), tell: None })
    }

    /// How often all models are asked, and how long to wait in between when none of them can answer.
    pub fn with_retries(mut self, policy: Policy) -> Self {
        self.retries = policy;
        self
    }

    /// Tells of each model that is passed over.
    pub fn telling(mut self, tell: impl Fn(&PassedOver) + 'static) -> Self {
        self.tell = Some(Rc::new(tell));
        self
    }

    async fn ask<T>(
        self,
        request: ChatRequest,
        ask: impl Fn(&dyn LanguageModel, ChatRequest) -> LocalBoxFuture<'static, Result<T>>,
    ) -> Result<(T, Rc<str>)> {
        let tries = if request.is_hurried { 1 } else { self.retries.tries };
        let policy = Policy { tries, ..self.retries };
        let mut tries = Tries::new(policy, request.deadline_ms.unwrap_or(f64::INFINITY));
        loop {
            let now = self.clock.now_ms();
            for route in self.routes.iter().filter(|route| route.closed_until_ms.get() <= now) {
                match ask(&*route.model, ChatRequest { is_hurried: true, ..request.clone() }).await {
                    Ok(answer) => {
                        route.failures.set(0);
                        return Ok((answer, Rc::clone(&route.name)));
                    }
                    Err(error) if may_fall_back(&error) => self.pass_over(route, error),
                    Err(error) => return Err(error),
                }
            }
            let error = self.nobody()?;
            self.clock.sleep(tries.next_in_ms(&*self.clock, error)?).await;
        }
    }

    /// Why nobody answers: the failure that is over first, with the time until then.
    fn nobody(&self) -> Result<Error> {
        let now = self.clock.now_ms();
        let left = |route: &&Route| route.closed_until_ms.get() - now;
        let failures = self.routes.iter().filter(|route| route.failure.borrow().is_some());
        let first =
            failures.min_by(|a, b| (a.lasts(), left(a)).partial_cmp(&(b.lasts(), left(b))).unwrap_or(Ordering::Equal));
        let failure = first.and_then(|route| Some((route.failure.borrow().clone()?, left(&route))));
        let (error, left) = failure.ok_or_else(|| Error::new(ErrorKind::Config, "a router has no model"))?;
        Ok(match error.service().filter(|service| service.retry_after_ms.is_some()).cloned() {
            Some(service) => error.with_service(Service { retry_after_ms: Some(left.max(0.0)), ..service }),
            None => error,
        })
    }

    fn pass_over(&self, route: &Route, error: Error) {
        let doubled = FIRST_BREAK_MS * 2f64.powi(route.failures.get());
        let for_ms = match error.kind() {
            ErrorKind::NotFound => MISSING_BREAK_MS,
            _ => error.service().and_then(|service| service.retry_after_ms).unwrap_or(doubled.min(LONGEST_BREAK_MS)),
        };
        route.failures.set(route.failures.get().saturating_add(1));
        route.closed_until_ms.set(self.clock.now_ms() + for_ms);
        if let Some(tell) = &self.tell {
            tell(&PassedOver { model: Rc::clone(&route.name), error: error.clone(), for_ms });
        }
        route.failure.replace(Some(error));
    }
}

impl Route {
    fn new(model: Rc<dyn LanguageModel>) -> Self {
        let (name, closed_until_ms) = (model.name().into(), Cell::new(f64::NEG_INFINITY));
        Self { model, name, closed_until_ms, failures: Cell::new(0), failure: RefCell::new(None) }
    }

    /// Whether it failed for good, as far as one can tell.
    fn lasts(&self) -> bool {
        !self.failure.borrow().as_ref().is_some_and(Error::is_retryable)
    }
}

/// Whether another model may do better: not when the request itself is wrong, or nobody waits any longer.
fn may_fall_back(error: &Error) -> bool {
    use ErrorKind::{Network, NotFound, Protocol, RateLimited, Server};
    error.is_retryable() || matches!(error.kind(), RateLimited | Server | Network | Protocol | NotFound)
}

impl LanguageModel for Router {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Those of the first model.
    fn defaults(&self) -> &Map<String, Json> {
        static NONE: std::sync::LazyLock<Map<String, Json>> = std::sync::LazyLock::new(Map::new);
        self.routes.first().map_or(&*NONE, |route| route.model.defaults())
    }

    fn complete(&self, request: ChatRequest) -> LocalBoxFuture<'static, Result<ChatResponse>> {
        let asked = self.clone().ask(request, |model, request| model.complete(request));
        Box::pin(async move {
            let (mut answer, by) = asked.await?;
            answer.answered_by.get_or_insert(by);
            Ok(answer)
        })
    }

    fn stream(&self, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        let asked = self.clone().ask(request, |model, request| begun(model.stream(request)));
        let named = asked.map_ok(|(deltas, by)| {
            deltas.map(move |delta| {
                let mut delta = delta?;
                delta.answered_by.get_or_insert_with(|| Rc::clone(&by));
                Ok(delta)
            })
        });
        named.try_flatten_stream().boxed_local()
    }
}
