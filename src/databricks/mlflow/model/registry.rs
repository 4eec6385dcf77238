//! Registering models: in the registry of the workspace, or in Unity Catalog.

use serde_json::{Value as Json, json};

use crate::databricks::error::Target;
use crate::databricks::mlflow::{API, Mlflow, is_there_already, with_more};
use crate::databricks::presigned::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::http::url;

const UNITY: &str = "/api/2.0/mlflow/unity-catalog";

/// Where a model is registered, and under which name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Register {
    /// In the registry of the workspace, or of the open-source server, as `dspy-<name>`.
    Workspace,
    /// In a schema of Unity Catalog (`catalog.schema`), as `<catalog>.<schema>.dspy_<name>`.
    Unity(String),
    /// Under this name: one of three parts is Unity Catalog's.
    As(String),
}

impl Register {
    /// The full name of a model.
    pub fn name_of(&self, model: &str) -> String {
        match self {
            Self::Workspace => format!("dspy-{model}"),
            Self::Unity(schema) => format!("{schema}.dspy_{}", model.replace(['-', ' ', '.', '/'], "_")),
            Self::As(name) => name.clone(),
        }
    }
}

/// What a version is made of.
pub(super) struct Source<'a> {
    pub model_id: &'a str,
    pub uri: &'a str,
    pub run_id: Option<&'a str>,
    pub files: &'a [(&'static str, Vec<u8>)],
}

impl Mlflow {
    /// Registers a logged model and gives the name and version that it has now.
    pub(super) async fn register(
        &self,
        register: &Register,
        model: &str,
        source: &Source<'_>,
    ) -> Result<(String, String)> {
        let name = register.name_of(model);
        let is_unity = name.split('.').count() == 3;
        let base = if is_unity { UNITY } else { API };
        let call = self.call("POST", &format!("{base}/registered-models/create"), "model", &name);
        match call.json(&json!({"name": name})).send().await {
            Err(error) if !is_there_already(&error) => return Err(error),
            _ => {}
        }
        let mut body = json!({"name": name, "source": source.uri, "model_id": source.model_id});
        if let Some(run_id) = source.run_id {
            body["run_id"] = run_id.into();
        }
        let call = self.call("POST", &format!("{base}/model-versions/create"), "model", &name);
        let answer = call.json(&body).send().await?;
        let version = answer.pointer("/model_version/version").and_then(|version| match version {
            Json::String(text) => Some(text.clone()),
            number => number.as_u64().map(|number| number.to_string()),
        });
        let version = self.read(version, "model", &name)?;
        if is_unity && let Err(error) = self.fill(&name, &version, source.files).await {
            return Err(self.take_back(&name, &version, error).await);
        }
        Ok((name, version))
    }

    /// Writes the files of a version in Unity Catalog, which keeps them itself, and says that they are complete.
    async fn fill(&self, name: &str, version: &str, files: &[(&'static str, Vec<u8>)]) -> Result<()> {
        let root = format!("/Models/{}/{version}", name.replace('.', "/"));
        for (file, content) in files {
            self.put_file(name, &format!("{root}/{file}"), content).await?;
        }
        let call = self.call("POST", &format!("{UNITY}/model-versions/finalize"), "model", name);
        call.json(&json!({"name": name, "version": version})).send().await.map(drop)
    }

    async fn put_file(&self, name: &str, path: &str, content: &[u8]) -> Result<()> {
        let target = Target::Object("MLflow model", name.to_owned());
        let names: Vec<String> = path.split('/').skip(1).map(url::segment).collect::<Result<_>>()?;
        let call = self.workspace.api("PUT", &format!("/api/2.0/fs/files/{}", names.join("/")), target.clone());
        let call = call.query("overwrite", true).bytes("application/octet-stream", content.to_vec());
        let refused = match call.whole().await {
            Ok(_) => return Ok(()),
            Err(error) if error.service().is_some() => error,
            Err(error) => return Err(error),
        };
        // Where files of models are not the Files API's, URLs for them are asked for.
        let call = self.workspace.api("POST", "/api/2.0/fs/create-upload-url", target.clone());
        let answer = call.json(&json!({"path": path})).send().await.map_err(|_| refused)?;
        let address = answer.get("url").and_then(Json::as_str).unwrap_or_default();
        let headers = answer.get("headers").and_then(Json::as_array).into_iter().flatten();
        let headers =
            headers.filter_map(|header| Some((header.get("name")?.as_str()?.to_owned(), header.get("value")?.clone())));
        self.workspace
            .put_link(&Link::new(address, Some(&Json::Object(headers.collect()))), content.to_vec(), &target)
            .await
    }

    /// Deletes a version whose files could not be written, and says so.
    async fn take_back(&self, name: &str, version: &str, error: Error) -> Error {
        let call = self.call("DELETE", &format!("{UNITY}/model-versions/delete"), "model", name);
        let hint = match call.json(&json!({"name": name, "version": version})).send().await {
            Ok(_) => format!("Version {version} of `{name}` was deleted again; the logged model is there."),
            Err(_) => format!("Version {version} of `{name}` is left without its files: delete it."),
        };
        let hint = match error.kind() {
            ErrorKind::NotFound | ErrorKind::Unsupported => {
                format!(
                    "{hint} This workspace keeps models in a storage that takes no files over its API: register it from Python."
                )
            }
            _ => hint,
        };
        with_more(error, &hint)
    }
}
