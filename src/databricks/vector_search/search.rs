//! What is looked for in an index, and what was found: one way to write a query for all that ask.

use std::cell::Cell;

use serde_json::{Map, Value as Json, json};

use crate::databricks::error::{Target, unreadable};
use crate::databricks::{Call, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::nearest::offer;

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

/// What to look for. Members that say nothing are not sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Search {
    /// In words; an index that computes its embeddings embeds them.
    pub text: Option<String>,
    /// As an embedding of the index's dimension.
    pub vector: Option<Vec<f64>>,
    /// The columns to return; the service adds `score`.
    pub columns: Vec<String>,
    /// How many rows at most; 10 unless given.
    pub results: Option<u32>,
    pub query_type: Option<QueryType>,
    /// An object such as `{"region": ["global", "EU"], "year >=": 2024}`; or, for an index on a storage-optimized endpoint, a text such
    /// as `region = 'EU' AND year >= 2024`.
    pub filters: Option<Json>,
    /// Leaves out what scores less.
    pub score_threshold: Option<f64>,
    /// Orders what was found anew, by these columns' texts.
    pub rerank_by: Vec<String>,
    /// Which columns a full-text search looks at.
    pub query_columns: Vec<String>,
    /// Orders the rows by columns: `year DESC`.
    pub sort_columns: Vec<String>,
    /// Counts of a column's values: `lang`, `lang TOP 5`, `year BUCKETS [[2000, 2009], [2010, 2019]]`.
    pub facets: Vec<String>,
    /// Above 0 the answer tells where the time went.
    pub debug_level: Option<u32>,
}

/// Rows that were found, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    pub columns: Vec<String>,
    /// A value for each column.
    pub rows: Vec<Vec<Json>>,
    /// How often which value is there, if it was asked for, by the names that the service gives: a column, a value and a count each.
    pub facets: Vec<Map<String, Json>>,
    /// Where the time went, if it was asked for.
    pub debug_info: Option<Json>,
    next_page: Option<String>,
}

impl Search {
    const DEFAULT_RESULTS: u32 = 10;

    /// The body of the request.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) at what cannot work: `query`, `k` or `filters`.
    fn body(&self, target: &Target) -> Result<Json> {
        let wrong = |field: &str, message: &str, hint: &str| {
            let message = format!("{}: {message}", target.describe());
            Err(Error::new(ErrorKind::Input, message).at_field(field).with_hint(hint))
        };
        let query_type = self.query_type.unwrap_or(QueryType::Ann);
        let (text, vector) = (self.text.is_some(), self.vector.is_some());
        let (fits, rule) = match query_type {
            QueryType::Ann => (text != vector, "an ANN query needs either a text or a vector"),
            QueryType::Hybrid => (text, "a HYBRID query needs a text, and may have a vector beside it"),
            QueryType::FullText => (text && !vector, "a FULL_TEXT query needs a text and no vector"),
        };
        if !fits {
            return wrong("query", rule, "An index that computes its embeddings takes texts; others need a vector.");
        }
        let most = query_type.most_results();
        if let Some(k) = self.results.filter(|k| *k == 0 || *k > most) {
            return wrong("k", &format!("{k} results cannot be asked for"), &format!("Ask for 1 to {most} results."));
        }
        if self.vector.iter().flatten().any(|number| !number.is_finite()) {
            return wrong("query", "the query's vector holds a number that is not finite", "Embed the text again.");
        }
        let mut body = Map::new();
        let mut put = |name: &str, value: Option<Json>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        };
        let list = |names: &[String]| (!names.is_empty()).then(|| json!(names));
        put("columns", Some(json!(self.columns)));
        put("num_results", self.results.map(Json::from));
        put("query_text", self.text.as_deref().map(Json::from));
        put("query_vector", self.vector.as_ref().map(|vector| json!(vector)));
        match &self.filters {
            None | Some(Json::Null) => {}
            Some(Json::String(clause)) => put("filter_string", Some(clause.as_str().into())),
            Some(filters @ (Json::Object(_) | Json::Array(_))) => put("filters_json", Some(json::text(filters).into())),
            Some(_) => {
                let hint = "Give an object such as {\"region\": [\"global\", \"EU\"]}, or a WHERE clause as text for an index \
                            on a storage-optimized endpoint.";
                return wrong("filters", "the filters are neither an object nor a text", hint);
            }
        }
        put("query_type", self.query_type.map(|query_type| query_type.wire_name().into()));
        put("score_threshold", self.score_threshold.map(Json::from));
        let reranker = |columns| json!({"model": "databricks_reranker", "parameters": {"columns_to_rerank": columns}});
        put("reranker", list(&self.rerank_by).map(reranker));
        put("query_columns", list(&self.query_columns));
        put("sort_columns", list(&self.sort_columns));
        put("facets", list(&self.facets));
        put("debug_level", self.debug_level.map(Json::from));
        Ok(Json::Object(body))
    }

    /// Asks, and follows the pages of the answer until there are as many rows as were asked for. Each page is shown to `check`.
    pub(super) async fn run(
        &self,
        workspace: &Workspace,
        path: &str,
        target: &Target,
        deadline_ms: Option<f64>,
        check: impl Fn(&Found) -> Result<()>,
    ) -> Result<Found> {
        let deadline_ms = Some(workspace.deadline(deadline_ms).at_ms());
        let k = self.results.unwrap_or(Self::DEFAULT_RESULTS) as usize;
        let page = async |verb: &str, body: &Json| {
            let call = Call::post(&format!("{path}/{verb}"), json::text(body).into_bytes(), target.clone());
            let answer = workspace.clone().whole(call, deadline_ms).await?;
            let found = Found::read(&answer.body, target)?;
            check(&found).map(|()| found)
        };
        let mut found = page("query", &self.body(target)?).await?;
        while let Some(page_token) = found.next_page.take().filter(|_| found.rows.len() < k) {
            let next = page("query-next-page", &json!({ "page_token": page_token })).await?;
            if next.rows.is_empty() {
                break; // a page that brings nothing cannot be the way to more
            }
            found.rows.extend(next.rows);
            found.next_page = next.next_page;
        }
        found.rows.truncate(k);
        Ok(found)
    }
}

impl Found {
    /// Reads an answer. The control plane writes `data_array`, the data plane `dataArray`; without hits it may be absent.
    fn read(body: &[u8], target: &Target) -> Result<Self> {
        let mut json = json::read(body).unwrap_or_default();
        let names = |json: &Json, snake: &str, camel: &str| {
            let manifest = json.get("manifest")?;
            let columns = manifest.get(snake).or_else(|| manifest.get(camel))?.as_array()?;
            let name = |column: &Json| column.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
            Some(columns.iter().map(name).collect::<Vec<_>>())
        };
        let columns = names(&json, "columns", "columns");
        let columns = columns.ok_or_else(|| unreadable(target, body, "the result of a query"))?;
        let narrow = Cell::new(false);
        let mut take = |pointers: [&str; 2], width: usize| {
            let mut found = pointers.into_iter().filter_map(|pointer| json.pointer_mut(pointer).map(Json::take));
            let Some(Json::Array(rows)) = found.next() else { return Vec::new() };
            let row = |row: Json| match row {
                Json::Array(cells) if cells.len() >= width => Some(cells),
                _ => {
                    narrow.set(true);
                    None
                }
            };
            rows.into_iter().filter_map(row).collect()
        };
        let rows = take(["/result/data_array", "/result/dataArray"], columns.len());
        let facet_rows = take(["/facet_result/facet_array", "/facetResult/facetArray"], 0);
        if narrow.get() {
            return Err(unreadable(target, body, "a row with a value for each column"));
        }
        let facets = records(&names(&json, "facet_columns", "facetColumns").unwrap_or_default(), &facet_rows);
        let debug_info =
            json.get("debug_info").or_else(|| json.get("debugInfo")).filter(|info| !info.is_null()).cloned();
        let next_page = json.get("next_page_token").or_else(|| json.get("nextPageToken")).and_then(Json::as_str);
        let next_page = next_page.filter(|token| !token.is_empty()).map(str::to_owned);
        Ok(Self { columns, rows, facets, debug_info, next_page })
    }

    /// The rows as records by column, with `score` among them.
    pub fn records(&self) -> Vec<Map<String, Json>> {
        records(&self.columns, &self.rows)
    }
}

fn records(names: &[String], rows: &[Vec<Json>]) -> Vec<Map<String, Json>> {
    rows.iter().map(|row| names.iter().cloned().zip(row.iter().cloned()).collect()).collect()
}
