//! Runs: what was tried, with which parameters, and what came of it.

use serde_json::{Map, Value as Json, json};

use super::place::Owner;
use super::{API, Dataset, Mlflow, Table, pairs, with_more};
use crate::error::{Error, Result};
use crate::json;

/// What one call of `log-batch` takes.
const MOST_METRICS: usize = 1000;
const MOST_PAIRS: usize = 100;
/// The longest values that MLflow keeps, in bytes; its own client cuts longer ones as well.
const LONGEST_PARAM: usize = 6000;
const LONGEST_TAG: usize = 8000;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    Finished,
    Failed,
    /// Given up from outside.
    Killed,
}

impl RunStatus {
    /// MLflow's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }

    /// The status of that word.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Finished, Self::Failed, Self::Killed].into_iter().find(|status| status.as_str() == name)
    }
}

/// A run that is logged to.
#[derive(Clone, Debug)]
pub struct ActiveRun {
    mlflow: Mlflow,
    pub id: String,
    /// What the server told of it: name, experiment, where its artifacts are. Unknown until it is needed.
    info: Option<Json>,
}

impl ActiveRun {
    pub(super) fn new(mlflow: &Mlflow, id: &str) -> Self {
        Self { mlflow: mlflow.clone(), id: id.to_owned(), info: None }
    }

    /// Reads `{run: {info: {...}}}`.
    pub(super) fn read(mlflow: &Mlflow, answer: &Json) -> Option<Self> {
        let info = answer.pointer("/run/info")?;
        let id = info.get("run_id").or_else(|| info.get("run_uuid"))?.as_str()?;
        Some(Self { info: Some(info.clone()), ..Self::new(mlflow, id) })
    }

    /// What the server told when the run was started, by the names of the API: `run_id`, `run_name`, `experiment_id` ...
    pub fn info(&self) -> Json {
        self.info.clone().unwrap_or_else(|| json!({"run_id": self.id}))
    }

    /// Logs metrics at a step: of an optimizer's trials for instance; 0 where there is but one.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn log_metrics(&self, metrics: &[(&str, f64)], step: i64) -> Result<()> {
        let timestamp = self.mlflow.now_ms();
        let metric = |(key, value): &(&str, f64)| json!({"key": key, "value": number(*value), "timestamp": timestamp, "step": step});
        for some in metrics.chunks(MOST_METRICS) {
            self.log_batch("metrics", some.iter().map(metric).collect()).await?;
        }
        Ok(())
    }

    /// Logs parameters. A parameter keeps its first value: another one is refused.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn log_params(&self, params: &[(&str, &str)]) -> Result<()> {
        for some in params.chunks(MOST_PAIRS) {
            self.log_batch("params", cut_pairs(some, LONGEST_PARAM)).await?;
        }
        Ok(())
    }

    /// Sets tags.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn set_tags(&self, tags: &[(&str, &str)]) -> Result<()> {
        for some in tags.chunks(MOST_PAIRS) {
            self.log_batch("tags", cut_pairs(some, LONGEST_TAG)).await?;
        }
        Ok(())
    }

    async fn log_batch(&self, what: &str, items: Vec<Json>) -> Result<()> {
        let body = Map::from_iter([("run_id".to_owned(), self.id.as_str().into()), (what.to_owned(), items.into())]);
        self.post("log-batch", &Json::Object(body)).await.map(drop)
    }

    /// Logs which data the run was given; `context` says what for: `eval`, `training`.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn log_dataset(&self, dataset: &Dataset, context: &str) -> Result<()> {
        let tags = pairs([("mlflow.data.context", context.into())]);
        let datasets = json!([{"tags": tags, "dataset": dataset.to_json()}]);
        self.post("log-inputs", &json!({"run_id": self.id, "datasets": datasets})).await.map(drop)
    }

    /// Writes a file into the run's artifacts, in the place of an earlier one. `path` is relative: `tables/predictions.json`.
    ///
    /// # Errors
    /// What the service refuses; [`Unsupported`](crate::ErrorKind::Unsupported) where the server keeps artifacts in a place that it does
    /// not carry files to itself.
    pub async fn log_artifact(&self, path: &str, content: Vec<u8>) -> Result<()> {
        let mut known = self.info.clone();
        if known.is_none() {
            let call = self.mlflow.call("GET", &format!("{API}/runs/get"), "run", &self.id);
            known = call.query("run_id", &self.id).send().await?.pointer("/run/info").cloned();
        }
        let uri = known.as_ref().and_then(|info| info.get("artifact_uri")?.as_str()).unwrap_or_default();
        self.mlflow.place(uri, Owner::Run(self.id.clone()))?.put(path, content).await
    }

    /// Writes a JSON value into the run's artifacts.
    ///
    /// # Errors
    /// As [`log_artifact`](Self::log_artifact).
    pub async fn log_dict(&self, path: &str, value: &Json) -> Result<()> {
        let mut text = String::new();
        json::write_indented(&mut text, value);
        self.log_artifact(path, text.into_bytes()).await
    }

    /// Writes a table into the run's artifacts, which MLflow's page shows and compares between runs.
    ///
    /// # Errors
    /// As [`log_artifact`](Self::log_artifact).
    pub async fn log_table(&self, path: &str, table: &Table) -> Result<()> {
        self.log_artifact(path, json::text(&table.to_json()).into_bytes()).await?;
        // The page looks for tables in this tag.
        let logged = json::text(&json!([{"path": path, "type": "table"}]));
        self.set_tags(&[("mlflow.loggedArtifacts", &logged)]).await
    }

    /// Says that a logged model came out of the run.
    pub(super) async fn log_output(&self, model_id: &str) -> Result<()> {
        let models = json!([{"model_id": model_id, "step": 0}]);
        self.post("outputs", &json!({"run_id": self.id, "models": models})).await.map(drop)
    }

    /// Ends the run.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn end(&self, status: RunStatus) -> Result<()> {
        let body = json!({"run_id": self.id, "status": status.as_str(), "end_time": self.mlflow.now_ms()});
        self.post("update", &body).await.map(drop)
    }

    /// Ends the run as failed, with the reason in the tag `error`. The reason is given back, with what else there is to say.
    pub async fn end_failed(&self, error: Error) -> Error {
        let told = async {
            self.set_tags(&[("error", &error.to_string())]).await?;
            self.end(RunStatus::Failed).await
        };
        match told.await {
            Ok(()) => error,
            Err(_) => {
                with_more(error, &format!("The MLflow run {} could not be ended: it still shows as running.", self.id))
            }
        }
    }

    async fn post(&self, what: &str, body: &Json) -> Result<Json> {
        self.mlflow.call("POST", &format!("{API}/runs/{what}"), "run", &self.id).json(body).send().await
    }
}

/// A number as MLflow reads it: what JSON lacks goes by its name.
fn number(value: f64) -> Json {
    match value {
        value if value.is_finite() => value.into(),
        value if value.is_nan() => "NaN".into(),
        value if value > 0.0 => "Infinity".into(),
        _ => "-Infinity".into(),
    }
}

fn cut_pairs(some: &[(&str, &str)], longest: usize) -> Vec<Json> {
    let cut = |value: &str| value.get(..value.floor_char_boundary(longest)).unwrap_or(value).to_owned();
    pairs(some.iter().map(|(key, value)| (*key, cut(value).into())))
}
