//! Reading a file piece by piece.

use super::{FileInfo, Files};
use crate::error::{Error, ErrorKind, Result};

/// Bytes of one piece: few enough for a page's memory, and enough that the calls do not count.
const PIECE: u64 = 8 << 20;

/// A file that is read piece by piece. Each piece is a call of its own, which is tried again by itself; a file that is changed meanwhile is
/// an error, never a mixture.
#[derive(Debug)]
pub struct Download {
    files: Files,
    path: String,
    info: FileInfo,
    offset: u64,
}

impl Download {
    pub(super) fn new(files: Files, path: &str, info: FileInfo) -> Self {
        Self { files, path: path.to_owned(), info, offset: 0 }
    }

    /// What is known of the file.
    pub fn info(&self) -> &FileInfo {
        &self.info
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the file was changed; what the service refuses.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let length = PIECE.min(self.info.size.saturating_sub(self.offset));
        if length == 0 {
            return Ok(None);
        }
        let piece = self.files.read(&self.path, self.offset, length, Some(&self.info.last_modified)).await?;
        let found = piece.len() as u64;
        if found != length {
            let message = format!("file `{}`: asked for {length} bytes, got {found}", self.path);
            return Err(Error::new(ErrorKind::Protocol, message)
                .with_hint("A gateway in between has to pass the header `range` on."));
        }
        self.offset += found;
        Ok(Some(piece))
    }
}
