//! Training sets made where the data is, and predictors over whole tables.
//!
//! A [`Selection`] says which rows of a table, a federated table or files become examples; it is one SQL statement. A warehouse or a job on
//! Spark runs it, and its rows are read page by page, or written to a table or to Parquet. [`Asking`] is a predictor over the rows of a
//! selection, whose model is asked by the engine itself.

mod ask;
mod condition;
mod diagnostics;
mod exact_match;
mod job;
mod output;
mod query;
mod selection;
mod shown;

pub use ask::{Asking, REFUSED, REPLY, Request};
pub use condition::{Comparison, Condition};
pub use exact_match::{Counted, ExactMatch};
pub use job::JobPlace;
pub use output::{Mode, Output};
pub use query::{Parameter, Query};
pub use selection::{Sample, Selection, Size, Source};

use serde_json::{Map as JsonMap, Value as Json};

use super::Workspace;
use super::sql::{Pages, Warehouse};
use super::wait::Wait;
use crate::error::Result;
use crate::example::Example;
use crate::value::{Map, Value};

/// Makes training sets by SQL, as `DistributedDataProcessor` of the case study does by a Spark session of its own.
///
/// ```
/// use lakelet::databricks::data::{DistributedDataProcessor, Mode, Output, Selection, Source};
/// use lakelet::databricks::wait::Wait;
/// # async fn example(workspace: lakelet::databricks::Workspace) -> lakelet::Result<()> {
/// let processor = DistributedDataProcessor::new(&workspace, "abc123");
/// let diagnostics = Selection::lsp_diagnostics(Source::Table("bigquery.replit.lsp_diagnostics".to_owned()), false);
/// let output = Output::Table { name: "main.repair.trainset".to_owned(), mode: Mode::Create };
/// let trainset = processor.write(&Selection::training_dataset(diagnostics), &output, &Wait::default()).await?;
/// let mut examples = processor.examples(&trainset, &Wait::default()).await?;
/// while let Some(page) = examples.next().await? {
///     println!("{} examples", page.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DistributedDataProcessor {
    workspace: Workspace,
    warehouse: Warehouse,
}

impl DistributedDataProcessor {
    /// A processor that runs its statements on a SQL warehouse.
    pub fn new(workspace: &Workspace, warehouse_id: &str) -> Self {
        Self { workspace: workspace.clone(), warehouse: workspace.warehouse(warehouse_id) }
    }

    /// The examples of a selection, page by page.
    ///
    /// # Errors
    /// What cannot be right of the selection, what the service refuses, and what the engine says of the statement.
    pub async fn examples(&self, selection: &Selection, wait: &Wait) -> Result<Examples> {
        let inputs = selection.input_names().into_iter().map(str::to_owned).collect();
        let pages = self.warehouse.open(&selection.query()?.statement(), wait).await?;
        Ok(Examples { pages, inputs })
    }

    /// Writes the examples of a selection, and gives the selection of what was written.
    ///
    /// # Errors
    /// As [`examples`](Self::examples); [`Conflict`](crate::ErrorKind::Conflict) when a table is there that is to be made.
    pub async fn write(&self, selection: &Selection, output: &Output, wait: &Wait) -> Result<Selection> {
        self.warehouse.execute(&output.query(selection)?.statement(), wait).await?;
        Ok(selection.stored(output.source()))
    }

    /// Starts a job that writes the examples of a selection, and gives the id of its run.
    ///
    /// # Errors
    /// What cannot be right of the selection, and what the service refuses.
    pub async fn submit(&self, selection: &Selection, output: &Output, place: &JobPlace) -> Result<i64> {
        place.submit(&self.workspace, &output.query(selection)?).await
    }

    /// The one statement that asks a predictor for every row: see [`Asking::query`]. The types of the fields are asked for first.
    ///
    /// # Errors
    /// As [`Asking::query`]; what the service refuses, and what the engine says of the selection.
    pub async fn asking(&self, asking: &Asking, output: Option<&Output>, wait: &Wait) -> Result<Query> {
        let types = self.warehouse.execute(&asking.probe()?.statement(), wait).await?;
        asking.query(&types.columns, output)
    }

    /// Asks a predictor for every row and writes the rows with the replies; gives the selection of what was written, without the replies.
    ///
    /// # Errors
    /// As [`asking`](Self::asking).
    pub async fn ask(&self, asking: &Asking, output: &Output, wait: &Wait) -> Result<Selection> {
        let query = self.asking(asking, Some(output), wait).await?;
        self.warehouse.execute(&query.statement(), wait).await?;
        Ok(asking.selection.stored(output.source()))
    }

    /// The replies of a query of [`Asking`], or of what it wrote ([`Asking::answered`]), page by page.
    ///
    /// # Errors
    /// What the service refuses, and what the engine says of the statement.
    pub async fn replies(&self, query: &Query, wait: &Wait) -> Result<Replies> {
        Ok(Replies { pages: self.warehouse.open(&query.statement(), wait).await? })
    }

    /// How many replies are an exact match, as far as SQL can tell; [`ExactMatch::rest`] gives the others.
    ///
    /// # Errors
    /// As [`ExactMatch::check`]; what the service refuses.
    pub async fn exact_matches(&self, matches: &ExactMatch, wait: &Wait) -> Result<Counted> {
        Counted::of(&self.warehouse.execute(&matches.count()?.statement(), wait).await?)
    }
}

/// The examples of a selection, page by page.
pub struct Examples {
    pages: Pages,
    inputs: Vec<String>,
}

impl Examples {
    /// The next page; `None` at the end.
    ///
    /// # Errors
    /// What the service refuses; the next call begins at the same page.
    pub async fn next(&mut self) -> Result<Option<Vec<Example>>> {
        let Some(rows) = self.pages.next().await? else { return Ok(None) };
        let example = |record: JsonMap<String, Json>| {
            let fields = record.iter().map(|(name, value)| (name.clone(), Value::from(value))).collect::<Map>();
            Example { fields, input_keys: self.inputs.clone() }
        };
        Ok(Some(rows.records().into_iter().map(example).collect()))
    }
}

/// The replies of a model to the rows of a selection, page by page.
pub struct Replies {
    pages: Pages,
}

/// The fields of a row, and the reply to it, or why there is none.
pub type Replied = (JsonMap<String, Json>, Result<String>);

impl Replies {
    /// Those of pages that were opened already.
    pub fn of(pages: Pages) -> Self {
        Self { pages }
    }

    /// The next page; `None` at the end.
    ///
    /// # Errors
    /// What the service refuses; the next call begins at the same page.
    pub async fn next(&mut self) -> Result<Option<Vec<Replied>>> {
        let replied = |mut record: JsonMap<String, Json>| {
            let reply = ask::reply(&record);
            record.retain(|name, _| name != REFUSED && name != REPLY);
            (record, reply)
        };
        Ok(self.pages.next().await?.map(|rows| rows.records().into_iter().map(replied).collect()))
    }
}
