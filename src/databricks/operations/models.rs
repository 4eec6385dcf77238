//! `models.*`: the models of a workspace, and which one for a task.

use serde_json::{Value as Json, json};

use super::{Arguments, Outcome, unknown};
use crate::databricks::Workspace;
use crate::databricks::models::{ModelFacts, Needs, Observation, RETIRED, Retired, SelectionTable};
use crate::error::{Error, ErrorKind, Result};

pub(super) async fn call(workspace: &Workspace, name: &str, given: Arguments) -> Result<Outcome> {
    let registry = workspace.models();
    Ok(match name {
        "list" => registry.list().await?.iter().map(|model| model.to_json()).collect(),
        "find" => registry.find(given.text("model_type")?, given.optional_text("model_name")?).await?.to_json(),
        "catalogue" => ModelFacts::all().iter().map(facts).chain(RETIRED.iter().map(retired)).collect(),
        "table" => SelectionTable::study().to_json(),
        "learn" => {
            let observations = given.list("observations")?.iter().map(observation).collect::<Result<Vec<_>>>()?;
            SelectionTable::learned(&observations)?.to_json()
        }
        "select" => {
            let table = given.value("table").map(SelectionTable::read).transpose()?;
            let (table, needs) = (table.unwrap_or_else(SelectionTable::study), needs(&given)?);
            match given.flag("served")? {
                true => registry.select_optimal_model(&table, &needs).await?.to_json(),
                false => table.select(&needs, |_| true)?.to_json(),
            }
        }
        _ => return Err(unknown("models", name)),
    }
    .into())
}

fn needs(given: &Arguments) -> Result<Needs> {
    let complexity = given.optional_number("task_complexity")?.ok_or_else(|| missing("task_complexity"))?;
    Ok(Needs {
        task_complexity: complexity,
        latency_budget_ms: given.optional_number("latency_budget")?,
        max_cost_per_1k: given.optional_number("max_cost_per_1k")?,
    })
}

fn observation(json: &Json) -> Result<Observation> {
    let count = |name: &str| json.get(name).and_then(Json::as_u64).unwrap_or_default();
    Ok(Observation {
        model: json.get("model").and_then(Json::as_str).ok_or_else(|| missing("model"))?.to_owned(),
        latency_ms: json.get("latency_ms").and_then(Json::as_f64).ok_or_else(|| missing("latency_ms"))?,
        prompt_tokens: count("prompt_tokens"),
        completion_tokens: count("completion_tokens"),
        score: json.get("score").and_then(Json::as_f64),
    })
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::Input, format!("`{name}` is missing")).at_field(name)
}

fn facts(of: &ModelFacts) -> Json {
    let price = of.usd_per_million.map(|(input, output)| [input, output]);
    json!({
        "name": of.name, "type": of.model_type, "context": of.context, "output": of.output, "usd_per_million": price, "until": of.until,
    })
}

fn retired(of: &Retired) -> Json {
    json!({"name": of.name, "retired": of.since, "successor": of.successor})
}
