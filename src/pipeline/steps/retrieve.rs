//! `retrieve`: passages from an index, filtered by who asks.

use serde_json::Value as Json;

use super::only;
use super::wiring::texts;
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::offer;
use crate::pipeline::passages;
use crate::pipeline::reader::{Object, Reader};
use crate::pipeline::step::{Action, Draft, Want, WantKind};
use crate::retrieve::Query;
use crate::run::Run;
use crate::value::{Map, Value};

/// `{"do": "retrieve", "query": ["question", "complex_query.refined_query"], "k": 3, "filters": {...}}`.
///
/// Filters come from tables over the program's inputs, never from a model's word, and a value that is not in its table
/// is an error: nobody sees more because of a typing mistake.
pub(in crate::pipeline) struct Retrieve {
    index: Option<String>,
    k: Option<u32>,
    min_score: f64,
    filters: Vec<Filter>,
}

/// Column, input, and what the column may hold for each value of the input.
struct Filter {
    column: String,
    by: String,
    argument: String,
    table: Object,
}

impl Retrieve {
    pub fn read(step: &Reader) -> Result<Draft> {
        only(step, &["query", "index", "k", "min_score", "filters"])?;
        let query = step.texts("query")?.ok_or_else(|| step.missing("query"))?;
        let want = |(i, from): (usize, &&str)| Want::new(format!("query[{i}]"), from, WantKind::Texts);
        let mut wants: Vec<Want> = query.iter().enumerate().map(want).collect();
        let k = match step.number("k")? {
            Some(k) if !(1.0..=1000.0).contains(&k) || k.fract() != 0.0 => {
                return Err(step.error("k", "must be a whole number from 1 to 1000"));
            }
            k => k.map(|k| k as u32),
        };
        let mut filters = Vec::new();
        let declared = step.object("filters")?;
        for (column, _) in declared.entries() {
            let filter = declared.object(column)?;
            filter.only(&["by", "values"])?;
            let values = filter.object("values")?;
            for (value, _) in values.entries() {
                if values.texts(value)?.is_none_or(|texts| texts.is_empty()) {
                    return Err(values.error(value, "must name at least one text"));
                }
            }
            let by = filter.need_text("by")?;
            let argument = format!("filters.{column}");
            wants.push(Want::new(format!("{argument}.by"), by, WantKind::Declared).named(&argument));
            let table = values.entries().map(|(value, allowed)| (value.to_owned(), allowed.clone())).collect();
            filters.push(Filter { column: column.to_owned(), by: by.to_owned(), argument, table });
        }
        let (index, min_score) = (step.text("index")?.map(str::to_owned), step.number("min_score")?.unwrap_or(0.0));
        let action = Action::Retrieve(Self { index, k, min_score, filters });
        Ok(Draft { action, wants, gives: passages::gives() })
    }

    /// The tables that an input of a known set of values must cover: the input, and the values that are in the table.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &str, &Object)> {
        self.filters.iter().map(|filter| (filter.column.as_str(), filter.by.as_str(), &filter.table))
    }

    pub async fn run(&self, run: &Run, mut given: Map) -> Result<Map> {
        let mut filters = Object::new();
        for filter in &self.filters {
            let value = given.shift_remove(&filter.argument).unwrap_or(Value::None);
            filters.insert(filter.column.clone(), filter.allowed(&value)?);
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in given.values().flat_map(texts).map(str::trim) {
            if !part.is_empty() && !parts.contains(&part) {
                parts.push(part);
            }
        }
        let query = Query {
            text: Some(parts.join("\n")),
            vector: None,
            k: self.k,
            filters: (!filters.is_empty()).then_some(Json::Object(filters)),
            deadline_ms: run.deadline_ms(),
        };
        let retriever = run.retriever(self.index.as_deref())?;
        let found = run.in_time(retriever.retrieve(query)).await?;
        let found = found.into_iter().filter(|passage| passage.score >= self.min_score);
        Ok(passages::outputs(found.map(passages::to_value).collect()))
    }
}

impl Filter {
    fn allowed(&self, value: &Value) -> Result<Json> {
        let text = value.as_str().unwrap_or_default();
        self.table.get(text).cloned().ok_or_else(|| {
            Error::new(ErrorKind::Input, format!("`{text}` is not in the table of the filter on `{}`", self.column))
                .at_field(&self.by)
                .with_hint(offer(text, self.table.keys().map(String::as_str)))
        })
    }
}
