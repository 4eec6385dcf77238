//! DSPy's module over a Vector Search index: what it asks, and what it makes of the answer.

use std::rc::Rc;

use futures::executor::block_on;
use lakelet::databricks::DatabricksRm;
use lakelet::run::{Run, Services};
use lakelet::signature::Types;
use lakelet::{Module, Result, Value};
use serde_json::{Value as Json, json};

use super::calls::Stopped;
use super::compare::{check, same};
use super::wire::{ADDRESS, workspace};
use super::{Outcome, cases};

pub fn query(input: &Json, expected: &Json) -> Outcome {
    let (expected, response) = (&expected["ok"], input["response"].clone());
    let (workspace, recorder) = workspace(move |_| response.clone());
    let options = &input["options"];
    let name = options["databricks_index_name"].as_str().unwrap_or_default();
    let rm = configured(workspace.databricks_rm(name).expect("a name"), options);
    let found = || -> Result<Json> {
        let inputs = cases::example(&input["call"], &Types::new())?;
        if options["use_with_databricks_agent_framework"] == true {
            return block_on(rm.documents(&inputs)).map(Json::from);
        }
        let run = Run::new(Rc::new(Services::new(Rc::new(Stopped))));
        block_on(rm.call(&run, inputs)).map(|prediction| cases::to_json(&Value::Dict(prediction.fields)))
    };
    match expected.get("error") {
        Some(error) => check(&json!({ "error": error }), found())?,
        None => check(&json!({"ok": expected["prediction"]}), found())?,
    }
    let (urls, bodies) = (recorder.urls.borrow(), recorder.bodies.borrow());
    let sent = urls.iter().zip(bodies.iter()).map(|(url, body)| {
        let mut body = body.clone();
        if let Some(columns) = body["columns"].as_array_mut() {
            columns.sort_by_key(ToString::to_string);
        }
        json!({"path": url.strip_prefix(ADDRESS), "body": body})
    });
    same(&expected["requests"], &Json::Array(sent.collect()))
}

fn configured(mut rm: DatabricksRm, options: &Json) -> DatabricksRm {
    let text = |name: &str| options[name].as_str();
    if let Some(columns) = options["columns"].as_array() {
        rm = rm.columns(columns.iter().filter_map(Json::as_str));
    }
    if let Some(filters) = text("filters_json") {
        rm = rm.filters_json(filters);
    }
    if let Some(k) = options["k"].as_u64() {
        rm = rm.k(k as usize);
    }
    if let Some(column) = text("docs_id_column_name") {
        rm = rm.id_column(column);
    }
    if let Some(column) = text("docs_uri_column_name") {
        rm = rm.uri_column(column);
    }
    if let Some(column) = text("text_column_name") {
        rm = rm.text_column(column);
    }
    rm
}
