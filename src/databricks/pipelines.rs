//! Declarative pipelines (Delta Live Tables, now Lakeflow Spark Declarative Pipelines): the Pipelines API.
//!
//! Source: <https://docs.databricks.com/api/workspace/pipelines>.

use std::cell::RefCell;

use serde_json::{Map, Value as Json};

use super::Workspace;
use super::api::ApiCall;
use super::error::Target;
use super::wait::{Look, Wait};
use crate::error::{Error, ErrorKind, Result, Service};
use crate::http::url;

const PIPELINES: &str = "/api/2.0/pipelines";

/// States of an update in which nothing changes any more.
const ENDED: [&str; 3] = ["COMPLETED", "FAILED", "CANCELED"];

/// Events that one look reads: those that were told since the last one.
const LATEST_EVENTS: usize = 25;

/// The pipelines of a workspace. Specifications are objects of the API as they are.
///
/// ```
/// use lakelet::databricks::wait::Wait;
/// use serde_json::{Map, json};
/// # async fn example(workspace: lakelet::databricks::Workspace) -> lakelet::Result<()> {
/// let pipelines = workspace.pipelines();
/// let library = json!({"file": {"path": "/Shared/docs.sql"}});
/// let id = pipelines.create(&json!({"name": "docs", "catalog": "main", "schema": "rag", "libraries": [library]})).await?;
/// let update = pipelines.start(&id, &Map::new()).await?;
/// pipelines.follow(&id, &update, &Wait::default().telling(|progress| println!("{}", progress.message))).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Pipelines {
    workspace: Workspace,
}

impl Workspace {
    /// The pipelines of the workspace.
    pub fn pipelines(&self) -> Pipelines {
        Pipelines { workspace: self.clone() }
    }
}

impl Pipelines {
    /// Creates a pipeline and gives its id. Nothing runs until it is started.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when another has its name; what else the service refuses.
    pub async fn create(&self, spec: &Json) -> Result<String> {
        let call = self.workspace.api("POST", PIPELINES, target("")).json(spec);
        let answer = call.send().await.map_err(explained)?;
        member(&answer, "pipeline_id")
    }

    /// A pipeline as the API gives it: `state`, `spec`, `latest_updates`.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn get(&self, pipeline: &str) -> Result<Json> {
        self.call("GET", pipeline, "")?.send().await.map_err(explained)
    }

    /// Pipelines as the API gives them, at most `most`. `filter` is one of the API: `name LIKE '%docs%'`.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn list(&self, filter: Option<&str>, most: Option<usize>) -> Result<Vec<Json>> {
        self.workspace.api("GET", PIPELINES, target("")).maybe_query("filter", filter).list("statuses", most).await
    }

    /// Gives a pipeline a new specification in the place of the old one.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn edit(&self, pipeline: &str, spec: &Json) -> Result<()> {
        self.call("PUT", pipeline, "")?.json(spec).send().await.map(drop).map_err(explained)
    }

    /// Deletes a pipeline, with the tables that it has made.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn delete(&self, pipeline: &str) -> Result<()> {
        self.call("DELETE", pipeline, "")?.send().await.map(drop).map_err(explained)
    }

    /// Starts an update and gives its id. `options` may have `full_refresh`, `refresh_selection`, `full_refresh_selection`, `validate_only`.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when an update is active; what else the service refuses.
    pub async fn start(&self, pipeline: &str, options: &Map<String, Json>) -> Result<String> {
        let call = self.call("POST", pipeline, "/updates")?.json(&Json::Object(options.clone()));
        let answer = call.send().await.map_err(explained)?;
        member(&answer, "update_id")
    }

    /// An update as the API gives it: `state`, `cause`, `creation_time`.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn update(&self, pipeline: &str, update: &str) -> Result<Json> {
        let path = format!("/updates/{}", url::segment(update)?);
        let mut answer = self.call("GET", pipeline, &path)?.send().await.map_err(explained)?;
        Ok(answer.get_mut("update").map(Json::take).unwrap_or_default())
    }

    /// Events as the API gives them, newest first and at most `most`. `filter` is one of the API: `level='ERROR'`.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn events(&self, pipeline: &str, filter: Option<&str>, most: Option<usize>) -> Result<Vec<Json>> {
        let call = self.call("GET", pipeline, "/events")?.maybe_query("filter", filter);
        call.maybe_query("max_results", most).list("events", most).await.map_err(explained)
    }

    /// Waits until an update has ended well. Each change of its state is told, with the events since the last one as message, a line each.
    ///
    /// # Errors
    /// An update that fails: [`BadRequest`](ErrorKind::BadRequest), with what its events say. [`Cancelled`](ErrorKind::Cancelled),
    /// [`Deadline`](ErrorKind::Deadline) when the time is over: then it goes on.
    pub async fn follow(&self, pipeline: &str, update: &str, wait: &Wait) -> Result<Json> {
        let last = RefCell::new(None);
        let look = || async {
            let found = self.update(pipeline, update).await?;
            let state = text(&found, "/state");
            if ENDED.contains(&state.as_str()) {
                return Ok(Look::Done(found));
            }
            let events = self.events(pipeline, None, Some(LATEST_EVENTS)).await?;
            let message = news(&events, update, &mut last.borrow_mut());
            Ok(Look::Pending { state, message })
        };
        let found = match wait.until(&self.workspace, &format!("update `{update}`"), look).await {
            Err(error) if error.kind() == ErrorKind::Deadline => {
                let hint = format!(
                    "Update `{update}` goes on in the workspace: follow it again, or stop pipeline `{pipeline}`."
                );
                return Err(error.with_hint(hint));
            }
            found => found?,
        };
        match text(&found, "/state").as_str() {
            "COMPLETED" => Ok(found),
            state => Err(self.failure(pipeline, update, state).await),
        }
    }

    /// Stops the active update, and waits until the pipeline rests.
    ///
    /// # Errors
    /// What the service refuses; [`Deadline`](ErrorKind::Deadline) when the time is over.
    pub async fn stop(&self, pipeline: &str, wait: &Wait) -> Result<()> {
        self.call("POST", pipeline, "/stop")?.send().await.map_err(explained)?;
        let look = || async {
            let state = text(&self.get(pipeline).await?, "/state");
            Ok(match state.as_str() {
                "IDLE" | "FAILED" => Look::Done(()),
                _ => Look::Pending { state, message: String::new() },
            })
        };
        wait.until(&self.workspace, &format!("pipeline `{pipeline}`"), look).await
    }

    fn call(&self, method: &'static str, pipeline: &str, path: &str) -> Result<ApiCall> {
        Ok(self.workspace.api(method, &format!("{PIPELINES}/{}{path}", url::segment(pipeline)?), target(pipeline)))
    }

    /// Why an update did not end well, in the words of its events.
    async fn failure(&self, pipeline: &str, update: &str, state: &str) -> Error {
        let events = self.events(pipeline, Some("level='ERROR'"), Some(10)).await.unwrap_or_default(); // the state stands without them
        let mut said: Vec<String> = Vec::new();
        for event in events.iter().rev().filter(|event| is_of(event, update)) {
            let exceptions = event.pointer("/error/exceptions").and_then(Json::as_array).into_iter().flatten();
            let messages =
                std::iter::once(text(event, "/message")).chain(exceptions.map(|exception| text(exception, "/message")));
            for message in messages.filter(|message| !message.is_empty()) {
                if !said.iter().any(|known| known.contains(&message)) {
                    said.push(message);
                }
            }
        }
        let (kind, hint) = match state {
            "CANCELED" => (ErrorKind::Cancelled, "Someone stopped it. Datasets that it had made stay."),
            _ => (
                ErrorKind::BadRequest,
                "The messages are those of its events: mend the sources. Datasets that it had made stay.",
            ),
        };
        let message = match said.is_empty() {
            true => format!("update `{update}` of pipeline `{pipeline}` ended as {state}"),
            false => format!("update `{update}` of pipeline `{pipeline}` ended as {state}: {}", said.join("\n")),
        };
        let service = Service { status: 200, error_code: state.to_owned(), ..Service::default() };
        Error::new(kind, message).with_service(service).with_hint(hint)
    }
}

/// The messages of the events that came after the last one that was told, oldest first.
fn news(events: &[Json], update: &str, last: &mut Option<String>) -> String {
    let new = events.iter().take_while(|event| last.as_deref() != event.get("id").and_then(Json::as_str));
    let mut messages: Vec<String> =
        new.filter(|event| is_of(event, update)).map(|event| text(event, "/message")).collect();
    messages.reverse();
    *last = events.first().map(|event| text(event, "/id"));
    messages.join("\n")
}

/// Whether an event is of an update, or of none.
fn is_of(event: &Json, update: &str) -> bool {
    let of = text(event, "/origin/update_id");
    of.is_empty() || of == update
}

fn text(json: &Json, pointer: &str) -> String {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn target(pipeline: &str) -> Target {
    Target::Object("pipeline", pipeline.to_owned())
}

fn member(answer: &Json, name: &str) -> Result<String> {
    let found = answer.get(name).and_then(Json::as_str).map(str::to_owned);
    found.ok_or_else(|| {
        Error::new(ErrorKind::Protocol, format!("pipelines: the answer has no `{name}`"))
            .with_hint("Check that DATABRICKS_HOST is a workspace or gateway.")
    })
}

/// Adds what to do about a refusal.
fn explained(error: Error) -> Error {
    let hint = match error.kind() {
        ErrorKind::Conflict if error.message().contains("active") => "Follow the update that is active, or stop it.",
        ErrorKind::Conflict => "Take another name, or `allow_duplicate_names`.",
        ErrorKind::NotFound => "Check the pipeline's id, as the list of pipelines shows it.",
        ErrorKind::Permission => {
            "Grant CAN RUN or CAN MANAGE on the pipeline to the user or service principal of the credential."
        }
        _ => return error,
    };
    error.with_hint(hint)
}
