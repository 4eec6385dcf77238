//! `serving.*`: serving endpoints.

use serde_json::{Value as Json, json};

use super::{Arguments, Outcome, Tell, unknown};
use crate::databricks::Workspace;
use crate::error::Result;

pub(super) async fn call(workspace: &Workspace, name: &str, given: Arguments, tell: Option<Tell>) -> Result<Outcome> {
    let endpoints = workspace.serving_endpoints();
    let (wait, waits) = (given.wait(tell)?, given.flag("wait")?);
    let object = |name: &str| given.object(name).cloned().map(Json::Object);
    Ok(match name {
        "list" => endpoints.list().await?.into_iter().map(|endpoint| endpoint.json).collect(),
        "get" => endpoints.get(given.text("name")?).await?.json,
        "create" if waits => endpoints.create_and_wait(&object("definition")?, &wait).await?.json,
        "create" => endpoints.create(&object("definition")?).await?.json,
        "update_config" if waits => {
            endpoints.update_config_and_wait(given.text("name")?, &object("config")?, &wait).await?.json
        }
        "update_config" => endpoints.update_config(given.text("name")?, &object("config")?).await?.json,
        "ready" => endpoints.ready(given.text("name")?, &wait).await?.json,
        "delete" => endpoints.delete(given.text("name")?).await.map(|()| json!({}))?,
        "set_ai_gateway" => endpoints.set_ai_gateway(given.text("name")?, &object("gateway")?).await?,
        "set_rate_limits" => endpoints.set_rate_limits(given.text("name")?, &object("limits")?).await?,
        "change_tags" => endpoints.change_tags(given.text("name")?, &object("change")?).await?,
        "metrics" => endpoints.metrics(given.text("name")?).await?.into(),
        "open_api" => endpoints.open_api(given.text("name")?).await?,
        "query" => endpoints.query(given.text("name")?, &object("body")?).await?,
        _ => return Err(unknown("serving", name)),
    }
    .into())
}
