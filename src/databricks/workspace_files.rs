//! Notebooks, files and folders of a workspace: the Workspace API.
//!
//! Content travels as bytes, in a form when it is imported, as Databricks' SDKs upload and download it; the older way, base64 in JSON, takes a
//! third more room.
//!
//! Source: <https://docs.databricks.com/api/workspace/workspace>.

mod form;

use serde_json::{Value as Json, json};

use super::Workspace;
use super::api::ApiCall;
use super::error::Target;
use crate::error::{Error, ErrorKind, Result};

const BASE: &str = "/api/2.0/workspace";

/// The notebooks and files of a workspace, by paths such as `/Users/me@example.com/notebook`.
///
/// ```
/// use lakelet::databricks::workspace_files::Import;
/// # async fn example(workspace: lakelet::databricks::Workspace) -> lakelet::Result<()> {
/// let files = workspace.workspace_files();
/// files.import("/Shared/train", b"print(1)".to_vec(), &Import::notebook("PYTHON").overwriting()).await?;
/// files.import("/Shared/train.py", b"print(2)".to_vec(), &Import::file()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WorkspaceFiles {
    workspace: Workspace,
}

/// How content is taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    format: Option<String>,
    language: Option<String>,
    overwrite: bool,
}

impl Import {
    /// A notebook's source, in `PYTHON`, `SQL`, `SCALA` or `R`.
    pub fn notebook(language: &str) -> Self {
        Self::of("SOURCE", Some(language))
    }

    /// A file; one whose first line and extension are those of a notebook becomes a notebook.
    pub fn file() -> Self {
        Self::of("AUTO", None)
    }

    /// Content of a format of the API: `SOURCE`, `AUTO`, `JUPYTER`, `RAW`, `HTML`, `DBC`, `R_MARKDOWN`. `SOURCE` needs a language.
    pub fn of(format: &str, language: Option<&str>) -> Self {
        Self { format: Some(format.to_owned()), language: language.map(str::to_owned), overwrite: false }
    }

    /// Takes the place of what is there.
    pub fn overwriting(mut self) -> Self {
        self.overwrite = true;
        self
    }
}

impl Workspace {
    /// The notebooks and files of the workspace.
    pub fn workspace_files(&self) -> WorkspaceFiles {
        WorkspaceFiles { workspace: self.clone() }
    }
}

impl WorkspaceFiles {
    /// Writes a notebook or file. The folder has to be there ([`create_directory`](Self::create_directory)).
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when something is there and may not be overwritten; what else the service refuses.
    pub async fn import(&self, path: &str, content: Vec<u8>, how: &Import) -> Result<()> {
        let mut fields = vec![("path", path)];
        fields.extend(how.format.as_deref().map(|format| ("format", format)));
        fields.extend(how.language.as_deref().map(|language| ("language", language)));
        fields.extend(how.overwrite.then_some(("overwrite", "true")));
        let (content_type, body) = form::write(&fields, "content", &content);
        let call = self.call("POST", "import", path)?.bytes(content_type, body).accepting("*/*");
        call.send().await.map(drop).map_err(explained)
    }

    /// Reads a notebook's source, or a file. `format` is one of the API's, `SOURCE` unless given.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn export(&self, path: &str, format: Option<&str>) -> Result<Vec<u8>> {
        let call = self.call("GET", "export", path)?.query("path", path).maybe_query("format", format);
        let answer = call.query("direct_download", true).accepting("*/*").whole().await;
        answer.map(|answer| answer.body).map_err(explained)
    }

    /// An object as the API gives it: `object_type`, `object_id`, `language`, times in milliseconds.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn status(&self, path: &str) -> Result<Json> {
        self.call("GET", "get-status", path)?.query("path", path).send().await.map_err(explained)
    }

    /// What is in a folder, as the API gives it.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn list(&self, path: &str) -> Result<Vec<Json>> {
        self.call("GET", "list", path)?.query("path", path).list("objects", None).await.map_err(explained)
    }

    /// Makes a folder and those above it.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn create_directory(&self, path: &str) -> Result<()> {
        let call = self.call("POST", "mkdirs", path)?.json(&json!({"path": path}));
        call.send().await.map(drop).map_err(explained)
    }

    /// Deletes an object; a folder that is not empty only if `recursive`.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn delete(&self, path: &str, recursive: bool) -> Result<()> {
        let body = if recursive { json!({"path": path, "recursive": true}) } else { json!({"path": path}) };
        self.call("POST", "delete", path)?.json(&body).send().await.map(drop).map_err(explained)
    }

    fn call(&self, method: &'static str, action: &str, path: &str) -> Result<ApiCall> {
        if !path.starts_with('/') {
            let message = format!("`{path}` is not a path of the workspace: it does not start with `/`");
            return Err(Error::new(ErrorKind::Input, message)
                .at_field("path")
                .with_hint("Paths are absolute: /Users/<name>/<notebook> or /Shared/<notebook>."));
        }
        let target = Target::Object("workspace object", path.to_owned());
        Ok(self.workspace.api(method, &format!("{BASE}/{action}"), target))
    }
}

/// Adds what to do about a refusal. An object that is there already is refused with status 400.
fn explained(error: Error) -> Error {
    let hint = match error.kind() {
        ErrorKind::Conflict => "Allow to overwrite it, or choose another path.",
        ErrorKind::NotFound if error.message().contains("parent folder") => "Make the folder first.",
        ErrorKind::NotFound => "Check the path, as the Workspace page shows it.",
        ErrorKind::BadRequest if error.service().is_some_and(|service| service.error_code == "DIRECTORY_NOT_EMPTY") => {
            "Delete it with `recursive`, if all that is in it may go."
        }
        _ => return error,
    };
    error.with_hint(hint)
}
