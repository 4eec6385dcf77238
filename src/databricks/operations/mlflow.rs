//! `mlflow.*`: experiments, runs, artifacts, traces and models.

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::{Arguments, Outcome, unknown};
use crate::databricks::Workspace;
use crate::databricks::mlflow::{
    ActiveRun, CallRecord, Dataset, EvaluationRecord, Experiment, LogOptions, LoggedProgram, Mlflow, MlflowLogger,
    ModelOptions, Price, Register, RunStatus, Table,
};
use crate::error::{Error, ErrorKind, Result};

pub(super) async fn call(workspace: &Workspace, name: &str, mut given: Arguments) -> Result<Outcome> {
    let mlflow = workspace.mlflow();
    let told = match name {
        "experiment" => mlflow.experiment(given.text("name")?).await?.to_json(),
        "start_run" => start_run(&mlflow, &given).await?.info(),
        "log_trace" => log_trace(&mlflow, &given).await?,
        "log_feedback" => log_feedback(&mlflow, &given).await?,
        "log_model" => log_model(&mlflow, &given).await?,
        // What is called of a run.
        _ => {
            let run = mlflow.run(given.text("run_id")?);
            match name {
                "log_params" => run.log_params(&borrowed(&texts(&given, "params")?)).await?,
                "set_tags" => run.set_tags(&borrowed(&texts(&given, "tags")?)).await?,
                "log_metrics" => log_metrics(&run, &given).await?,
                "log_dataset" => log_dataset(&run, &given).await?,
                "log_artifact" => {
                    let content = given.take_bytes();
                    run.log_artifact(given.text("path")?, content).await?;
                }
                "log_table" => run.log_table(given.text("path")?, &Table::of(given.list("rows")?)).await?,
                "log_evaluation" => {
                    let evaluation = EvaluationRecord::read(&Json::Object(given.object("evaluation")?.clone()))?;
                    run.log_evaluation(&program(&given)?, &evaluation, &log_options(&given)?).await?;
                }
                "end_run" => run.end(status(&given)?).await?,
                _ => return Err(unknown("mlflow", name)),
            }
            json!({})
        }
    };
    Ok(told.into())
}

async fn start_run(mlflow: &Mlflow, given: &Arguments) -> Result<ActiveRun> {
    let experiment = experiment(mlflow, given).await?;
    mlflow.start_run(&experiment, given.optional_text("run_name")?, &borrowed(&texts(given, "tags")?)).await
}

async fn log_metrics(run: &ActiveRun, given: &Arguments) -> Result<()> {
    let wrong =
        |name: &str| Error::new(ErrorKind::Input, format!("the metric `{name}` must be a number")).at_field("metrics");
    let metrics = given.object("metrics")?.iter();
    let metrics = metrics.map(|(name, value)| Ok((name.as_str(), value.as_f64().ok_or_else(|| wrong(name))?)));
    run.log_metrics(&metrics.collect::<Result<Vec<_>>>()?, given.optional_integer("step")?.unwrap_or(0)).await
}

async fn log_dataset(run: &ActiveRun, given: &Arguments) -> Result<()> {
    let dataset = Dataset::of(given.text("name")?, given.list("rows")?);
    let dataset = dataset.from_source(given.optional_text("source")?.unwrap_or_default());
    run.log_dataset(&dataset, given.optional_text("context")?.unwrap_or("eval")).await
}

async fn log_trace(mlflow: &Mlflow, given: &Arguments) -> Result<Json> {
    let call = CallRecord::read(&Json::Object(given.object("call")?.clone()))?;
    let experiment = experiment(mlflow, given).await?;
    Ok(json!({"trace_id": mlflow.log_trace(&experiment, &call).await?}))
}

async fn log_feedback(mlflow: &Mlflow, given: &Arguments) -> Result<Json> {
    let value = given.value("value").cloned().unwrap_or_default();
    let source =
        (given.optional_text("source_type")?.unwrap_or("CODE"), given.optional_text("source_id")?.unwrap_or("lakelet"));
    mlflow.log_feedback(given.text("trace_id")?, given.text("name")?, &value, source).await?;
    Ok(json!({}))
}

async fn log_model(mlflow: &Mlflow, given: &Arguments) -> Result<Json> {
    let program = program(given)?;
    let options = ModelOptions {
        models: texts(given, "models")?.into_iter().collect(),
        indexes: given
            .optional_object("indexes")?
            .into_iter()
            .flatten()
            .map(|(name, it)| (name.clone(), it.clone()))
            .collect(),
        register: register(given)?,
    };
    let (experiment, name) = (experiment(mlflow, given).await?, given.text("name")?);
    let model = match given.optional_text("run_id")? {
        Some(id) => mlflow.log_model(&experiment, Some(&mlflow.run(id)), name, &program, &options).await?,
        None => MlflowLogger::of(mlflow, experiment).log_model(name, &program, &options).await?,
    };
    Ok(model.to_json())
}

/// `experiment` is a name, or what `mlflow.experiment` gave.
async fn experiment(mlflow: &Mlflow, given: &Arguments) -> Result<Experiment> {
    match given.value("experiment") {
        Some(known @ Json::Object(_)) => Experiment::read(known).ok_or_else(|| {
            Error::new(ErrorKind::Input, "`experiment` must be a name, or what `mlflow.experiment` gave")
                .at_field("experiment")
        }),
        _ => mlflow.experiment(given.text("experiment")?).await,
    }
}

/// `program` is `{document, state}`, or a module `{name, kind, signature, state}`.
fn program(given: &Arguments) -> Result<LoggedProgram> {
    let program = given.object("program")?;
    let member = |name: &str| program.get(name).cloned().unwrap_or_default();
    if let Some(document) = program.get("document") {
        return Ok(LoggedProgram::of_document(document.clone(), member("state")));
    }
    let text = |name: &str| program.get(name).and_then(Json::as_str).unwrap_or_default();
    LoggedProgram::of_module(text("name"), text("kind"), &member("signature"), &member("state"))
}

/// `register` is `true` for the registry of the workspace, `catalog.schema` for Unity Catalog, or any other name as it is.
fn register(given: &Arguments) -> Result<Option<Register>> {
    match given.value("register") {
        None | Some(Json::Bool(false)) => Ok(None),
        Some(Json::Bool(true)) => Ok(Some(Register::Workspace)),
        Some(Json::String(name)) if name.split('.').count() == 2 => Ok(Some(Register::Unity(name.clone()))),
        Some(Json::String(name)) => Ok(Some(Register::As(name.clone()))),
        Some(_) => {
            Err(Error::new(ErrorKind::Input, "`register` must be true, `catalog.schema`, or a name")
                .at_field("register"))
        }
    }
}

fn log_options(given: &Arguments) -> Result<LogOptions> {
    let default = LogOptions::default();
    let mut prices = IndexMap::new();
    for (model, price) in given.optional_object("prices")?.into_iter().flatten() {
        let number = |name: &str| price.get(name).and_then(Json::as_f64);
        let wrong =
            || Error::new(ErrorKind::Input, format!("the price of `{model}` must be {{input_usd, output_usd}}"));
        let (input_usd, output_usd) =
            number("input_usd").zip(number("output_usd")).ok_or_else(|| wrong().at_field("prices"))?;
        prices.insert(model.clone(), Price { input_usd, output_usd });
    }
    Ok(LogOptions {
        dataset: given.optional_text("dataset")?.unwrap_or(&default.dataset).to_owned(),
        samples: given.optional_count("samples")?.unwrap_or(default.samples),
        prices,
        params: texts(given, "params")?,
    })
}

fn status(given: &Arguments) -> Result<RunStatus> {
    let name = given.optional_text("status")?.unwrap_or("FINISHED");
    RunStatus::named(name).ok_or_else(|| {
        Error::new(ErrorKind::Input, format!("`status` must be FINISHED, FAILED or KILLED, not `{name}`"))
            .at_field("status")
    })
}

/// The members of an object as texts; what is no text is written as JSON.
fn texts(given: &Arguments, name: &str) -> Result<Vec<(String, String)>> {
    let members = given.optional_object(name)?.into_iter().flatten();
    let text = |value: &Json| value.as_str().map_or_else(|| crate::json::text(value), str::to_owned);
    Ok(members.map(|(name, value)| (name.clone(), text(value))).collect())
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
