//! The serving endpoints of a workspace: what there is, and making, changing and deleting them.
//!
//! Source: <https://docs.databricks.com/api/workspace/servingendpoints>.

use serde_json::Value as Json;

use super::super::Workspace;
use super::super::api::ApiCall;
use super::super::error::Target;
use super::super::wait::{Look, Wait};
use super::invocations;
use crate::error::{Error, ErrorKind, Result};
use crate::http::url;

const ENDPOINTS: &str = "/api/2.0/serving-endpoints";

/// The serving endpoints of a workspace. Definitions are objects of the API as they are.
///
/// ```
/// use lakelet::databricks::wait::Wait;
/// use serde_json::json;
/// # async fn example(workspace: lakelet::databricks::Workspace) -> lakelet::Result<()> {
/// let endpoints = workspace.serving_endpoints();
/// let model = json!({"entity_name": "main.ml.rag", "entity_version": "1", "workload_size": "Small", "scale_to_zero_enabled": true});
/// let wait = Wait::default().telling(|progress| println!("{} {}", progress.state, progress.message));
/// endpoints.create_and_wait(&json!({"name": "rag", "config": {"served_entities": [model]}}), &wait).await?;
/// let answer = endpoints.query("rag", &json!({"dataframe_records": [{"question": "What is DSPy?"}]})).await?;
/// println!("{}", answer["predictions"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServingEndpoints {
    workspace: Workspace,
}

/// An endpoint as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    pub name: String,
    /// `llm/v1/chat`, `llm/v1/completions`, `llm/v1/embeddings`, `agent/v1/responses` ...; models of one's own have none.
    pub task: Option<String>,
    /// It answers.
    pub is_ready: bool,
    /// `NOT_UPDATING`, `IN_PROGRESS`, `UPDATE_FAILED` or `UPDATE_CANCELED`.
    pub config_update: String,
    /// All that the API tells.
    pub json: Json,
}

impl Workspace {
    /// The serving endpoints of the workspace.
    pub fn serving_endpoints(&self) -> ServingEndpoints {
        ServingEndpoints { workspace: self.clone() }
    }
}

impl ServingEndpoints {
    /// All endpoints that the caller may see.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn list(&self) -> Result<Vec<Endpoint>> {
        let answer =
            send(self.workspace.api("GET", ENDPOINTS, Target::Object("serving endpoints", String::new()))).await?;
        let endpoints = answer.get("endpoints").and_then(Json::as_array).cloned().unwrap_or_default();
        Ok(endpoints.into_iter().map(Endpoint::read).collect())
    }

    /// An endpoint.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is none of the name; what else the service refuses.
    pub async fn get(&self, name: &str) -> Result<Endpoint> {
        Ok(Endpoint::read(send(self.call("GET", name, "")?).await?))
    }

    /// Begins to make an endpoint: `{name, config: {served_entities, traffic_config?}, ai_gateway?, tags? ...}`.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) without a name; [`Conflict`](ErrorKind::Conflict) when there is one of the name; what else the service
    /// refuses.
    pub async fn create(&self, definition: &Json) -> Result<Endpoint> {
        let name = definition.get("name").and_then(Json::as_str).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::new(ErrorKind::Input, "the endpoint has no `name`").at_field("name"))?;
        Ok(Endpoint::read(send(self.workspace.api("POST", ENDPOINTS, target(name)).json(definition)).await?))
    }

    /// Makes an endpoint and waits until it answers.
    ///
    /// # Errors
    /// As [`create`](Self::create) and [`ready`](Self::ready). An endpoint that does not start is left in the workspace, and the hint says so.
    pub async fn create_and_wait(&self, definition: &Json, wait: &Wait) -> Result<Endpoint> {
        let made = self.create(definition).await?;
        self.ready(&made.name, wait).await
    }

    /// Begins to start what an endpoint is to serve instead: `{served_entities, traffic_config?}`. Until that runs it serves what it did.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) while another change is under way; what else the service refuses.
    pub async fn update_config(&self, name: &str, config: &Json) -> Result<Endpoint> {
        Ok(Endpoint::read(send(self.call("PUT", name, "/config")?.json(config)).await?))
    }

    /// Changes what an endpoint serves and waits until that runs.
    ///
    /// # Errors
    /// As [`update_config`](Self::update_config) and [`ready`](Self::ready).
    pub async fn update_config_and_wait(&self, name: &str, config: &Json, wait: &Wait) -> Result<Endpoint> {
        self.update_config(name, config).await?;
        self.ready(name, wait).await
    }

    /// Waits until no change of an endpoint is under way, and it answers. Progress is told by state, with what the served entities say.
    ///
    /// # Errors
    /// [`Server`](ErrorKind::Server) with what they say when a change fails, [`Cancelled`](ErrorKind::Cancelled) when it is cancelled;
    /// [`Deadline`](ErrorKind::Deadline) when the time is over.
    pub async fn ready(&self, name: &str, wait: &Wait) -> Result<Endpoint> {
        let look = || async {
            let found = self.get(name).await?;
            match found.config_update.as_str() {
                "IN_PROGRESS" => Ok(Look::Pending { message: found.message(), state: found.config_update }),
                "UPDATE_FAILED" | "UPDATE_CANCELED" => Err(failure(&found)),
                _ => Ok(Look::Done(found)),
            }
        };
        wait.until(&self.workspace, &format!("the serving endpoint `{name}`"), look).await
    }

    /// Deletes an endpoint.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is none of the name; what else the service refuses.
    pub async fn delete(&self, name: &str) -> Result<()> {
        send(self.call("DELETE", name, "")?).await.map(drop)
    }

    /// Sets the AI Gateway of an endpoint: rate limits, fallbacks, guardrails, tables. Gives what is set, as the API tells it.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn set_ai_gateway(&self, name: &str, gateway: &Json) -> Result<Json> {
        send(self.call("PUT", name, "/ai-gateway")?.json(gateway)).await
    }

    /// Sets the rate limits that were there before the AI Gateway: `{rate_limits: [{calls, key?, renewal_period}]}`.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn set_rate_limits(&self, name: &str, limits: &Json) -> Result<Json> {
        send(self.call("PUT", name, "/rate-limits")?.json(limits)).await
    }

    /// Changes the tags of an endpoint: `{add_tags?: [{key, value?}], delete_tags?: [key]}`. Gives all tags.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn change_tags(&self, name: &str, change: &Json) -> Result<Json> {
        send(self.call("PATCH", name, "/tags")?.json(change)).await
    }

    /// What an endpoint has done, in the format of Prometheus.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn metrics(&self, name: &str) -> Result<String> {
        let answer = self.call("GET", name, "/metrics")?.whole().await.map_err(explained)?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// What an endpoint takes and gives, as an OpenAPI document.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn open_api(&self, name: &str) -> Result<Json> {
        send(self.call("GET", name, "/openapi")?).await
    }

    /// Asks an endpoint, whatever its task: with `dataframe_split`, `dataframe_records`, `instances` or `inputs` a model of one's own, which
    /// answers `predictions`; with `messages`, `prompt` or `input` any other.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for an answer that is to be streamed; what the service refuses.
    pub async fn query(&self, name: &str, body: &Json) -> Result<Json> {
        if body.get("stream").and_then(Json::as_bool) == Some(true) {
            return Err(Error::new(ErrorKind::Unsupported, "a query gives its answer whole")
                .at_field("stream")
                .with_hint("Ask a chat model for a streamed answer."));
        }
        let target = Target::Endpoint(name.to_owned());
        self.workspace.api("POST", &invocations(name)?, target).json(body).send().await
    }

    fn call(&self, method: &'static str, name: &str, rest: &str) -> Result<ApiCall> {
        Ok(self.workspace.api(method, &format!("{ENDPOINTS}/{}{rest}", url::segment(name)?), target(name)))
    }
}

impl Endpoint {
    fn read(json: Json) -> Self {
        let text = |pointer: &str| json.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
        Self {
            name: text("/name").unwrap_or_default(),
            task: text("/task").filter(|task| !task.is_empty()),
            is_ready: text("/state/ready").as_deref() == Some("READY"),
            config_update: text("/state/config_update").unwrap_or_default(),
            json,
        }
    }

    /// What the entities say that are being started.
    fn message(&self) -> String {
        let entities = ["/pending_config/served_entities", "/config/served_entities"];
        let entities = entities.iter().filter_map(|place| self.json.pointer(place)?.as_array()).flatten();
        let said = entities.filter_map(|entity| entity.pointer("/state/deployment_state_message")?.as_str());
        let mut said: Vec<&str> = said.filter(|said| !said.is_empty()).collect();
        said.dedup();
        said.join("; ")
    }
}

fn target(name: &str) -> Target {
    Target::Object("serving endpoint", name.to_owned())
}

async fn send(call: ApiCall) -> Result<Json> {
    call.send().await.map_err(explained)
}

/// A refusal, with what to do about it.
fn explained(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Conflict if error.service().is_some_and(|it| it.error_code.contains("EXISTS")) => {
            error.with_hint("Choose another name, or change what that endpoint serves.")
        }
        ErrorKind::Conflict => error.with_hint("Another change is under way: wait until the endpoint is ready."),
        ErrorKind::NotFound => error.with_hint("Check the names of the endpoint and of what it is to serve."),
        ErrorKind::Permission => error
            .with_hint("Grant CAN MANAGE on the endpoint (to make one: the right to do so), and EXECUTE on the model."),
        ErrorKind::RateLimited => error.with_hint("Ask less often; or delete endpoints that nobody uses."),
        _ => error,
    }
}

/// Why a change of an endpoint failed.
fn failure(endpoint: &Endpoint) -> Error {
    let Endpoint { name, is_ready, config_update, .. } = endpoint;
    let said = match endpoint.message() {
        message if message.is_empty() => String::new(),
        message => format!(": {message}"),
    };
    let kind = if config_update == "UPDATE_CANCELED" { ErrorKind::Cancelled } else { ErrorKind::Server };
    let hint = match is_ready {
        true => "It goes on serving what it served before.",
        false => "It is in the workspace, but serves nothing: change its configuration, or delete it.",
    };
    Error::new(kind, format!("serving endpoint `{name}`: {config_update}{said}")).with_hint(hint)
}
