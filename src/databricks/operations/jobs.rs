//! `jobs.*`: jobs and their runs.

use serde_json::{Map, Value as Json, json};

use super::{Arguments, Outcome, Tell, unknown};
use crate::databricks::Workspace;
use crate::error::Result;

pub(super) async fn call(workspace: &Workspace, name: &str, given: Arguments, tell: Option<Tell>) -> Result<Outcome> {
    let jobs = workspace.jobs();
    let done = |()| json!({});
    let most = given.optional_count("most")?;
    Ok(match name {
        "submit" => json!({"run_id": jobs.submit(&object(&given, "run")?.into()).await?}),
        "run_now" => json!({"run_id": jobs.run_now(given.integer("job_id")?, &options(&given)?).await?}),
        "run" => jobs.run(given.integer("run_id")?).await?.json,
        "finish" => jobs.finish(given.integer("run_id")?, &given.wait(tell)?).await?.json,
        "output" => jobs.output(given.integer("run_id")?).await?,
        "runs" => jobs.runs(&options(&given)?, most).await?.into(),
        "cancel" => jobs.cancel(given.integer("run_id")?).await.map(done)?,
        "delete_run" => jobs.delete_run(given.integer("run_id")?).await.map(done)?,
        "create" => json!({"job_id": jobs.create(&object(&given, "settings")?.into()).await?}),
        "get" => jobs.job(given.integer("job_id")?).await?,
        "list" => jobs.list(&options(&given)?, most).await?.into(),
        "update" => {
            let changes = given.optional_object("settings")?.cloned().unwrap_or_default().into();
            jobs.update(given.integer("job_id")?, &changes, &given.texts("remove")?).await.map(done)?
        }
        "reset" => jobs.reset(given.integer("job_id")?, &object(&given, "settings")?.into()).await.map(done)?,
        "delete" => jobs.delete(given.integer("job_id")?).await.map(done)?,
        _ => return Err(unknown("jobs", name)),
    }
    .into())
}

fn object(given: &Arguments, name: &str) -> Result<Map<String, Json>> {
    given.object(name).cloned()
}

/// What goes through to the API as it is.
fn options(given: &Arguments) -> Result<Map<String, Json>> {
    Ok(given.optional_object("options")?.cloned().unwrap_or_default())
}
