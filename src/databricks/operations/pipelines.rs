//! `pipelines.*`: declarative pipelines and their updates.

use serde_json::json;

use super::{Arguments, Outcome, Tell, unknown};
use crate::databricks::Workspace;
use crate::error::Result;

pub(super) async fn call(workspace: &Workspace, name: &str, given: Arguments, tell: Option<Tell>) -> Result<Outcome> {
    let pipelines = workspace.pipelines();
    let done = |()| json!({});
    let pipeline = || given.text("pipeline_id");
    let spec = || given.object("spec").map(|spec| spec.clone().into());
    let (filter, most) = (given.optional_text("filter")?, given.optional_count("most")?);
    Ok(match name {
        "create" => json!({"pipeline_id": pipelines.create(&spec()?).await?}),
        "get" => pipelines.get(pipeline()?).await?,
        "list" => pipelines.list(filter, most).await?.into(),
        "edit" => pipelines.edit(pipeline()?, &spec()?).await.map(done)?,
        "delete" => pipelines.delete(pipeline()?).await.map(done)?,
        "start" => {
            let options = given.optional_object("options")?.cloned().unwrap_or_default();
            json!({"update_id": pipelines.start(pipeline()?, &options).await?})
        }
        "update" => pipelines.update(pipeline()?, given.text("update_id")?).await?,
        "events" => pipelines.events(pipeline()?, filter, most).await?.into(),
        "follow" => pipelines.follow(pipeline()?, given.text("update_id")?, &given.wait(tell)?).await?,
        "stop" => pipelines.stop(pipeline()?, &given.wait(tell)?).await.map(done)?,
        _ => return Err(unknown("pipelines", name)),
    }
    .into())
}
