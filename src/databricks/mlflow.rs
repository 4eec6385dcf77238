//! MLflow: experiments, runs, artifacts, traces and models.
//!
//! MLflow's REST API has two dialects, that of Databricks and that of the open-source server. Which one a server speaks is told by how
//! it names places: `dbfs:/databricks/mlflow-tracking/…` or `mlflow-artifacts:/…`. Files and traces go the way that the name of their
//! place asks for; all else is the same call.
//!
//! Source: <https://mlflow.org/docs/latest/rest-api.html>, <https://docs.databricks.com/api/workspace/experiments>, and MLflow 3.17.2.

mod dataset;
mod evaluation;
mod logger;
mod model;
mod place;
mod runs;
mod table;
mod trace;

use serde_json::{Map, Value as Json, json};

pub use dataset::Dataset;
pub use evaluation::{EvaluationRecord, LogOptions, Price, RowRecord};
pub use logger::MlflowLogger;
pub use model::{LoggedModel, LoggedProgram, ModelOptions, Register};
pub use runs::{ActiveRun, RunStatus};
pub use table::Table;
pub use trace::{CallRecord, TraceSpan};

use super::Workspace;
use super::api::ApiCall;
use super::error::Target;
use crate::coerce::calendar::Date;
use crate::error::{Error, ErrorKind, Result};
use place::{DATABRICKS, Owner, Place};

const API: &str = "/api/2.0/mlflow";
const DAY_MS: f64 = 86_400_000.0;

/// A tracking server: a Databricks workspace, or MLflow's own server by its address.
///
/// ```
/// use lakelet::databricks::Workspace;
/// use lakelet::databricks::mlflow::RunStatus;
/// # async fn example(workspace: Workspace) -> lakelet::Result<()> {
/// let mlflow = workspace.mlflow();
/// let experiment = mlflow.experiment("/Users/me@example.com/dspy").await?;
/// let run = mlflow.start_run(&experiment, Some("first try"), &[]).await?;
/// run.log_params(&[("model", "databricks-claude-sonnet-4-6")]).await?;
/// run.log_metrics(&[("accuracy", 0.9)], 0).await?;
/// run.end(RunStatus::Finished).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Mlflow {
    pub(super) workspace: Workspace,
}

impl Workspace {
    /// The workspace's MLflow.
    pub fn mlflow(&self) -> Mlflow {
        Mlflow { workspace: self.clone() }
    }
}

/// An experiment: what runs and traces belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    pub id: String,
    /// On Databricks a path in the workspace.
    pub name: String,
    /// Where artifacts are kept.
    pub artifact_location: String,
}

impl Experiment {
    /// Reads an experiment as the API has it.
    pub fn read(json: &Json) -> Option<Self> {
        let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
        let artifact_location = text("artifact_location").unwrap_or_default();
        Some(Self { id: text("experiment_id")?, name: text("name").unwrap_or_default(), artifact_location })
    }

    /// As the API has it.
    pub fn to_json(&self) -> Json {
        json!({"experiment_id": self.id, "name": self.name, "artifact_location": self.artifact_location})
    }

    fn is_databricks(&self) -> bool {
        self.artifact_location.starts_with(DATABRICKS)
    }
}

impl Mlflow {
    /// The experiment of that name; it is created if there is none. On Databricks names are absolute paths.
    ///
    /// # Errors
    /// What the service refuses; [`Conflict`](ErrorKind::Conflict) when an experiment of that name was deleted and not yet removed.
    pub async fn experiment(&self, name: &str) -> Result<Experiment> {
        if let Some(found) = self.find_experiment(name).await? {
            return Ok(found);
        }
        let call = self.call("POST", &format!("{API}/experiments/create"), "experiment", name);
        match call.json(&json!({"name": name})).send().await {
            Ok(_) => {}
            // Someone else was faster.
            Err(error) if is_there_already(&error) => {}
            Err(error) => return Err(error),
        }
        let missing =
            || Error::new(ErrorKind::NotFound, format!("the experiment `{name}` was created and is not there"));
        self.find_experiment(name).await?.ok_or_else(missing)
    }

    async fn find_experiment(&self, name: &str) -> Result<Option<Experiment>> {
        let path = format!("{API}/experiments/get-by-name");
        let call = self.call("GET", &path, "experiment", name).query("experiment_name", name);
        let answer = match call.send().await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            answer => answer?,
        };
        let found = answer.get("experiment").unwrap_or(&Json::Null);
        if found.get("lifecycle_stage").and_then(Json::as_str) == Some("deleted") {
            let message = format!("the experiment `{name}` was deleted");
            return Err(Error::new(ErrorKind::Conflict, message)
                .with_hint("Restore it in MLflow, remove it for good, or choose another name."));
        }
        self.read(Experiment::read(found), "experiment", name).map(Some)
    }

    /// Starts a run. Without a name the server finds one.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn start_run(
        &self,
        experiment: &Experiment,
        name: Option<&str>,
        tags: &[(&str, &str)],
    ) -> Result<ActiveRun> {
        let mut body = json!({"experiment_id": experiment.id, "start_time": self.now_ms()});
        if let Some(name) = name {
            body["run_name"] = name.into();
        }
        if !tags.is_empty() {
            body["tags"] = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        }
        let call = self.call("POST", &format!("{API}/runs/create"), "experiment", &experiment.id);
        let answer = call.json(&body).send().await?;
        self.read(ActiveRun::read(self, &answer), "run", "")
    }

    /// A run that is there, by its id.
    pub fn run(&self, id: &str) -> ActiveRun {
        ActiveRun::new(self, id)
    }

    fn call(&self, method: &'static str, path: &str, kind: &'static str, name: &str) -> ApiCall {
        self.workspace.api(method, path, target(kind, name))
    }

    fn place(&self, uri: &str, owner: Owner) -> Result<Place> {
        Place::read(&self.workspace, uri, owner)
    }

    /// Milliseconds since 1970, whole as the API wants them.
    fn now_ms(&self) -> u64 {
        self.workspace.host.clock.now_ms() as u64
    }

    /// What was read of an answer, or that it is none.
    fn read<T>(&self, read: Option<T>, kind: &'static str, name: &str) -> Result<T> {
        let message = || format!("{}: the answer is not MLflow's", target(kind, name).describe());
        read.ok_or_else(|| {
            Error::new(ErrorKind::Protocol, message())
                .with_hint("Check that DATABRICKS_HOST is a workspace, or the address of a tracking server.")
        })
    }
}

fn target(kind: &'static str, name: &str) -> Target {
    let kind = match kind {
        "experiment" => "MLflow experiment",
        "run" => "MLflow run",
        "model" => "MLflow model",
        _ => "MLflow trace",
    };
    Target::Object(kind, name.to_owned())
}

/// Whether something cannot be created because it is there. The open-source server says so with the status 400.
fn is_there_already(error: &Error) -> bool {
    error.kind() == ErrorKind::Conflict
        || error.service().is_some_and(|service| service.error_code == "RESOURCE_ALREADY_EXISTS")
}

/// The error, with more to its hint.
fn with_more(error: Error, more: &str) -> Error {
    let hint = error.hint().map_or_else(|| more.to_owned(), |hint| format!("{hint} {more}"));
    error.with_hint(hint)
}

/// A moment as in RFC 3339, with milliseconds.
fn rfc3339(ms: f64) -> String {
    let day = (ms / DAY_MS).floor();
    let Some(date) = Date::from_days(day as i64) else { return String::new() };
    let rest = (ms - day * DAY_MS) as u64;
    let (seconds, millis) = (rest / 1000, rest % 1000);
    format!("{date}T{:02}:{:02}:{:02}.{millis:03}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Pairs as the API has tags, parameters and the like: `[{key, value}]`.
fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, Json)>) -> Vec<Json> {
    let pair =
        |(key, value): (&str, Json)| Map::from_iter([("key".to_owned(), key.into()), ("value".to_owned(), value)]);
    pairs.into_iter().map(|it| Json::Object(pair(it))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_in_the_rfc() {
        assert_eq!(rfc3339(1_795_305_600_250.0), "2026-11-22T00:00:00.250Z");
        assert_eq!(rfc3339(86_399_999.9), "1970-01-01T23:59:59.999Z");
    }
}
