//! `DatabricksRM`: DSPy's module over a Vector Search index.

use std::cmp::Ordering;

use futures_core::future::LocalBoxFuture;
use serde_json::{Map as JsonMap, Value as Json, json};

use super::auth::AuthKind;
use super::error::{Refusal, Target, unreadable};
use super::vector_search::index_path;
use super::{Call, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::json;
use crate::module::{Module, Predict, SubModule, recorded};
use crate::python::repr;
use crate::run::Run;
use crate::sort::sort_by;
use crate::value::Value;

/// The column that may hold the id as `document_id` in JSON text, with more of the document beside it.
const METADATA: &str = "metadata";

/// DSPy 3.4.1's `DatabricksRM`: a module that finds documents in a Vector Search index.
///
/// It takes `query`, a text or a list of numbers, and maybe `query_type` (`ANN`, `HYBRID`) and `filters_json`; it gives
/// `docs`, `doc_ids`, `doc_uris` and `extra_columns`, best first. A [`VectorIndex`](super::VectorIndex) is the retriever of
/// the same index for pipelines.
///
/// ```
/// use lakelet::databricks::Workspace;
/// # fn example(workspace: Workspace) -> lakelet::Result<()> {
/// let documents = workspace.databricks_rm("main.rag.docs_index")?.text_column("content").k(5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct DatabricksRm {
    workspace: Workspace,
    name: String,
    path: String,
    columns: Vec<String>,
    filters_json: Option<String>,
    k: usize,
    id_column: String,
    uri_column: Option<String>,
    text_column: String,
}

type Row = JsonMap<String, Json>;

impl DatabricksRm {
    pub(super) fn new(workspace: Workspace, name: &str) -> Result<Self> {
        Ok(Self {
            workspace,
            name: name.to_owned(),
            path: format!("{}/query", index_path(name)?),
            columns: Vec::new(),
            filters_json: None,
            k: 3,
            id_column: "id".to_owned(),
            uri_column: None,
            text_column: "text".to_owned(),
        })
    }

    /// Columns to return beside id and text.
    pub fn columns<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Filters for the calls that bring none, as JSON text: `{"id <": 5}`.
    pub fn filters_json(mut self, filters: &str) -> Self {
        self.filters_json = Some(filters.to_owned());
        self
    }

    /// How many documents to find; 3 unless told otherwise.
    pub fn k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }

    /// The column that identifies a document. In `metadata` the id is `document_id` of the JSON text that the column holds.
    pub fn id_column(mut self, column: &str) -> Self {
        self.id_column = column.to_owned();
        self
    }

    /// The column that says where a document is. It must be one of the [columns](Self::columns).
    pub fn uri_column(mut self, column: &str) -> Self {
        self.uri_column = Some(column.to_owned());
        self
    }

    /// The column that holds a document's text.
    pub fn text_column(mut self, column: &str) -> Self {
        self.text_column = column.to_owned();
        self
    }

    /// The documents in MLflow's retriever schema, as DSPy gives them with `use_with_databricks_agent_framework`:
    /// `{"page_content", "metadata": {"doc_id", "doc_uri", ...}, "type": "Document"}`.
    ///
    /// # Errors
    /// As a call.
    pub async fn documents(&self, inputs: &Example) -> Result<Vec<Json>> {
        let document = |row: &Row| {
            let mut metadata = Row::new();
            metadata.insert("doc_id".to_owned(), self.id(row)?);
            metadata.insert("doc_uri".to_owned(), self.uri(row)?);
            metadata.extend(self.extra(row)?);
            Ok(json!({"page_content": cell(row, &self.text_column)?, "metadata": metadata, "type": "Document"}))
        };
        self.find(inputs, None).await?.iter().map(document).collect()
    }

    async fn predict(&self, inputs: &Example, deadline_ms: Option<f64>) -> Result<Prediction> {
        let rows = self.find(inputs, deadline_ms).await?;
        let all = |of: &dyn Fn(&Row) -> Result<Json>| {
            let cells = rows.iter().map(of).collect::<Result<Vec<_>>>()?;
            Ok::<_, Error>(Value::from(&Json::Array(cells)))
        };
        let uris = match &self.uri_column {
            Some(_) => all(&|row| self.uri(row))?,
            None => Value::None,
        };
        let found = Example::new()
            .with("docs", all(&|row| cell(row, &self.text_column).cloned())?)
            .with("doc_ids", all(&|row| self.id(row))?)
            .with("doc_uris", uris)
            .with("extra_columns", all(&|row| self.extra(row).map(Json::Object))?);
        Ok(found.fields.into())
    }

    /// The rows that fit best, best first.
    async fn find(&self, inputs: &Example, deadline_ms: Option<f64>) -> Result<Vec<Row>> {
        let body = json::text(&self.body(inputs)?).into_bytes();
        let target = Target::Index(self.name.clone());
        let call = Call::post(&self.path, body, target.clone());
        let answer = self.workspace.clone().whole(call, deadline_ms).await;
        let answer = answer.map_err(|error| error.with_python_class("Exception"))?;
        let json = json::read(&answer.body).unwrap_or_default();
        if let Some(refusal) = Refusal::within(&json, 200) {
            // What the credential is makes no difference here: it was accepted.
            return Err(refusal.into_error(&target, "", AuthKind::None).with_python_class("Exception"));
        }
        let Some(columns) = json.pointer("/manifest/columns").and_then(Json::as_array) else {
            return Err(unreadable(&target, &answer.body, "the result of a query").with_python_class("KeyError"));
        };
        let names: Vec<&str> = columns.iter().filter_map(|column| column.get("name")?.as_str()).collect();
        self.check_column("docs_id_column_name", &self.id_column, &names)?;
        self.check_column("text_column_name", &self.text_column, &names)?;
        let rows = json.pointer("/result/data_array").and_then(Json::as_array).into_iter().flatten();
        let row = |cells: &Json| {
            let cells = cells.as_array().into_iter().flatten();
            names.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect::<Row>()
        };
        let mut scored = Vec::new();
        for row in rows.map(row) {
            let score = cell(&row, "score")?.as_f64();
            scored.push((score.ok_or_else(|| unreadable(&target, &answer.body, "a score for each row"))?, row));
        }
        sort_by(&mut scored, |(a, _), (b, _)| b.partial_cmp(a).unwrap_or(Ordering::Equal));
        scored.truncate(self.k);
        Ok(scored.into_iter().map(|(_, row)| row).collect())
    }

    fn body(&self, inputs: &Example) -> Result<Json> {
        let text = |name: &str| inputs.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (name, query) = match inputs.get("query") {
            Some(Value::Str(text)) => ("query_text", json!(text)),
            Some(Value::List(numbers)) => ("query_vector", numbers.iter().map(number).collect::<Result<_>>()?),
            _ => return Err(no_query()),
        };
        let mut columns = vec![&self.id_column];
        for column in [&self.text_column].into_iter().chain(&self.columns) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let query_type = match text("query_type") {
            None | Some("text" | "vector") => "ANN", // what older programs say
            Some(query_type) => query_type,
        };
        let mut body = json!({"columns": columns, "num_results": self.k, "query_type": query_type});
        if let Some(filters) = text("filters_json").or(self.filters_json.as_deref()) {
            body["filters_json"] = filters.into();
        }
        body[name] = query;
        Ok(body)
    }

    fn check_column(&self, option: &str, column: &str, names: &[&str]) -> Result<()> {
        if names.contains(&column) {
            return Ok(());
        }
        let names = repr(&names.to_vec().into());
        let message = format!("{option}: '{column}' is not in the index columns: \n {names}");
        let error = Error::new(ErrorKind::BadRequest, message).at_field(column).with_python_class("Exception");
        Err(error.with_hint("name the columns that the index has; the Catalog page lists them"))
    }

    fn id(&self, row: &Row) -> Result<Json> {
        let held = cell(row, &self.id_column)?;
        match self.id_column.as_str() {
            METADATA => cell(&metadata(held)?, "document_id").cloned(),
            _ => Ok(held.clone()),
        }
    }

    fn uri(&self, row: &Row) -> Result<Json> {
        self.uri_column.as_ref().map_or(Ok(Json::Null), |column| cell(row, column).cloned())
    }

    /// The columns that are neither id nor text nor address.
    fn extra(&self, row: &Row) -> Result<Row> {
        let known =
            |name: &str| name == self.id_column || name == self.text_column || self.uri_column.as_deref() == Some(name);
        let mut extra: Row =
            row.iter().filter(|(name, _)| !known(name)).map(|(name, cell)| (name.clone(), cell.clone())).collect();
        if self.id_column == METADATA {
            let mut rest = metadata(cell(row, METADATA)?)?;
            rest.shift_remove("document_id");
            extra.insert(METADATA.to_owned(), Json::Object(rest));
        }
        Ok(extra)
    }
}

impl Module for DatabricksRm {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(recorded(run, "retrieve", inputs, async |run, inputs| self.predict(inputs, run.deadline_ms()).await))
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        Vec::new()
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        Vec::new()
    }

    /// None: to DSPy it is a parameter and no module.
    fn sub_modules(&self) -> Vec<SubModule> {
        Vec::new()
    }
}

fn cell<'a>(row: &'a Row, column: &str) -> Result<&'a Json> {
    row.get(column).ok_or_else(|| {
        Error::new(ErrorKind::Protocol, format!("a row has no `{column}`"))
            .at_field(column)
            .with_python_class("KeyError")
    })
}

/// What a `metadata` column holds.
fn metadata(held: &Json) -> Result<Row> {
    match held.as_str().and_then(|text| json::read(text).ok()) {
        Some(Json::Object(members)) => Ok(members),
        _ => Err(Error::new(ErrorKind::Protocol, "the column does not hold an object as JSON text").at_field(METADATA)),
    }
}

fn number(value: &Value) -> Result<Json> {
    match value {
        Value::Int(number) => Ok((*number).into()),
        Value::Float(number) if number.is_finite() => Ok((*number).into()),
        _ => Err(no_query()),
    }
}

fn no_query() -> Error {
    Error::new(ErrorKind::Input, "Query must be a string or a list of floats.")
        .at_field("query")
        .with_python_class("ValueError")
}
