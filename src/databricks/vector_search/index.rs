//! An index as the retriever of programs: rows become passages.

use futures_core::future::LocalBoxFuture;
use serde_json::Value as Json;

use super::hints::explained;
use super::index_path;
use super::search::{Found, QueryType, Search};
use crate::databricks::Workspace;
use crate::databricks::error::Target;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::python::lower;
use crate::retrieve::{Passage, Query, Retriever};
use crate::sort::sort_by;

/// A Vector Search index. Columns are named as DSPy's `DatabricksRM` expects them unless told otherwise: the id in `id`, the
/// text in `text`; 3 passages are returned unless a query asks for another number.
///
/// ```
/// use lakelet::databricks::{QueryType, Workspace};
/// use lakelet::retrieve::{Query, Retriever};
/// use serde_json::json;
/// # async fn example(workspace: Workspace) -> lakelet::Result<()> {
/// let index = workspace
///     .index("main.rag.docs_index")?
///     .text_column("content")
///     .columns(["uri"])
///     .results(5)
///     .query_type(QueryType::Hybrid);
/// let text = Some("parental leave".to_owned());
/// let filters = Some(json!({"region": ["global", "EU"], "year >=": 2024}));
/// for passage in index.retrieve(Query { text, filters, ..Query::default() }).await? {
///     println!("{:.2} {} {}", passage.score, passage.id, passage.text);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct VectorIndex {
    workspace: Workspace,
    name: String,
    path: String,
    id_column: String,
    text_column: String,
    columns: Vec<String>,
    results: u32,
    query_type: Option<QueryType>,
    score_threshold: Option<f64>,
}

impl VectorIndex {
    pub(in crate::databricks) fn new(workspace: Workspace, name: &str) -> Result<Self> {
        Ok(Self {
            workspace,
            name: name.to_owned(),
            path: index_path(name)?,
            id_column: "id".to_owned(),
            text_column: "text".to_owned(),
            columns: Vec::new(),
            results: 3,
            query_type: None,
            score_threshold: None,
        })
    }

    /// The column that identifies a passage.
    pub fn id_column(mut self, column: &str) -> Self {
        self.id_column = column.to_owned();
        self
    }

    /// The column that holds a passage's text.
    pub fn text_column(mut self, column: &str) -> Self {
        self.text_column = column.to_owned();
        self
    }

    /// Columns to return beside id and text, as [`Passage::columns`].
    pub fn columns<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// How many passages to return when a query does not say.
    pub fn results(mut self, results: u32) -> Self {
        self.results = results;
        self
    }

    /// How to look for what fits.
    pub fn query_type(mut self, query_type: QueryType) -> Self {
        self.query_type = Some(query_type);
        self
    }

    /// Leaves out what scores less.
    pub fn score_threshold(mut self, score: f64) -> Self {
        self.score_threshold = Some(score);
        self
    }

    /// The index's full name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn target(&self) -> Target {
        Target::Index(self.name.clone())
    }

    /// The columns to ask for, each once.
    fn wanted(&self) -> Vec<&str> {
        let mut wanted = Vec::new();
        for column in [&self.id_column, &self.text_column].into_iter().chain(&self.columns) {
            if !wanted.contains(&column.as_str()) {
                wanted.push(column.as_str());
            }
        }
        wanted
    }

    /// Asks, and follows the pages of the answer until there are `k` rows.
    async fn ask(self, query: Query) -> Result<Vec<Passage>> {
        let search = Search {
            text: query.text,
            vector: query.vector,
            columns: self.wanted().into_iter().map(str::to_owned).collect(),
            results: Some(query.k.unwrap_or(self.results)),
            query_type: self.query_type,
            filters: query.filters,
            score_threshold: self.score_threshold,
            ..Search::default()
        };
        let check =
            |found: &Found| match self.wanted().into_iter().find(|name| !found.columns.iter().any(|of| of == name)) {
                Some(missing) => Err(self.missing_column(missing)),
                None => Ok(()),
            };
        let found = search.run(&self.workspace, &self.path, &self.target(), query.deadline_ms, check).await;
        let found = found.map_err(|error| match error.kind() {
            ErrorKind::BadRequest => explained(self.name_missing_column(error)),
            _ => error,
        })?;
        let mut passages: Vec<Passage> = found.rows.iter().map(|row| self.passage(&found.columns, row)).collect();
        sort_by(&mut passages, |a, b| b.score.total_cmp(&a.score));
        Ok(passages)
    }

    /// A row as a passage. The score is the last column that has its name, because the service appends it.
    fn passage(&self, names: &[String], row: &[Json]) -> Passage {
        let at = |column: &str| row.get(names.iter().position(|name| name == column)?);
        let text = |column: &str| at(column).map(plain_text).unwrap_or_default();
        let score = names.iter().rposition(|name| name == "score").and_then(|place| row.get(place));
        let columns = self.columns.iter().filter_map(|column| Some((column.clone(), at(column)?.clone())));
        Passage {
            id: text(&self.id_column),
            text: text(&self.text_column),
            score: score.and_then(Json::as_f64).unwrap_or_default(),
            columns: columns.collect(),
        }
    }

    fn missing_column(&self, column: &str) -> Error {
        let message = format!("{} has no column `{column}`", self.target().describe());
        Error::new(ErrorKind::BadRequest, message).at_field(column).with_hint(self.column_hint())
    }

    /// A refusal that speaks of one of our columns is about that column.
    fn name_missing_column(&self, error: Error) -> Error {
        let message = lower(error.message());
        // The message names the index as well, and a column may be called like a part of that name.
        let said = message.replace(&lower(&self.name), "");
        let named = |column: &&str| {
            let column = lower(column);
            let word = |c: char| c.is_alphanumeric() || c == '_';
            said.split(|c| !word(c)).any(|part| part == column)
        };
        match self.wanted().into_iter().find(named).filter(|_| said.contains("column")) {
            Some(column) => error.at_field(column).with_hint(self.column_hint()),
            None => error,
        }
    }

    fn column_hint(&self) -> String {
        format!(
            "Name columns that `{}` has as its id column, text column and further columns; the Catalog page lists them.",
            self.name
        )
    }
}

/// A cell as text: whole numbers without a fraction, whichever way the service writes them, and nothing for null.
fn plain_text(cell: &Json) -> String {
    match cell {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Number(number) => match number.as_f64() {
            Some(whole) if number.is_f64() && whole.fract() == 0.0 && whole.abs() < 9e15 => (whole as i64).to_string(),
            _ => number.to_string(),
        },
        other => json::text(other),
    }
}

impl Retriever for VectorIndex {
    fn retrieve(&self, query: Query) -> LocalBoxFuture<'static, Result<Vec<Passage>>> {
        Box::pin(self.clone().ask(query))
    }
}
