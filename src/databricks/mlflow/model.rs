//! Models: a program as files that `mlflow.pyfunc.load_model` loads, and that answer in Python with DSPy.
//!
//! Source: `mlflow/pyfunc/loaders/code_model.py` of MLflow 3.17.2; nothing is pickled.

mod files;
mod module;
mod program;
mod registry;
mod schema;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

pub use program::LoggedProgram;
pub use registry::Register;

use super::place::Owner;
use super::{API, ActiveRun, Experiment, Mlflow, with_more};
use crate::error::{Error, ErrorKind, Result};
use crate::http::url;

/// How a program is logged as a model.
///
/// ```
/// use lakelet::databricks::mlflow::{ModelOptions, Register};
/// let options = ModelOptions::new("databricks-claude-sonnet-4-6").registered(Register::Unity("main.ml".to_owned()));
/// assert_eq!(options.models["default"], "databricks-claude-sonnet-4-6");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ModelOptions {
    /// Serving endpoints by the names that steps ask by; the first one serves the steps that name none.
    pub models: IndexMap<String, String>,
    /// Vector Search indexes likewise: `{name, id_column?, text_column?, columns?, num_results?, query_type?}`.
    pub indexes: IndexMap<String, Json>,
    /// Where the model is registered, if anywhere.
    pub register: Option<Register>,
}

impl ModelOptions {
    /// The endpoint of the model that the program asks.
    pub fn new(endpoint: &str) -> Self {
        let models = IndexMap::from([("default".to_owned(), endpoint.to_owned())]);
        Self { models, indexes: IndexMap::new(), register: None }
    }

    /// Registers the model when it is logged.
    pub fn registered(self, register: Register) -> Self {
        Self { register: Some(register), ..self }
    }

    /// The index that steps of the program look into.
    pub fn with_index(mut self, name: &str, index: Json) -> Self {
        self.indexes.insert(name.to_owned(), index);
        self
    }
}

/// A model that was logged.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedModel {
    pub id: String,
    /// What `mlflow.pyfunc.load_model` takes: `models:/m-…`.
    pub uri: String,
    /// The name and version that it was registered as.
    pub registered: Option<(String, String)>,
}

impl LoggedModel {
    /// As the doors show it.
    pub fn to_json(&self) -> Json {
        let Self { id, uri, registered } = self;
        let (name, version) = registered.clone().unzip();
        json!({"model_id": id, "model_uri": uri, "registered_model_name": name, "registered_model_version": version})
    }
}

impl Mlflow {
    /// Logs a program as a model of an experiment, and as what came out of a run if one is given.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for a program that Python cannot run, naming the step; what the service refuses. A model
    /// whose files could not be written is marked as failed.
    pub async fn log_model(
        &self,
        experiment: &Experiment,
        run: Option<&ActiveRun>,
        name: &str,
        program: &LoggedProgram,
        options: &ModelOptions,
    ) -> Result<LoggedModel> {
        if options.models.is_empty() {
            return Err(Error::new(ErrorKind::Input, "the model that the program asks is missing").at_field("models"));
        }
        program.check(options)?;
        let mut body = json!({"experiment_id": experiment.id, "name": name});
        if let Some(run) = run {
            body["source_run_id"] = run.id.as_str().into();
        }
        let call = self.call("POST", &format!("{API}/logged-models"), "model", name);
        let answer = call.json(&body).send().await?;
        let info = answer.pointer("/model/info").unwrap_or(&Json::Null);
        let text = |member: &str| info.get(member).and_then(Json::as_str).map(str::to_owned);
        let id = self.read(text("model_id"), "model", name)?;
        let place = self.place(&text("artifact_uri").unwrap_or_default(), Owner::Model(id.clone()))?;
        let files =
            files::of(&id, run.map(|run| run.id.as_str()), self.workspace.host.clock.now_ms(), program, options)?;
        for (path, content) in &files {
            if let Err(error) = place.put(path, content.clone()).await {
                // The error that stopped it says more than that this fails as well.
                _ = self.finish(&id, "LOGGED_MODEL_UPLOAD_FAILED").await;
                let hint = format!("The model {id} is left without all its files, and marked as failed: log it again.");
                return Err(with_more(error, &hint));
            }
        }
        self.finish(&id, "LOGGED_MODEL_READY").await?;
        if let Some(run) = run {
            run.log_output(&id).await?;
        }
        let uri = format!("models:/{id}");
        let registered = match &options.register {
            Some(register) => {
                let version = registry::Source {
                    model_id: &id,
                    uri: &uri,
                    run_id: run.map(|run| run.id.as_str()),
                    files: &files,
                };
                Some(self.register(register, name, &version).await?)
            }
            None => None,
        };
        Ok(LoggedModel { id, uri, registered })
    }

    async fn finish(&self, id: &str, status: &str) -> Result<()> {
        let path = format!("{API}/logged-models/{}", url::segment(id)?);
        let call = self.call("PATCH", &path, "model", id);
        call.json(&json!({"model_id": id, "status": status})).send().await.map(drop)
    }
}
