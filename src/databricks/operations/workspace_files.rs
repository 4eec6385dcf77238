//! `workspace_files.*`: notebooks, files and folders of the workspace.

use serde_json::json;

use super::{Arguments, Outcome, unknown};
use crate::databricks::Workspace;
use crate::databricks::workspace_files::Import;
use crate::error::Result;

pub(super) async fn call(workspace: &Workspace, name: &str, mut given: Arguments) -> Result<Outcome> {
    let content = given.take_bytes();
    let files = workspace.workspace_files();
    let path = given.text("path")?;
    Ok(match name {
        "import" => {
            let language = given.optional_text("language")?;
            let usual = if language.is_some() { "SOURCE" } else { "AUTO" };
            let how = Import::of(given.optional_text("format")?.unwrap_or(usual), language);
            let how = if given.flag("overwrite")? { how.overwriting() } else { how };
            files.import(path, content, &how).await.map(|()| json!({}))?
        }
        "export" => return files.export(path, given.optional_text("format")?).await.map(Outcome::Bytes),
        "status" => files.status(path).await?,
        "list" => files.list(path).await?.into(),
        "create_directory" => files.create_directory(path).await.map(|()| json!({}))?,
        "delete" => files.delete(path, given.flag("recursive")?).await.map(|()| json!({}))?,
        _ => return Err(unknown("workspace_files", name)),
    }
    .into())
}
