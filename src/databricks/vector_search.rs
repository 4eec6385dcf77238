//! Vector Search: queries of an index, by text and by vector.
//!
//! Databricks' Python client queries with `GET` and a body, which `fetch` cannot send; `POST` on the same path is the same
//! call, and what Databricks' SDK and DSPy send.

use futures_core::future::LocalBoxFuture;
use serde_json::{Map, Value as Json, json};

use super::error::{Target, unreadable};
use super::{Call, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::http::url;
use crate::json;
use crate::nearest::offer;
use crate::python::lower;
use crate::retrieve::{Passage, Query, Retriever};
use crate::sort::sort_by;

/// How the index looks for what fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryType {
    /// By nearness of embeddings; the service's default.
    Ann,
    /// By nearness and by words together.
    Hybrid,
    /// By words alone.
    FullText,
}

impl QueryType {
    /// The query type of a name: `ANN`, `HYBRID` or `FULL_TEXT`.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) for any other name.
    pub fn named(name: &str) -> Result<Self> {
        let all = [Self::Ann, Self::Hybrid, Self::FullText];
        all.into_iter().find(|known| known.wire_name() == name).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("there is no query type `{name}`"))
                .with_hint(offer(name, all.into_iter().map(Self::wire_name)))
        })
    }

    fn wire_name(self) -> &'static str {
        match self {
            Self::Ann => "ANN",
            Self::Hybrid => "HYBRID",
            Self::FullText => "FULL_TEXT",
        }
    }

    /// The most results that the service returns.
    fn most_results(self) -> u32 {
        match self {
            Self::Ann => 10_000,
            Self::Hybrid | Self::FullText => 200,
        }
    }
}

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
    pub(super) fn new(workspace: Workspace, name: &str) -> Result<Self> {
        Ok(Self {
            workspace,
            name: name.to_owned(),
            path: format!("/api/2.0/vector-search/indexes/{}", url::segment(name)?),
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

    /// The body of a query; members that say nothing are left out.
    fn body(&self, query: &Query) -> Result<Json> {
        let wrong = |field: &str, message: String, hint: &str| {
            let message = format!("{}: {message}", self.target().describe());
            Err(Error::new(ErrorKind::Input, message).at_field(field).with_hint(hint))
        };
        let query_type = self.query_type.unwrap_or(QueryType::Ann);
        let (text, vector) = (query.text.is_some(), query.vector.is_some());
        let (fits, rule) = match query_type {
            QueryType::Ann => (text != vector, "an ANN query needs either a text or a vector"),
            QueryType::Hybrid => (text, "a HYBRID query needs a text, and may have a vector beside it"),
            QueryType::FullText => (text && !vector, "a FULL_TEXT query needs a text and no vector"),
        };
        if !fits {
            return wrong(
                "query",
                rule.to_owned(),
                "An index that computes its embeddings takes texts; others need a vector.",
            );
        }
        let k = query.k.unwrap_or(self.results);
        if k == 0 || k > query_type.most_results() {
            let most = query_type.most_results();
            return wrong("k", format!("{k} results cannot be asked for"), &format!("Ask for 1 to {most} results."));
        }
        if query.vector.iter().flatten().any(|number| !number.is_finite()) {
            return wrong(
                "query",
                "the query's vector holds a number that is not finite".to_owned(),
                "Embed the text again.",
            );
        }
        let mut body = Map::new();
        body.insert("columns".to_owned(), json!(self.wanted()));
        body.insert("num_results".to_owned(), k.into());
        if let Some(text) = &query.text {
            body.insert("query_text".to_owned(), text.as_str().into());
        }
        if let Some(vector) = &query.vector {
            body.insert("query_vector".to_owned(), json!(vector));
        }
        match &query.filters {
            None | Some(Json::Null) => {}
            Some(Json::String(clause)) => {
                body.insert("filter_string".to_owned(), clause.as_str().into());
            }
            Some(filters @ (Json::Object(_) | Json::Array(_))) => {
                body.insert("filters_json".to_owned(), json::text(filters).into());
            }
            Some(_) => {
                let hint = "Give an object such as {\"region\": [\"global\", \"EU\"]}, or a WHERE clause as text for an index \
                            on a storage-optimized endpoint.";
                return wrong("filters", "the filters are neither an object nor a text".to_owned(), hint);
            }
        }
        if let Some(query_type) = self.query_type {
            body.insert("query_type".to_owned(), query_type.wire_name().into());
        }
        if let Some(score) = self.score_threshold {
            body.insert("score_threshold".to_owned(), score.into());
        }
        Ok(Json::Object(body))
    }

    /// Asks, and follows the pages of the answer until there are `k` rows.
    async fn ask(self, query: Query) -> Result<Vec<Passage>> {
        let body = self.body(&query)?;
        let k = query.k.unwrap_or(self.results) as usize;
        let deadline_ms = Some(self.workspace.deadline(query.deadline_ms).at_ms());
        let mut passages = self.page("query", &body, deadline_ms).await?;
        while let Some(page_token) = passages.next_page.take().filter(|_| passages.rows.len() < k) {
            let next = self.page("query-next-page", &json!({ "page_token": page_token }), deadline_ms).await?;
            if next.rows.is_empty() {
                break; // a page that brings nothing cannot be the way to more
            }
            passages.rows.extend(next.rows);
            passages.next_page = next.next_page;
        }
        let mut passages = passages.rows;
        sort_by(&mut passages, |a, b| b.score.total_cmp(&a.score));
        passages.truncate(k);
        Ok(passages)
    }

    async fn page(&self, verb: &str, body: &Json, deadline_ms: Option<f64>) -> Result<Page> {
        let path = format!("{}/{verb}", self.path);
        let call = Call::post(&path, json::text(body).into_bytes(), self.target());
        let answer = match self.workspace.clone().whole(call, deadline_ms).await {
            Err(error) if error.kind() == ErrorKind::BadRequest => return Err(self.name_missing_column(error)),
            answer => answer?,
        };
        let json = json::read(&answer.body).unwrap_or_default();
        let manifest = json.get("manifest").and_then(|manifest| manifest.get("columns")).and_then(Json::as_array);
        let Some(columns) = manifest else {
            return Err(unreadable(&self.target(), &answer.body, "the result of a query"));
        };
        let names: Vec<&str> =
            columns.iter().map(|column| column.get("name").and_then(Json::as_str).unwrap_or_default()).collect();
        if let Some(missing) = self.wanted().into_iter().find(|column| !names.contains(column)) {
            return Err(self.missing_column(missing));
        }
        // The control plane writes `data_array`, the data plane `dataArray`; without hits it may be absent.
        let result = json.get("result").unwrap_or(&Json::Null);
        let rows = result.get("data_array").or_else(|| result.get("dataArray")).and_then(Json::as_array);
        let rows = rows.into_iter().flatten().map(|row| self.passage(&names, row)).collect::<Option<Vec<_>>>();
        let rows =
            rows.ok_or_else(|| unreadable(&self.target(), &answer.body, "a row with a value for each column"))?;
        let next_page = json.get("next_page_token").or_else(|| json.get("nextPageToken")).and_then(Json::as_str);
        Ok(Page { rows, next_page: next_page.filter(|token| !token.is_empty()).map(str::to_owned) })
    }

    /// A row as a passage. The score is the last column that has its name, because the service appends it.
    fn passage(&self, names: &[&str], row: &Json) -> Option<Passage> {
        let row = row.as_array().filter(|row| row.len() >= names.len())?;
        let at = |column: &str| names.iter().position(|name| *name == column).and_then(|place| row.get(place));
        let score = names.iter().rposition(|name| *name == "score").and_then(|place| row.get(place));
        let columns = self.columns.iter().filter_map(|column| Some((column.clone(), at(column)?.clone())));
        Some(Passage {
            id: plain_text(at(&self.id_column)?),
            text: plain_text(at(&self.text_column)?),
            score: score.and_then(Json::as_f64).unwrap_or_default(),
            columns: columns.collect(),
        })
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

struct Page {
    rows: Vec<Passage>,
    next_page: Option<String>,
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
