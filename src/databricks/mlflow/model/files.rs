//! The files of a model.

use serde_json::{Value as Json, json};

use super::{LoggedProgram, ModelOptions, schema};
use crate::databricks::mlflow::rfc3339;
use crate::error::Result;
use crate::json;

/// The program's side in Python: it runs the steps of `program.json` with DSPy.
const PYTHON_MODEL: &str = include_str!("python_model.py");
/// What it was written for and is tested with.
const PYTHON: &str = "3.11.7";
const MLFLOW: &str = "3.17.2";
const REQUIREMENTS: &str = "mlflow==3.17.2\ndspy==3.4.1\ndatabricks-sdk==0.156.0\n";

/// Files by their paths in the model. `MLmodel` is the last one: what has it is complete.
pub(super) fn of(
    model_id: &str,
    run_id: Option<&str>,
    now_ms: f64,
    program: &LoggedProgram,
    options: &ModelOptions,
) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let mut logged = String::new();
    let models = options.models.iter().map(|(name, endpoint)| (name.clone(), endpoint.as_str().into()));
    let indexes = options.indexes.iter().map(|(name, index)| (name.clone(), index.clone()));
    let content = json!({
        "document": program.document(),
        "state": program.state(),
        "models": Json::Object(models.collect()),
        "indexes": Json::Object(indexes.collect()),
    });
    json::write_indented(&mut logged, &content);
    let python_env = format!("python: {PYTHON}\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n");
    let described = ml_model(model_id, run_id, now_ms, &schema::of(program)?);
    Ok(vec![
        ("python_model.py", PYTHON_MODEL.as_bytes().to_vec()),
        ("artifacts/program.json", logged.into_bytes()),
        ("requirements.txt", REQUIREMENTS.as_bytes().to_vec()),
        ("python_env.yaml", python_env.into_bytes()),
        ("MLmodel", described.into_bytes()),
    ])
}

/// The file `MLmodel`, in YAML.
fn ml_model(model_id: &str, run_id: Option<&str>, now_ms: f64, signature: &schema::Signature) -> String {
    let quoted = |json: &Json| format!("'{}'", json::text(json).replace('\'', "''"));
    let run = run_id.map(|id| format!("run_id: {id}\n")).unwrap_or_default();
    let created = rfc3339(now_ms).replace('T', " ").replace('Z', "");
    let (inputs, outputs) = (quoted(&signature.inputs), quoted(&signature.outputs));
    format!(
        "flavors:
  python_function:
    artifacts:
      program:
        path: artifacts/program.json
        uri: artifacts/program.json
    env:
      virtualenv: python_env.yaml
    loader_module: mlflow.pyfunc.loaders.code_model
    model_code_path: python_model.py
    python_version: {PYTHON}
mlflow_version: {MLFLOW}
model_id: {model_id}
model_uuid: {model_id}
{run}signature:
  inputs: {inputs}
  outputs: {outputs}
  params: null
type_hint_from_example: false
utc_time_created: '{created}'
"
    )
}
