//! A result, chunk by chunk: no more of it is held than the one that is read.

use std::collections::VecDeque;

use serde_json::Value as Json;

use super::rows::{Column, Rows, columns};
use super::{Warehouse, statement_target};
use crate::databricks::error::unreadable;
use crate::databricks::presigned::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// The result of a statement, to be read chunk by chunk. Made by [`Warehouse::open`] and [`Warehouse::pages`].
///
/// A call that fails takes nothing away: the next one begins at the same chunk.
pub struct Pages {
    warehouse: Warehouse,
    statement_id: String,
    columns: Vec<Column>,
    format: String,
    total_rows: Option<u64>,
    total_chunks: Option<u64>,
    truncated: bool,
    /// What has come already, in order.
    here: VecDeque<Chunk>,
    /// The chunk after that.
    next: Option<u64>,
}

enum Chunk {
    Rows(Json),
    Link { index: u64, link: Link },
}

/// The content of a chunk.
enum Content {
    Rows(Json),
    File(Vec<u8>),
}

impl Pages {
    /// Those of an answer that tells of success.
    pub(super) fn read(warehouse: Warehouse, mut answer: Json) -> Result<Self> {
        let result = answer.get_mut("result").map(Json::take);
        let text = |pointer| answer.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
        let mut pages = Self::at(warehouse, text("/statement_id"), columns(&answer), 0);
        pages.next = None;
        pages.format = text("/manifest/format").to_owned();
        pages.total_rows = answer.pointer("/manifest/total_row_count").and_then(Json::as_u64);
        pages.total_chunks = answer.pointer("/manifest/total_chunk_count").and_then(Json::as_u64);
        pages.truncated = answer.pointer("/manifest/truncated").and_then(Json::as_bool).unwrap_or(false);
        if let Some(first) = result {
            pages.arrived(first, None)?;
        }
        Ok(pages)
    }

    /// Those of a statement from a chunk on.
    pub(super) fn at(warehouse: Warehouse, statement_id: &str, columns: Vec<Column>, chunk: u64) -> Self {
        let (statement_id, here) = (statement_id.to_owned(), VecDeque::new());
        let (format, total_rows, total_chunks, truncated) = (String::new(), None, None, false);
        Self { warehouse, statement_id, columns, format, total_rows, total_chunks, truncated, here, next: Some(chunk) }
    }

    /// The statement's id, by which the result can be read for an hour.
    pub fn statement_id(&self) -> &str {
        &self.statement_id
    }

    /// The columns of the result.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many rows there are in all chunks, if the service has said so.
    pub fn total_rows(&self) -> Option<u64> {
        self.total_rows
    }

    /// There were more rows than a limit let through.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// How many chunks there are, numbered from 0, if the service has said so.
    pub fn total_chunks(&self) -> Option<u64> {
        self.total_chunks
    }

    /// The rows of the next chunk; `None` at the end.
    ///
    /// # Errors
    /// What the service refuses; [`Unsupported`](ErrorKind::Unsupported) when the statement asked for another format than `JSON_ARRAY`.
    pub async fn next(&mut self) -> Result<Option<Rows>> {
        if !matches!(self.format.as_str(), "" | "JSON_ARRAY") {
            let message = format!("rows are not read from the format {}", self.format);
            return Err(Error::new(ErrorKind::Unsupported, message)
                .at_field("format")
                .with_hint("Leave `format` out, or take the chunks as bytes."));
        }
        let rows = match self.content().await? {
            None => return Ok(None),
            Some(Content::Rows(rows)) => rows,
            Some(Content::File(bytes)) => {
                let target = statement_target(&self.statement_id);
                json::read(&bytes).map_err(|_| unreadable(&target, &bytes, "rows as JSON"))?
            }
        };
        Rows::read(self.columns.clone(), rows, self.truncated).map(Some)
    }

    /// The next chunk as the bytes of a file in the format that the statement asked for; `None` at the end.
    ///
    /// In CSV the first chunk has a header, and `null` stands for NULL.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn next_bytes(&mut self) -> Result<Option<Vec<u8>>> {
        Ok(self.content().await?.map(|content| match content {
            Content::Rows(rows) => json::text(&rows).into_bytes(),
            Content::File(bytes) => bytes,
        }))
    }

    async fn content(&mut self) -> Result<Option<Content>> {
        if let (None, Some(next)) = (self.here.front(), self.next) {
            let chunk = self.warehouse.chunk(&self.statement_id, next).await?;
            self.arrived(chunk, Some(next))?;
        }
        if let Some(Chunk::Link { index, link }) = self.here.front() {
            let (index, link) = (*index, link.clone());
            let bytes = self.follow(index, link).await?;
            self.here.pop_front();
            return Ok(Some(Content::File(bytes)));
        }
        Ok(self.here.pop_front().and_then(|chunk| match chunk {
            Chunk::Rows(rows) => Some(Content::Rows(rows)),
            Chunk::Link { .. } => None,
        }))
    }

    /// What lies behind a link; behind a new one when the first has expired.
    async fn follow(&mut self, index: u64, link: Link) -> Result<Vec<u8>> {
        let target = statement_target(&self.statement_id);
        let workspace = self.warehouse.workspace.clone();
        match workspace.fetch_link(&link, &target).await {
            Err(error) if error.service().is_some_and(|service| (400..500).contains(&service.status)) => {
                let chunk = self.warehouse.chunk(&self.statement_id, index).await?;
                self.here.clear();
                self.arrived(chunk, Some(index))?;
                match self.here.front() {
                    Some(Chunk::Link { link, .. }) => workspace.fetch_link(link, &target).await,
                    _ => Err(error),
                }
            }
            fetched => fetched,
        }
    }

    /// Takes in a chunk that was asked for by its number, or the first one.
    fn arrived(&mut self, mut chunk: Json, asked: Option<u64>) -> Result<()> {
        let number = |of: &Json, name: &str| of.get(name).and_then(Json::as_u64);
        match chunk.get("external_links").and_then(Json::as_array) {
            Some(links) => {
                for of in links {
                    let url = of.get("external_link").and_then(Json::as_str).unwrap_or_default();
                    let index = number(of, "chunk_index").or(asked).unwrap_or_default();
                    self.here.push_back(Chunk::Link { index, link: Link::new(url, of.get("http_headers")) });
                }
                self.next = links.last().and_then(|last| number(last, "next_chunk_index"));
            }
            None => {
                self.next = number(&chunk, "next_chunk_index");
                self.here.extend(chunk.get_mut("data_array").map(|rows| Chunk::Rows(rows.take())));
            }
        }
        match (asked, self.next) {
            (Some(asked), Some(next)) if next <= asked => {
                Err(Error::new(ErrorKind::Protocol, format!("chunk {asked} of the result is followed by chunk {next}")))
            }
            _ => Ok(()),
        }
    }
}
