//! `files.*`: files and folders of volumes.

use serde_json::json;

use super::{Arguments, Outcome, unknown};
use crate::databricks::Workspace;
use crate::databricks::files::FileInfo;
use crate::error::Result;

pub(super) async fn call(workspace: &Workspace, name: &str, mut given: Arguments) -> Result<Outcome> {
    let content = given.take_bytes();
    let files = workspace.files();
    let path = given.text("path")?;
    Ok(match name {
        "upload" => {
            let deadline = given.optional_number("timeout_ms")?.map(|longest| workspace.now_ms() + longest);
            files.upload(path, content, given.flag("overwrite")?, deadline).await.map(|()| json!({}))?
        }
        "download" => return files.download(path).await.map(Outcome::Bytes),
        "read" => {
            let (offset, length) = (given.integer("offset")?.unsigned_abs(), given.integer("length")?.unsigned_abs());
            return files.read(path, offset, length, given.optional_text("last_modified")?).await.map(Outcome::Bytes);
        }
        "metadata" => {
            let FileInfo { size, content_type, last_modified } = files.metadata(path).await?;
            json!({"size": size, "content_type": content_type, "last_modified": last_modified})
        }
        "delete" => files.delete(path).await.map(|()| json!({}))?,
        "create_directory" => files.create_directory(path).await.map(|()| json!({}))?,
        "directory_exists" => files.directory_exists(path).await?.into(),
        "delete_directory" => files.delete_directory(path).await.map(|()| json!({}))?,
        "list" => files.list(path, given.optional_count("page_size")?, given.optional_count("most")?).await?.into(),
        _ => return Err(unknown("files", name)),
    }
    .into())
}
