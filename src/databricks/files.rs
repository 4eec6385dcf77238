//! Files in volumes: the Files API.
//!
//! Files are read and written over the API itself. Databricks' Python SDK asks for URLs of the storage behind it first; those carry a
//! credential of their own, and neither a page nor a gateway can use them.
//!
//! Source: <https://docs.databricks.com/api/workspace/files>.

mod download;

use serde_json::Value as Json;

pub use download::Download;

use super::api::ApiCall;
use super::error::Target;
use super::{Answer, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::http::url;

const FILES: &str = "/api/2.0/fs/files";
const DIRECTORIES: &str = "/api/2.0/fs/directories";
const BYTES: &str = "application/octet-stream";

/// The files of a workspace's volumes, by paths such as `/Volumes/main/rag/raw/a.txt`.
///
/// ```
/// # async fn example(workspace: lakelet::databricks::Workspace) -> lakelet::Result<()> {
/// let files = workspace.files();
/// files.upload("/Volumes/main/rag/raw/a.txt", b"hello".to_vec(), true, None).await?;
/// assert_eq!(files.download("/Volumes/main/rag/raw/a.txt").await?, b"hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Files {
    workspace: Workspace,
}

/// What is known of a file without reading it.
#[derive(Clone, Debug, PartialEq)]
pub struct FileInfo {
    /// In bytes.
    pub size: u64,
    pub content_type: String,
    /// When it was last changed, as HTTP tells it: `Sun, 22 Nov 2026 00:00:00 GMT`.
    pub last_modified: String,
}

impl Workspace {
    /// The files of the workspace's volumes.
    pub fn files(&self) -> Files {
        Files { workspace: self.clone() }
    }
}

impl Files {
    /// Writes a whole file, at most 5 GiB. Folders above it are made. It may take until `deadline_ms` on the host's clock.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when the file is there and may not be overwritten; [`NotFound`](ErrorKind::NotFound) when there is no
    /// such volume; what else the service refuses. A file that was not written whole is not there.
    pub async fn upload(&self, path: &str, content: Vec<u8>, overwrite: bool, deadline_ms: Option<f64>) -> Result<()> {
        let call = self.file("PUT", path)?.query("overwrite", overwrite).bytes(BYTES, content).until(deadline_ms);
        sent(call, path).await.map(drop)
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn download(&self, path: &str) -> Result<Vec<u8>> {
        sent(self.file("GET", path)?.accepting(BYTES), path).await.map(|answer| answer.body)
    }

    /// Opens a file to be read piece by piece, so that it never stands in memory whole.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn open(&self, path: &str) -> Result<Download> {
        Ok(Download::new(self.clone(), path, self.metadata(path).await?))
    }

    /// Bytes of a file, from `offset` on and at most `length`; fewer where it ends. With the time of `last_modified`, refuses to read a file
    /// that was changed since.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when the file was changed; what else the service refuses.
    pub async fn read(&self, path: &str, offset: u64, length: u64, last_modified: Option<&str>) -> Result<Vec<u8>> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let range = format!("bytes={offset}-{}", offset.saturating_add(length - 1));
        let mut call = self.file("GET", path)?.accepting(BYTES).header("range", range);
        if let Some(time) = last_modified {
            call = call.header("if-unmodified-since", time.to_owned());
        }
        match sent(call, path).await {
            Ok(answer) => Ok(answer.body),
            Err(error) if status(&error) == Some(416) => Ok(Vec::new()),
            Err(error) if status(&error) == Some(412) => Err(changed(path, error)),
            Err(error) => Err(error),
        }
    }

    /// What is known of a file.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn metadata(&self, path: &str) -> Result<FileInfo> {
        let call = self.file("HEAD", path)?.accepting("*/*");
        let answer = sent(call.reading(&["content-length", "content-type", "last-modified"]), path).await?;
        let text = |name| answer.header(name).unwrap_or_default().to_owned();
        let size = text("content-length").parse().map_err(|_| {
            Error::new(ErrorKind::Protocol, format!("file `{path}`: the answer does not tell its size"))
                .with_hint("A gateway in between has to pass the header `content-length` on.")
        })?;
        Ok(FileInfo { size, content_type: text("content-type"), last_modified: text("last-modified") })
    }

    /// Deletes a file.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn delete(&self, path: &str) -> Result<()> {
        sent(self.file("DELETE", path)?, path).await.map(drop)
    }

    /// Makes a folder and those above it; one that is there stays as it is.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn create_directory(&self, path: &str) -> Result<()> {
        sent(self.directory("PUT", path)?, path).await.map(drop)
    }

    /// Whether there is a folder.
    ///
    /// # Errors
    /// What the service refuses for another reason.
    pub async fn directory_exists(&self, path: &str) -> Result<bool> {
        match sent(self.directory("HEAD", path)?, path).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes a folder, which has to be empty.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn delete_directory(&self, path: &str) -> Result<()> {
        sent(self.directory("DELETE", path)?, path).await.map(drop)
    }

    /// What is in a folder, at most `most` entries, as the API gives them: `path`, `name`, `is_directory`, `file_size`, `last_modified` in
    /// milliseconds. They are fetched in pages, of `page_size` entries if that is given.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn list(&self, path: &str, page_size: Option<usize>, most: Option<usize>) -> Result<Vec<Json>> {
        let call = self.directory("GET", path)?.maybe_query("page_size", page_size);
        call.list("contents", most).await.map_err(|error| explained(error, path))
    }

    fn file(&self, method: &'static str, path: &str) -> Result<ApiCall> {
        let target = Target::Object("file", path.to_owned());
        Ok(self.workspace.api(method, &format!("{FILES}{}", encoded(path)?), target))
    }

    fn directory(&self, method: &'static str, path: &str) -> Result<ApiCall> {
        let target = Target::Object("directory", path.to_owned());
        Ok(self.workspace.api(method, &format!("{DIRECTORIES}{}", encoded(path)?), target))
    }
}

async fn sent(call: ApiCall, path: &str) -> Result<Answer> {
    call.whole().await.map_err(|error| explained(error, path))
}

/// A path as it stands in a URL: each name in it encoded.
fn encoded(path: &str) -> Result<String> {
    let wrong = |why: &str| {
        Error::new(ErrorKind::Input, format!("`{path}` is not the path of a file: {why}"))
            .at_field("path")
            .with_hint("Paths are absolute: /Volumes/<catalog>/<schema>/<volume>/<file>.")
    };
    let names = path.strip_prefix('/').ok_or_else(|| wrong("it does not start with `/`"))?;
    let names = names.strip_suffix('/').unwrap_or(names).split('/');
    let mut encoded = String::with_capacity(path.len());
    for name in names {
        encoded.push('/');
        encoded.push_str(&url::segment(name).map_err(|_| wrong(&format!("`{name}` cannot be a name in it")))?);
    }
    Ok(encoded)
}

fn status(error: &Error) -> Option<u16> {
    error.service().map(|service| service.status)
}

fn changed(path: &str, error: Error) -> Error {
    let changed = Error::new(ErrorKind::Conflict, format!("file `{path}` was changed while it was read"));
    let changed = changed.with_hint("Read it again from the start.");
    match error.service() {
        Some(service) => changed.with_service(service.clone()),
        None => changed,
    }
}

/// Adds what to do about a refusal.
fn explained(error: Error, path: &str) -> Error {
    let hint = match error.kind() {
        ErrorKind::Conflict => "Allow to overwrite it, or choose another path.",
        ErrorKind::NotFound => "Check the path, and that the volume exists: list the folder above it.",
        ErrorKind::Permission => {
            "Grant READ VOLUME or WRITE VOLUME on the volume, and USE CATALOG and USE SCHEMA on what holds it, to the user or service \
             principal of the credential."
        }
        ErrorKind::BadRequest if !path.starts_with("/Volumes/") => {
            "Paths are absolute: /Volumes/<catalog>/<schema>/<volume>/<file>."
        }
        ErrorKind::BadRequest if error.message().contains("not empty") => "Delete what is in it first.",
        _ => return error,
    };
    error.with_hint(hint)
}
