//! Model serving: chat, completion and embedding endpoints, and the endpoints themselves.
//!
//! Both are asked at `POST /serving-endpoints/{name}/invocations`, Databricks' own route. It answers for every endpoint
//! whatever its task, and it has the endpoint in the path, so that a gateway can hold its list of allowed endpoints against
//! the URL alone. The OpenAI-compatible route takes the same body with the name as `model` inside it.

mod embeddings;
mod endpoints;
mod prompt;
mod reply;
mod stream;
mod thinking;

use futures_core::future::LocalBoxFuture;
use futures_core::stream::LocalBoxStream;
use serde_json::{Map, Value as Json};

pub use embeddings::{Embedder, Embeddings};
pub use endpoints::{Endpoint, ServingEndpoints};

use super::error::Target;
use super::{Call, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::http::url;
use crate::json;
use crate::lm::{Capabilities, ChatRequest, ChatResponse, Delta, LanguageModel, Prompt};

/// Members of the body that a call writes itself.
const RESERVED: [&str; 4] = ["messages", "prompt", "model", "stream"];

/// A chat model on a serving endpoint (task `llm/v1/chat`).
///
/// ```
/// use lakelet::databricks::Workspace;
/// use lakelet::lm::{ChatRequest, LanguageModel, Prompt};
/// # async fn example(workspace: Workspace) -> lakelet::Result<()> {
/// let model = workspace.chat("databricks-claude-sonnet-4-6")?.with_option("temperature", 0.into());
/// let tail = r#"{"role":"user","content":"Hi"}"#.to_owned();
/// let answer = model.complete(ChatRequest { prompt: Prompt { tail, ..Prompt::default() }, ..ChatRequest::default() }).await?;
/// println!("{:?}, {} tokens", answer.completions.first().map(|c| &c.text), answer.usage.total_tokens);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServingChat {
    workspace: Workspace,
    endpoint: String,
    path: String,
    options: Map<String, Json>,
    capabilities: Capabilities,
    /// It goes on with a text instead of answering messages.
    completes: bool,
}

impl ServingChat {
    /// What most endpoints can do: structured output and tools, but no reasoning.
    pub const CAPABILITIES: Capabilities =
        Capabilities { json_object: true, json_schema: true, function_calling: true, reasoning: false };

    pub(super) fn new(workspace: Workspace, endpoint: &str) -> Result<Self> {
        let endpoint = endpoint.strip_prefix("databricks/").unwrap_or(endpoint).to_owned();
        let path = invocations(&endpoint)?;
        let capabilities = Self::CAPABILITIES;
        Ok(Self { workspace, endpoint, path, options: Map::new(), capabilities, completes: false })
    }

    /// The model of an endpoint with the task `llm/v1/completions`: it is given the messages as one text, as DSPy gives them to models of
    /// the type `text`.
    pub(super) fn completing(workspace: Workspace, endpoint: &str) -> Result<Self> {
        let chat = Self::new(workspace, endpoint)?;
        Ok(Self { capabilities: Capabilities::default(), completes: true, ..chat })
    }

    /// Sends a parameter with every call (`temperature`, `max_tokens`, `reasoning_effort` ...), unless the call brings its own.
    pub fn with_option(mut self, name: &str, value: Json) -> Self {
        self.options.insert(name.to_owned(), value);
        self
    }

    /// Says what the endpoint can do, where that is not what [most](Self::CAPABILITIES) can.
    pub fn with_capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    fn call(&self, request: &ChatRequest, streamed: bool) -> Result<Call> {
        let body = self.body(request, streamed)?.into_bytes();
        Ok(Call::post(&self.path, body, Target::Endpoint(self.endpoint.clone())))
    }

    /// The request's body. The messages are JSON text already and go in as they are.
    fn body(&self, request: &ChatRequest, streamed: bool) -> Result<String> {
        let Prompt { prefix, tail } = &request.prompt;
        if let Some(name) = RESERVED.iter().find(|name| request.options.contains_key(**name)) {
            return Err(Error::new(ErrorKind::Input, format!("`{name}` cannot be given as an option of a chat call"))
                .at_field(name)
                .with_hint("The call writes it: messages from the prompt, the model from the endpoint's name."));
        }
        let mut body = String::with_capacity(prefix.len() + tail.len() + 512);
        if self.completes {
            body.push_str("{\"prompt\":");
            json::write_str(&mut body, &prompt::of_messages(&request.prompt)?);
        } else {
            body.push_str("{\"messages\":");
            request.prompt.write_json(&mut body);
        }
        let mut options = self.options.clone();
        options.retain(|name, _| !request.options.contains_key(name));
        options.extend(request.options.clone());
        thinking::translate(&self.endpoint, &mut options);
        let is_sent = |(name, value): &(&String, &Json)| match name.as_str() {
            "rollout_id" | "cache" => false, // for caches
            "response_format" if request.response_format.is_some() => false,
            _ => !value.is_null(),
        };
        for (name, value) in options.iter().filter(is_sent) {
            body.push(',');
            json::write_str(&mut body, name);
            body.push(':');
            json::write(&mut body, value);
        }
        if let Some(format) = &request.response_format {
            body.push_str(",\"response_format\":");
            body.push_str(format);
        }
        if streamed {
            body.push_str(",\"stream\":true");
            if !options.contains_key("stream_options") {
                body.push_str(",\"stream_options\":{\"include_usage\":true}");
            }
        }
        body.push('}');
        Ok(body)
    }
}

impl LanguageModel for ServingChat {
    fn name(&self) -> &str {
        &self.endpoint
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn defaults(&self) -> &Map<String, Json> {
        &self.options
    }

    fn complete(&self, request: ChatRequest) -> LocalBoxFuture<'static, Result<ChatResponse>> {
        let call = self.call(&request, false);
        let workspace = self.workspace.hurried(request.is_hurried);
        let endpoint = self.endpoint.clone();
        Box::pin(async move {
            let answer = workspace.whole(call?, request.deadline_ms).await?;
            reply::read(&answer.body, answer.served_model(), &endpoint)
        })
    }

    fn stream(&self, request: ChatRequest) -> LocalBoxStream<'static, Result<Delta>> {
        let several = |options: &Map<String, Json>| options.get("n").and_then(Json::as_f64).is_some_and(|n| n > 1.0);
        let call = match several(&request.options) || several(&self.options) {
            true => Err(Error::new(ErrorKind::Unsupported, "a stream carries one completion, so `n` must be 1")
                .at_field("n")
                .with_hint("Leave `n` out, or ask for the whole answer.")),
            false => self.call(&request, true),
        };
        stream::deltas(self.workspace.clone(), call, request.deadline_ms, request.is_hurried)
    }
}

fn invocations(endpoint: &str) -> Result<String> {
    Ok(format!("/serving-endpoints/{}/invocations", url::segment(endpoint)?))
}
