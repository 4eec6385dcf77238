//! The rows of Direct Access indexes: written, deleted, and read one after the other.

use serde_json::{Map, Value as Json, json};

use super::VectorSearchManager;
use super::structs::record;
use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// The service takes requests of up to 10 MB; some bytes of them are not rows.
const MOST_BYTES: usize = 10_000_000 - 100;

/// How many rows were changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changed {
    pub success_row_count: u64,
    /// The keys of the rows that were not.
    pub failed_primary_keys: Vec<String>,
}

/// Rows of an index, in the order of their keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Scanned {
    pub rows: Vec<Map<String, Json>>,
    /// Where to go on; `None` at the end.
    pub last_primary_key: Option<String>,
}

impl VectorSearchManager {
    /// Writes rows to a Direct Access index, each over the one with its key. They are sent in requests of up to 10 MB, one after the
    /// other.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) at a row that is larger than a request; then nothing is sent. What the service refuses, with how many
    /// rows were written before: writing all of them again does no harm.
    pub async fn upsert(&self, index: &str, rows: &[Map<String, Json>]) -> Result<Changed> {
        let texts = rows.iter().map(|row| json::text(&Json::Object(row.clone())));
        let mut changed = Changed::default();
        for batch in batches(texts, |text| json::text(&Json::from(text)).len(), MOST_BYTES)? {
            let body = json!({"inputs_json": format!("[{}]", batch.join(","))});
            let answer = self.send(self.at("POST", index, "/upsert-data")?.json(&body)).await;
            changed.add(answer, "written")?;
        }
        Ok(changed)
    }

    /// Deletes the rows of a Direct Access index that have these keys.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    pub async fn delete(&self, index: &str, primary_keys: &[&str]) -> Result<Changed> {
        let keys = primary_keys.iter().map(|key| json::text(&Json::from(*key)));
        let mut changed = Changed::default();
        let mut left = primary_keys;
        for batch in batches(keys, str::len, MOST_BYTES)? {
            let (these, rest) = left.split_at(batch.len());
            left = rest;
            let call = self.at("DELETE", index, "/delete-data")?.json(&json!({"primary_keys": these}));
            changed.add(self.send(call).await, "deleted")?;
        }
        Ok(changed)
    }

    /// Reads rows of an index in the order of their keys, from the one after `last_primary_key` on.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn scan(&self, index: &str, results: u32, last_primary_key: Option<&str>) -> Result<Scanned> {
        let mut body = json!({"num_results": results});
        if let Some(key) = last_primary_key {
            body["last_primary_key"] = key.into();
        }
        let answer = self.send(self.at("POST", index, "/scan")?.json(&body)).await?;
        let rows: Vec<_> = answer.get("data").and_then(Json::as_array).into_iter().flatten().map(record).collect();
        let last = answer.get("last_primary_key").and_then(Json::as_str).filter(|_| !rows.is_empty());
        Ok(Scanned { last_primary_key: last.map(str::to_owned), rows })
    }
}

impl Changed {
    /// Adds what became of a request.
    fn add(&mut self, answer: Result<Json>, done: &str) -> Result<()> {
        let answer = answer.map_err(|error| match self.success_row_count {
            0 => error,
            before => error.and_hint(&format!("{before} rows were {done} before.")),
        })?;
        let result = answer.get("result").unwrap_or(&Json::Null);
        self.success_row_count += result.get("success_row_count").and_then(Json::as_u64).unwrap_or_default();
        let failed = result.get("failed_primary_keys").and_then(Json::as_array).into_iter().flatten();
        self.failed_primary_keys.extend(failed.map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned)));
        Ok(())
    }
}

/// Texts in groups that fit in a request each, measured as they are sent.
fn batches(
    texts: impl Iterator<Item = String>,
    measured: impl Fn(&str) -> usize,
    most: usize,
) -> Result<Vec<Vec<String>>> {
    let mut all: Vec<Vec<String>> = Vec::new();
    let mut free = 0;
    for (at, text) in texts.enumerate() {
        let size = measured(&text) + 1;
        if size > most {
            return Err(Error::new(
                ErrorKind::Input,
                format!("row {at} has {size} bytes, more than a request may have"),
            )
            .at_field("rows")
            .with_hint("A request takes up to 10 MB: shorten its texts, or cut them into passages."));
        }
        match all.last_mut().filter(|_| size <= free) {
            Some(batch) => batch.push(text),
            None => {
                all.push(vec![text]);
                free = most;
            }
        }
        free -= size;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_as_large_as_they_may_be_in_order() {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>().into_iter();
        let found = batches(texts(&["abc", "d", "efg", "", "hijklm"]), str::len, 7).unwrap();
        assert_eq!(found, [vec!["abc", "d"], vec!["efg", ""], vec!["hijklm"]]);
        assert!(batches(texts(&[]), str::len, 7).unwrap().is_empty());
        assert_eq!(batches(texts(&["a", "1234567"]), str::len, 7).unwrap_err().field(), Some("rows"));
    }
}
