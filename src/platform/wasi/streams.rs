//! Bytes in and out.

use super::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use super::{failure, ready};
use crate::error::Result;

/// The longest piece that is read at once.
const PIECE: u64 = 64 * 1024;

/// The next piece; none at the end.
pub async fn read(stream: &InputStream) -> Result<Option<Vec<u8>>> {
    loop {
        match stream.read(PIECE) {
            Ok(piece) if piece.is_empty() => ready(stream.subscribe()).await,
            Ok(piece) => return Ok(Some(piece)),
            Err(StreamError::Closed) => return Ok(None),
            Err(StreamError::LastOperationFailed(error)) => return Err(failure::of_stream(&error)),
        }
    }
}

/// Writes all of it, and waits until it is on its way.
pub async fn write(stream: &OutputStream, bytes: &[u8]) -> std::result::Result<(), StreamError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        let (now, later) = rest.split_at(room.min(rest.len()));
        if now.is_empty() {
            ready(stream.subscribe()).await;
        } else {
            stream.write(now)?;
            rest = later;
        }
    }
    stream.flush()?;
    ready(stream.subscribe()).await;
    Ok(())
}
