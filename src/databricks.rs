//! Databricks: a [`Workspace`] is where its services are called, each through a client of its own.

mod api;
pub mod auth;
mod config;
pub mod data;
mod databricks_rm;
mod environment;
pub mod error;
pub mod files;
pub mod jobs;
pub mod mlflow;
pub mod models;
mod names;
pub mod operations;
pub mod pipelines;
mod presigned;
mod relay;
pub mod serving;
pub mod sql;
mod tokens;
pub mod unity_catalog;
pub mod vector_search;
pub mod wait;
pub mod workspace_files;

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

pub use auth::{Credential, HostToken, Secret, TokenSource};
pub use config::{Config, Method, ReadFile, Sources};
pub use databricks_rm::DatabricksRm;
pub use environment::{IndexSettings, NamedColumns, services, warehouse, workspace};
pub use serving::{Embedder, Embeddings, ServingChat, ServingEndpoints};
pub use vector_search::{QueryType, VectorIndex};

use crate::cache::Cache;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Host;
use crate::http::deadline::Deadline;
use crate::http::url::{self, PlainHttp};
use crate::http::{Request, Response, retry};
use error::Target;

/// How long a call may take when its caller names no deadline: what Databricks' SDKs allow for all tries together.
const LONGEST_CALL_MS: f64 = 300_000.0;

/// A Databricks workspace, or a gateway that stands for one. Cloning is cheap and shares the credential's token.
///
/// ```
/// use lakelet::databricks::{Credential, Workspace};
/// # fn example(host: lakelet::Host) -> lakelet::Result<()> {
/// let workspace = Workspace::new("https://adb-1.azuredatabricks.net", Credential::token("dapi-example"), host)?;
/// let model = workspace.chat("databricks-meta-llama-3-3-70b-instruct")?;
/// let index = workspace.index("main.rag.docs_index")?.text_column("content");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Workspace {
    base: Rc<str>,
    id: Option<Rc<str>>,
    auth: Rc<auth::Auth>,
    host: Host,
    retries: retry::Policy,
    longest_call_ms: f64,
}

/// One call of a service, whatever the number of its tries.
#[derive(Clone)]
pub(crate) struct Call {
    pub method: &'static str,
    /// Starts with `/`; its segments are encoded. A query may follow.
    pub path: String,
    pub content_type: Cow<'static, str>,
    pub body: Vec<u8>,
    /// What the answer may be.
    pub accept: &'static str,
    /// Headers beside those that every call has.
    pub headers: Vec<(&'static str, String)>,
    /// What is called, for messages.
    pub target: Target,
    /// The headers of the answer that are read.
    pub reads: &'static [&'static str],
}

impl Call {
    /// A call of a model or an index: JSON that is posted.
    pub fn post(path: &str, body: Vec<u8>, target: Target) -> Self {
        Self {
            method: "POST",
            path: path.to_owned(),
            content_type: Cow::Borrowed("application/json"),
            body,
            accept: "application/json",
            headers: Vec::new(),
            target,
            reads: &[SERVED_MODEL],
        }
    }
}

/// A whole answer.
pub(crate) struct Answer {
    pub body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Answer {
    /// The value of a header that the call reads, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The model behind the endpoint that answered.
    pub fn served_model(&self) -> Option<String> {
        self.header(SERVED_MODEL).map(str::to_owned)
    }
}

/// The header that names the model behind an endpoint.
const SERVED_MODEL: &str = "served-model-name";

impl Workspace {
    /// A workspace by its address ([`url::base`] says which forms are understood) and the credential to call it with.
    ///
    /// The address of a gateway that adds the credential itself may be a path on the page's own origin; then the
    /// credential is [`Credential::None`].
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when the address or the credential cannot be right. Nothing is sent yet.
    pub fn new(address: &str, credential: Credential, host: Host) -> Result<Self> {
        Self::with_policy(address, credential, host, PlainHttp::Loopback)
    }

    /// Like [`new`](Self::new), but sends the credential over plain `http` to any host: for closed networks, where
    /// something else protects the wire.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn over_plain_http(address: &str, credential: Credential, host: Host) -> Result<Self> {
        Self::with_policy(address, credential, host, PlainHttp::Anywhere)
    }

    fn with_policy(address: &str, credential: Credential, host: Host, plain_http: PlainHttp) -> Result<Self> {
        let base = url::base(address, plain_http)?;
        let own_origin = base.is_empty() || base.starts_with('/');
        if own_origin && !matches!(credential, Credential::None) {
            return Err(Error::new(
                ErrorKind::Config,
                "a page must not hold a credential for a gateway on its own origin",
            )
            .with_hint("Use Credential::None: the gateway adds the credential."));
        }
        let auth = Rc::new(auth::Auth::new(credential, &base)?);
        let retries = retry::Policy::default();
        Ok(Self { base: base.into(), id: None, auth, host, retries, longest_call_ms: LONGEST_CALL_MS })
    }

    /// Names the workspace in every request, for addresses that several workspaces share (`DATABRICKS_WORKSPACE_ID`).
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when this cannot be an id.
    pub fn with_id(mut self, id: &str) -> Result<Self> {
        auth::check(id, "DATABRICKS_WORKSPACE_ID")?;
        self.id = Some(id.into());
        Ok(self)
    }

    /// Keeps the tokens of a service principal in a store, and looks there before it fetches one: for workspaces that live shortly.
    ///
    /// **The texts in the store are credentials.** Who can read them can act as the service principal for an hour.
    pub fn with_token_store(mut self, store: Rc<dyn Cache>) -> Self {
        self.auth = Rc::new(self.auth.keeping(store));
        self
    }

    /// How often calls are tried, and how long they wait in between.
    pub fn with_retries(mut self, policy: retry::Policy) -> Self {
        self.retries = policy;
        self
    }

    /// How long a call may take, all its tries and waits included, when its caller names no earlier deadline.
    pub fn with_longest_call_ms(mut self, longest_call_ms: f64) -> Self {
        self.longest_call_ms = longest_call_ms;
        self
    }

    /// The normalised address.
    pub fn address(&self) -> &str {
        &self.base
    }

    /// A chat model on a serving endpoint. The prefix `databricks/` of DSPy's model names may stand before the name.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when the name cannot be one.
    pub fn chat(&self, endpoint: &str) -> Result<ServingChat> {
        ServingChat::new(self.clone(), endpoint)
    }

    /// A model that completes text, on a serving endpoint with the task `llm/v1/completions`. It is given the messages of a chat as one
    /// text.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when the name cannot be one.
    pub fn completion(&self, endpoint: &str) -> Result<ServingChat> {
        ServingChat::completing(self.clone(), endpoint)
    }

    /// An embedding model on a serving endpoint.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when the name cannot be one.
    pub fn embedder(&self, endpoint: &str) -> Result<Embedder> {
        Embedder::new(self.clone(), endpoint)
    }

    /// A Vector Search index, by its full name `catalog.schema.index`.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when the name cannot be one.
    pub fn index(&self, name: &str) -> Result<VectorIndex> {
        VectorIndex::new(self.clone(), name)
    }

    /// DSPy's `DatabricksRM` over the same index.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when the name cannot be one.
    pub fn databricks_rm(&self, name: &str) -> Result<DatabricksRm> {
        DatabricksRm::new(self.clone(), name)
    }

    /// The time on the host's clock, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> f64 {
        self.host.clock.now_ms()
    }

    /// The same workspace, which tries nothing again if its caller is in a hurry.
    pub(crate) fn hurried(&self, is_hurried: bool) -> Self {
        let tries = if is_hurried { 1 } else { self.retries.tries };
        self.clone().with_retries(retry::Policy { tries, ..self.retries })
    }

    pub(crate) fn deadline(&self, at_ms: Option<f64>) -> Deadline {
        Deadline::new(self.host.clock.clone(), at_ms, self.longest_call_ms)
    }

    /// Makes a call and reads the whole answer, within a deadline.
    pub(crate) async fn whole(self, call: Call, deadline_ms: Option<f64>) -> Result<Answer> {
        let mut deadline = self.deadline(deadline_ms);
        let call = Rc::new(call);
        let at_ms = deadline.at_ms();
        let workspace = self.clone();
        let tries = self.retry(at_ms, move || {
            let (workspace, call) = (workspace.clone(), call.clone());
            Box::pin(async move {
                let response = workspace.open(&call).await?;
                let Response { headers, body, .. } = response;
                let body = body.whole().await.map_err(|error| error::cut_short(&call.target, error))?;
                Ok(Answer { body, headers })
            })
        });
        deadline.bound(tries).await
    }

    /// Runs attempts as the retry policy says.
    pub(crate) async fn retry<T>(
        &self,
        deadline_ms: f64,
        attempt: impl Fn() -> LocalBoxFuture<'static, Result<T>>,
    ) -> Result<T> {
        retry::run(&*self.host.clock, self.retries, deadline_ms, attempt).await
    }

    /// The tries that the policy allows a call.
    pub(crate) fn tries(&self, deadline_ms: f64) -> retry::Tries {
        retry::Tries::new(self.retries, deadline_ms)
    }

    /// One attempt: sends the call with the credential and returns once the head of a good answer is there. A refused
    /// token that can be renewed is renewed, and the call sent once more.
    pub(crate) async fn open(&self, call: &Call) -> Result<Response> {
        let mut renewed = false;
        loop {
            let token = self.auth.bearer(&self.host).await?;
            let request = self.request(call, token.as_deref());
            let response = match self.host.fetch.send(request).await {
                Ok(response) => response,
                Err(error) => return Err(error::unreachable(&call.target, &self.base, error)),
            };
            if (200..300).contains(&response.status) {
                return Ok(response);
            }
            if response.status == 401 && !renewed && token.as_deref().is_some_and(|token| self.auth.forget(token)) {
                renewed = true;
                continue;
            }
            let secrets: Vec<&str> = token.as_deref().into_iter().collect();
            let refusal = error::Refusal::read(response, self.host.clock.now_ms(), &secrets).await;
            return Err(refusal.into_error(&call.target, &self.base, self.auth.kind()));
        }
    }

    fn request(&self, call: &Call, token: Option<&str>) -> Request {
        let mut headers = vec![("accept".into(), call.accept.to_owned())];
        headers.extend(call.headers.iter().map(|(name, value)| ((*name).into(), value.clone())));
        if !call.body.is_empty() {
            headers.push(("content-type".into(), call.content_type.to_string()));
        }
        if let Some(token) = token {
            headers.push(("authorization".into(), format!("Bearer {token}")));
        }
        if let Some(id) = &self.id {
            headers.push(("x-databricks-workspace-id".into(), id.to_string()));
        }
        let url = format!("{}{}", self.base, call.path);
        Request { method: call.method, url, headers, body: call.body.clone(), reads: call.reads }
    }
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Workspace({}, {:?})", self.base, self.auth.kind())
    }
}
