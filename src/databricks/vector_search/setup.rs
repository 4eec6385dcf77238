//! The two calls of a team that starts: a table for its documents, and an index over it.

use serde_json::Value as Json;

use super::{IndexDefinition, VectorSearchManager};
use crate::databricks::names;
use crate::databricks::sql::{Statement, Warehouse};
use crate::databricks::wait::Wait;
use crate::error::{Error, ErrorKind, Result};

/// The columns of [`VectorSearchManager::setup_delta_table`] that an index is made of.
const ID: &str = "id";
const CONTENT: &str = "content";

impl VectorSearchManager {
    /// Makes a Delta table for documents, if there is none: `id`, `content` and `metadata`, and with `embeddings` a column `embedding`
    /// for vectors of one's own. It has a change data feed, which an index follows.
    ///
    /// # Errors
    /// As [`Warehouse::execute`]. When the second of the two statements fails, the error says that the table is there.
    pub async fn setup_delta_table(
        &self,
        warehouse: &Warehouse,
        table: &str,
        embeddings: bool,
        wait: &Wait,
    ) -> Result<()> {
        let name = names::quoted(table).map_err(|error| error.at_field("table_name"))?;
        let embedding = if embeddings { ", embedding ARRAY<FLOAT>" } else { "" };
        let create = format!(
            "CREATE TABLE IF NOT EXISTS IDENTIFIER(:table) \
             (id STRING NOT NULL, content STRING, metadata MAP<STRING, STRING>{embedding})"
        );
        let alter = "ALTER TABLE IDENTIFIER(:table) SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', \
                     'delta.autoOptimize.optimizeWrite' = 'true', 'delta.autoOptimize.autoCompact' = 'true')";
        warehouse.execute(&Statement::new(create).parameter("table", &name), wait).await?;
        let altered = warehouse.execute(&Statement::new(alter).parameter("table", &name), wait).await;
        let there = format!("The table `{table}` is there, without its properties: calling this again sets them.");
        altered.map(drop).map_err(|error| error.and_hint(&there))
    }

    /// Makes an index over the `content` of a table that [`setup_delta_table`](Self::setup_delta_table) has made, embedded by a model of
    /// the workspace, and the endpoint for it: `endpoint`, or one that is named after the index. Waits until it can be asked, and has it
    /// take in what is in the table. What is there already is used.
    ///
    /// # Errors
    /// What the service refuses; [`Conflict`](ErrorKind::Conflict) when there is an index of the name that follows another table or has
    /// another model; [`Deadline`](ErrorKind::Deadline) when the time is over. The error says what was made before and is left.
    pub async fn create_index(
        &self,
        index: &str,
        embedding_model: &str,
        source_table: &str,
        endpoint: Option<&str>,
        wait: &Wait,
    ) -> Result<Json> {
        let index = &names::plain(index, 3).map_err(|error| error.at_field("index_name"))?;
        let source_table = &names::plain(source_table, 3).map_err(|error| error.at_field("source_table"))?;
        let began = self.workspace.host.clock.now_ms();
        let endpoint = endpoint.map_or_else(|| endpoint_of(index), str::to_owned);
        let mut made = Vec::new();
        if unless_there(self.create_endpoint(&endpoint, "STANDARD", None).await)? {
            made.push(format!("vector search endpoint `{endpoint}`"));
        }
        let steps = async {
            self.wait_for_endpoint(&endpoint, wait).await?;
            let definition = IndexDefinition::delta_sync(index, &endpoint, ID, source_table)
                .embedding(CONTENT, embedding_model)
                .columns_to_sync([ID, CONTENT]); // an index cannot hold the map
            if unless_there(self.create(&definition).await)? {
                made.push(format!("vector index `{index}`"));
            }
            let rest = wait.after_ms(self.workspace.host.clock.now_ms() - began);
            same(&self.wait_until_ready(index, false, &rest).await?, index, source_table, embedding_model)?;
            self.sync(index).await?;
            self.get(index).await
        };
        let done = steps.await;
        done.map_err(|error| match made.is_empty() {
            true => error,
            false => error.and_hint(&format!("Made before and left: {}. Calling this again goes on.", made.join(", "))),
        })
    }
}

/// A name for the endpoint of an index: endpoints have letters, digits, `-` and `_` in their names.
fn endpoint_of(index: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    format!("{}_endpoint", index.chars().map(legal).collect::<String>())
}

/// Whether something was made; not, when it was there already.
fn unless_there(made: Result<Json>) -> Result<bool> {
    match made {
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
        made => made.map(|_| true),
    }
}

/// An index that was there is the one that was to be made.
fn same(found: &Json, index: &str, source_table: &str, embedding_model: &str) -> Result<()> {
    let text = |pointer| found.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let table = text("/delta_sync_index_spec/source_table");
    let model = text("/delta_sync_index_spec/embedding_source_columns/0/embedding_model_endpoint_name");
    if (table, model) == (source_table, embedding_model) {
        return Ok(());
    }
    let message = format!("there is an index `{index}` already, over `{table}` with the model `{model}`");
    Err(Error::new(ErrorKind::Conflict, message)
        .at_field("index_name")
        .with_hint("Choose another name, or drop that index first."))
}
