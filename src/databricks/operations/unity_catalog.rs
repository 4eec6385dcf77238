//! `unity_catalog.*`: the objects of Unity Catalog, who may do what with them, and functions as tools.

use serde_json::{Value as Json, json};

use super::{Arguments, Outcome, Tell, unknown};
use crate::databricks::Workspace;
use crate::databricks::unity_catalog::{Function, Kind};
use crate::error::Result;

pub(super) async fn call(workspace: &Workspace, name: &str, given: Arguments, tell: Option<Tell>) -> Result<Outcome> {
    let catalog = workspace.unity_catalog();
    let kind = || Kind::named(given.text("kind")?);
    let full_name = || given.text("full_name");
    let principal = given.optional_text("principal")?;
    let done = |()| json!({});
    Ok(match name {
        "list" => {
            let within = given.optional_text("within")?.unwrap_or_default();
            catalog.list(kind()?, within, given.optional_count("max_results")?).await?.into()
        }
        "get" => catalog.get(kind()?, full_name()?).await?,
        "exists" => catalog.exists(kind()?, full_name()?).await?.into(),
        "create" => catalog.create(kind()?, &Json::Object(given.object("description")?.clone())).await?,
        "delete" => catalog.delete(kind()?, full_name()?, given.flag("force")?).await.map(done)?,
        "permissions" => catalog.permissions(kind()?, full_name()?, principal).await?.into(),
        "effective_permissions" => catalog.effective_permissions(kind()?, full_name()?, principal).await?.into(),
        "update_permissions" => catalog.update_permissions(kind()?, full_name()?, given.list("changes")?).await?.into(),
        "model_versions" => catalog.model_versions(full_name()?).await?.into(),
        "model_version" => catalog.model_version(full_name()?, given.integer("version")?).await?,
        "model_version_by_alias" => catalog.model_version_by_alias(full_name()?, given.text("alias")?).await?,
        "delete_model_version" => {
            catalog.delete_model_version(full_name()?, given.integer("version")?).await.map(done)?
        }
        "set_model_alias" => {
            catalog.set_model_alias(full_name()?, given.text("alias")?, given.integer("version")?).await?
        }
        "delete_model_alias" => catalog.delete_model_alias(full_name()?, given.text("alias")?).await.map(done)?,
        "tool" => tool(catalog.get(Kind::Function, full_name()?).await?)?,
        "tools" => {
            let functions = catalog.list(Kind::Function, given.text("within")?, None).await?;
            functions.into_iter().map(tool).collect::<Result<Vec<_>>>()?.into()
        }
        "call_function" => {
            let function = Function::new(Json::Object(given.object("function")?.clone()));
            let warehouse = workspace.warehouse(given.text("warehouse_id")?);
            function.run(&warehouse, given.object("arguments")?, &given.wait(tell)?).await?
        }
        _ => return Err(unknown("unity_catalog", name)),
    }
    .into())
}

/// What a model is told of a function, and the function to call.
fn tool(function: Json) -> Result<Json> {
    let spec = Function::new(function.clone()).spec()?;
    Ok(json!({"name": spec.name, "desc": spec.desc, "args": spec.args, "function": function}))
}
