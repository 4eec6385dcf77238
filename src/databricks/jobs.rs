//! Jobs and their runs: the Jobs API, version 2.2.
//!
//! Source: <https://docs.databricks.com/api/workspace/jobs>.

mod run;

use serde_json::{Map, Value as Json, json};

pub use run::{Run, TaskRun};

use super::Workspace;
use super::api::ApiCall;
use super::error::Target;
use super::wait::{Look, Wait};
use crate::error::{Error, ErrorKind, Result};

const JOBS: &str = "/api/2.2/jobs";

/// The jobs of a workspace. Tasks and settings are objects of the API as they are.
///
/// ```
/// use lakelet::databricks::wait::Wait;
/// use serde_json::json;
/// # async fn example(workspace: lakelet::databricks::Workspace) -> lakelet::Result<()> {
/// let jobs = workspace.jobs();
/// let task = json!({"task_key": "train", "notebook_task": {"notebook_path": "/Shared/train", "base_parameters": {"table": "main.rag.docs"}}});
/// let id = jobs.submit(&json!({"run_name": "train", "tasks": [task]})).await?;
/// let run = jobs.finish(id, &Wait::default()).await?;
/// println!("{}", jobs.output(run.tasks[0].id).await?["notebook_output"]["result"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Jobs {
    workspace: Workspace,
}

impl Workspace {
    /// The jobs of the workspace.
    pub fn jobs(&self) -> Jobs {
        Jobs { workspace: self.clone() }
    }
}

impl Jobs {
    // ---- runs

    /// Starts a one-time run and gives its id. `run` has `tasks`, and may have `run_name`, `idempotency_token`, `timeout_seconds` and what else
    /// the API knows. With a token, a call that is made again starts nothing twice.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn submit(&self, run: &Json) -> Result<i64> {
        self.started(self.call("POST", "runs/submit", Target::Object("one-time run", String::new())).json(run)).await
    }

    /// Starts a run of a job and gives its id. `options` may have `job_parameters`, `idempotency_token` and what else the API knows.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such job; what else the service refuses.
    pub async fn run_now(&self, job: i64, options: &Map<String, Json>) -> Result<i64> {
        let mut body = Map::from_iter([("job_id".to_owned(), job.into())]);
        body.extend(options.clone());
        self.started(self.call("POST", "run-now", job_target(job)).json(&Json::Object(body))).await
    }

    async fn started(&self, call: ApiCall) -> Result<i64> {
        let answer = send(call).await?;
        answer.get("run_id").and_then(Json::as_i64).ok_or_else(|| missing("run_id"))
    }

    /// A run as it stands; the id may be that of one task's run.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such run; what else the service refuses.
    pub async fn run(&self, run: i64) -> Result<Run> {
        let call = self.call("GET", "runs/get", run_target(run)).query("run_id", run);
        Run::read(send(call).await?).ok_or_else(|| missing("state"))
    }

    /// Waits until a run has ended well. Progress is told by state, and how many tasks have ended.
    ///
    /// # Errors
    /// A run that fails: [`BadRequest`](ErrorKind::BadRequest), with the task that failed, its error and trace.
    /// [`Cancelled`](ErrorKind::Cancelled), [`Conflict`](ErrorKind::Conflict) when it was skipped because others were active,
    /// [`Deadline`](ErrorKind::Deadline) when the run's own time was over, or that of `wait`: then it goes on.
    pub async fn finish(&self, run: i64, wait: &Wait) -> Result<Run> {
        let look = || async {
            let found = self.run(run).await?;
            Ok(match found.has_ended() {
                true => Look::Done(found),
                false => Look::Pending { message: found.progress(), state: found.state },
            })
        };
        let found = match wait.until(&self.workspace, &format!("run {run}"), look).await {
            Err(error) if error.kind() == ErrorKind::Deadline => {
                return Err(
                    error.with_hint(format!("Run {run} goes on in the workspace: wait for it again, or cancel it."))
                );
            }
            found => found?,
        };
        match found.has_succeeded() {
            true => Ok(found),
            false => Err(self.failure(&found).await),
        }
    }

    /// What one task's run left behind, as the API gives it: `notebook_output`, `logs`, `error`, `error_trace`, `sql_output`,
    /// `run_job_output`, `metadata`.
    ///
    /// # Errors
    /// [`BadRequest`](ErrorKind::BadRequest) for the id of a whole run: each task has a run of its own; what else the service refuses.
    pub async fn output(&self, task_run: i64) -> Result<Json> {
        let call = self.call("GET", "runs/get-output", run_target(task_run)).query("run_id", task_run);
        send(call).await.map_err(|error| match error.message().contains("multiple tasks") {
            true => error.with_hint("Each task has a run of its own: give the `run_id` of one of the run's `tasks`."),
            false => error,
        })
    }

    /// Runs as the API gives them, newest first and at most `most`. `filter` has parameters of the API: `job_id`, `active_only`,
    /// `completed_only`, `run_type`, `start_time_from`, `start_time_to`, `expand_tasks`, `limit` (runs of a page).
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn runs(&self, filter: &Map<String, Json>, most: Option<usize>) -> Result<Vec<Json>> {
        list(self.call("GET", "runs/list", Target::Object("runs", String::new())), filter, "runs", most).await
    }

    /// Ends a run, or one task's run; nothing happens when it has ended already. It may go on for a moment: [`finish`](Self::finish) waits.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn cancel(&self, run: i64) -> Result<()> {
        self.done("runs/cancel", run_target(run), json!({"run_id": run})).await
    }

    /// Forgets a run that has ended.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn delete_run(&self, run: i64) -> Result<()> {
        self.done("runs/delete", run_target(run), json!({"run_id": run})).await
    }

    // ---- jobs

    /// Stores a job and gives its id.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn create(&self, settings: &Json) -> Result<i64> {
        let answer = send(self.call("POST", "create", Target::Object("job", String::new())).json(settings)).await?;
        answer.get("job_id").and_then(Json::as_i64).ok_or_else(|| missing("job_id"))
    }

    /// A job as the API gives it: `job_id`, `settings`, `created_time`, `creator_user_name`.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such job; what else the service refuses.
    pub async fn job(&self, job: i64) -> Result<Json> {
        send(self.call("GET", "get", job_target(job)).query("job_id", job)).await
    }

    /// Jobs as the API gives them, at most `most`. `filter` has parameters of the API: `name`, `expand_tasks`, `limit` (jobs of a page).
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn list(&self, filter: &Map<String, Json>, most: Option<usize>) -> Result<Vec<Json>> {
        list(self.call("GET", "list", Target::Object("jobs", String::new())), filter, "jobs", most).await
    }

    /// Changes some settings of a job; those in `remove` go.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn update(&self, job: i64, changes: &Json, remove: &[&str]) -> Result<()> {
        let mut body = json!({"job_id": job, "new_settings": changes});
        if let (Some(body), false) = (body.as_object_mut(), remove.is_empty()) {
            body.insert("fields_to_remove".to_owned(), remove.into());
        }
        self.done("update", job_target(job), body).await
    }

    /// Gives a job new settings in the place of all old ones.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn reset(&self, job: i64, settings: &Json) -> Result<()> {
        self.done("reset", job_target(job), json!({"job_id": job, "new_settings": settings})).await
    }

    /// Deletes a job. Its runs stay.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn delete(&self, job: i64) -> Result<()> {
        self.done("delete", job_target(job), json!({"job_id": job})).await
    }

    async fn done(&self, action: &str, target: Target, body: Json) -> Result<()> {
        send(self.call("POST", action, target).json(&body)).await.map(drop)
    }

    fn call(&self, method: &'static str, action: &str, target: Target) -> ApiCall {
        self.workspace.api(method, &format!("{JOBS}/{action}"), target)
    }

    /// Why a run did not end well, in the words of the task that failed first.
    async fn failure(&self, run: &Run) -> Error {
        let failed = run.tasks.iter().find(|task| matches!(task.result.as_str(), "FAILED" | "TIMEDOUT"));
        let output = match failed {
            Some(task) => self.output(task.id).await.unwrap_or_default(), // the run's own message is worth more than this refusal
            None => Json::Null,
        };
        run.failure(failed, &output)
    }
}

/// Databricks answers 400 for a job or run that is not there; its SDKs, and we, take that for not found.
async fn send(call: ApiCall) -> Result<Json> {
    call.send().await.map_err(|error| {
        let is_lost = error.kind() == ErrorKind::BadRequest && error.message().contains("does not exist");
        match (is_lost, error.service()) {
            (true, Some(service)) => Error::new(ErrorKind::NotFound, error.message())
                .with_service(service.clone())
                .with_hint("Check the id; runs are kept for 60 days."),
            _ => error,
        }
    })
}

async fn list(call: ApiCall, filter: &Map<String, Json>, items: &str, most: Option<usize>) -> Result<Vec<Json>> {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    filter.iter().fold(call, |call, (name, value)| call.query(name, text(value))).list(items, most).await
}

fn job_target(job: i64) -> Target {
    Target::Object("job", job.to_string())
}

fn run_target(run: i64) -> Target {
    Target::Object("run", run.to_string())
}

fn missing(member: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("jobs: the answer has no `{member}`"))
        .with_hint("Check that DATABRICKS_HOST is a workspace or gateway.")
}
