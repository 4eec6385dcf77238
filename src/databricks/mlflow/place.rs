//! Where artifacts are kept, and how files get there.

use serde_json::{Value as Json, json};

use super::API;
use crate::databricks::Workspace;
use crate::databricks::error::Target;
use crate::databricks::presigned::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::http::url;

/// How Databricks and the open-source server name places.
pub(super) const DATABRICKS: &str = "dbfs:/databricks/mlflow-tracking/";
const OPEN_SOURCE: &str = "mlflow-artifacts:";

/// What artifacts belong to.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    Run(String),
    Model(String),
    Trace(String),
}

impl Owner {
    fn target(&self) -> Target {
        let (kind, id) = match self {
            Self::Run(id) => ("artifacts of the MLflow run", id),
            Self::Model(id) => ("artifacts of the MLflow model", id),
            Self::Trace(id) => ("artifacts of the MLflow trace", id),
        };
        Target::Object(kind, id.clone())
    }
}

/// A place that files can be written to.
#[derive(Clone, Debug)]
pub(super) struct Place {
    workspace: Workspace,
    owner: Owner,
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    /// The artifact proxy of the open-source server, below a path.
    Proxy(String),
    /// The Files API of Databricks, below a path; where it is refused, URLs that are asked for.
    Files(String),
}

impl Place {
    /// The place that a server names by a URI.
    pub fn read(workspace: &Workspace, uri: &str, owner: Owner) -> Result<Self> {
        let way = if let Some(rest) = uri.strip_prefix(DATABRICKS) {
            let (experiment, rest) = rest.split_once('/').unwrap_or((rest, ""));
            let rest = match rest.strip_prefix("logged_models/") {
                Some(model) => format!("LoggedModels/{model}"),
                None => format!("Runs/{rest}"),
            };
            Way::Files(format!("WorkspaceInternal/Mlflow/Artifacts/{experiment}/{rest}"))
        } else if let Some(rest) = uri.strip_prefix(OPEN_SOURCE) {
            // `mlflow-artifacts://host:port/path` names the server itself.
            let path = match rest.strip_prefix("//").filter(|rest| !rest.starts_with('/')) {
                Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
                None => rest,
            };
            Way::Proxy(path.trim_matches('/').to_owned())
        } else {
            let message = format!(
                "{}: the server keeps them at `{uri}`, and does not carry files there",
                owner.target().describe()
            );
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("Start the tracking server with `--serve-artifacts`, or use a Databricks workspace."));
        };
        Ok(Self { workspace: workspace.clone(), owner, way })
    }

    /// Writes a file, in the place of an earlier one.
    pub async fn put(&self, path: &str, content: Vec<u8>) -> Result<()> {
        let target = self.owner.target();
        match &self.way {
            Way::Proxy(root) => {
                let path = encoded(&format!("{root}/{path}"))?;
                let call = self.workspace.api("PUT", &format!("/api/2.0/mlflow-artifacts/artifacts/{path}"), target);
                call.bytes("application/octet-stream", content).whole().await.map(drop)
            }
            Way::Files(root) => {
                let whole = encoded(&format!("{root}/{path}"))?;
                let call = self.workspace.api("PUT", &format!("/api/2.0/fs/files/{whole}"), target.clone());
                let call = call.query("overwrite", true).bytes("application/octet-stream", content.clone());
                match call.whole().await {
                    Err(error) if is_refused(&error) => {
                        let link = self.link(path).await.map_err(|_| error)?;
                        self.workspace.put_link(&link, content, &target).await
                    }
                    answer => answer.map(drop),
                }
            }
        }
    }

    /// A URL that a file may be written to.
    async fn link(&self, path: &str) -> Result<Link> {
        let target = self.owner.target();
        let post = |path: &str, body: &Json| self.workspace.api("POST", path, target.clone()).json(body).send();
        let (answer, pointer) = match &self.owner {
            Owner::Run(id) => {
                let body = json!({"run_id": id, "path": [path]});
                (post(&format!("{API}/artifacts/credentials-for-write"), &body).await?, "/credential_infos/0")
            }
            Owner::Model(id) => {
                let of_model = format!("{API}/logged-models/{}/artifacts/credentials-for-upload", url::segment(id)?);
                (post(&of_model, &json!({"paths": [path]})).await?, "/credentials/0/credential_info")
            }
            Owner::Trace(id) => {
                let of_trace = format!("{API}/traces/{}/credentials-for-data-upload", url::segment(id)?);
                (self.workspace.api("GET", &of_trace, target.clone()).send().await?, "/credential_info")
            }
        };
        let info = answer.pointer(pointer).unwrap_or(&Json::Null);
        let text = |name: &str| info.get(name).and_then(Json::as_str).unwrap_or_default();
        let mut headers = serde_json::Map::new();
        for header in info.get("headers").and_then(Json::as_array).into_iter().flatten() {
            if let (Some(name), Some(value)) = (header.get("name").and_then(Json::as_str), header.get("value")) {
                headers.insert(name.to_owned(), value.clone());
            }
        }
        match text("type") {
            "AWS_PRESIGNED_URL" | "GCP_SIGNED_URL" => {}
            "AZURE_SAS_URI" => _ = headers.insert("x-ms-blob-type".to_owned(), "BlockBlob".into()),
            kind => {
                let message = format!("{}: files cannot be written by a URL of the type `{kind}`", target.describe());
                return Err(Error::new(ErrorKind::Unsupported, message)
                    .with_hint("Let the credential use the Files API of the workspace."));
            }
        }
        Ok(Link::new(text("signed_uri"), Some(&Json::Object(headers))))
    }
}

/// Whether the Files API refuses what another way may do. A wrong credential is refused everywhere.
fn is_refused(error: &Error) -> bool {
    use ErrorKind::{BadRequest, NotFound, Permission, Server};
    error.service().is_some() && matches!(error.kind(), BadRequest | NotFound | Permission | Server)
}

/// A path with each of its names encoded.
fn encoded(path: &str) -> Result<String> {
    let names = path.split('/').filter(|name| !name.is_empty()).map(url::segment);
    Ok(names.collect::<Result<Vec<_>>>()?.join("/"))
}
