//! A run as it stands, and why it failed.

use serde_json::Value as Json;

use crate::error::{Error, ErrorKind, Service};

/// States in which nothing changes any more.
const ENDED: [&str; 3] = ["TERMINATED", "SKIPPED", "INTERNAL_ERROR"];

/// A run of a job, or a one-time run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub id: i64,
    /// `PENDING`, `QUEUED`, `RUNNING`, `TERMINATING`, `TERMINATED`, `SKIPPED`, `INTERNAL_ERROR` ...
    pub state: String,
    /// `SUCCESS`, `SUCCESS_WITH_FAILURES`, `FAILED`, `TIMEDOUT`, `CANCELED` ...; empty until it has ended.
    pub result: String,
    /// What the service says to its state.
    pub message: String,
    /// Where a person sees it.
    pub page_url: String,
    /// The latest attempt at each task.
    pub tasks: Vec<TaskRun>,
    /// All of it, as the API gives it.
    pub json: Json,
}

/// The run of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRun {
    pub key: String,
    /// Its own id, for its output.
    pub id: i64,
    pub state: String,
    pub result: String,
    pub message: String,
}

impl Run {
    pub(super) fn read(json: Json) -> Option<Self> {
        let text = |pointer| text(&json, pointer);
        let tasks = json.get("tasks").and_then(Json::as_array).into_iter().flatten();
        let tasks = tasks.map(TaskRun::read).collect();
        let state = text("/state/life_cycle_state");
        if state.is_empty() {
            return None;
        }
        Some(Self {
            id: json.get("run_id")?.as_i64()?,
            state,
            result: text("/state/result_state"),
            message: text("/state/state_message"),
            page_url: text("/run_page_url"),
            tasks,
            json,
        })
    }

    /// Whether nothing changes any more.
    pub fn has_ended(&self) -> bool {
        ENDED.contains(&self.state.as_str())
    }

    /// Whether it has ended well. A run some of whose tasks failed has, if those after them were made for that.
    pub fn has_succeeded(&self) -> bool {
        self.state == "TERMINATED" && matches!(self.result.as_str(), "SUCCESS" | "SUCCESS_WITH_FAILURES")
    }

    /// How far it is: `1 of 3 tasks ended`.
    pub(super) fn progress(&self) -> String {
        let ended = self.tasks.iter().filter(|task| ENDED.contains(&task.state.as_str())).count();
        match self.tasks.len() {
            0 => self.message.clone(),
            tasks => format!("{ended} of {tasks} tasks ended"),
        }
    }

    /// The error of a run that did not end well, with what is known of the task that failed.
    pub(super) fn failure(&self, failed: Option<&TaskRun>, output: &Json) -> Error {
        let (id, result) = (self.id, if self.result.is_empty() { &self.state } else { &self.result });
        let mut message = format!("run {id} ended as {result}");
        let said = match failed {
            Some(task) => {
                message.push_str(&format!(": task `{}`", task.key));
                Some(text(output, "/error")).filter(|error| !error.is_empty()).unwrap_or_else(|| task.message.clone())
            }
            None => self.message.clone(),
        };
        if !said.is_empty() {
            message.push_str(&format!(": {said}"));
        }
        let trace = text(output, "/error_trace");
        if !trace.is_empty() {
            message.push_str(&format!("\n{}", trace.trim_end()));
        }
        let timed_out = self.result == "TIMEDOUT" || failed.is_some_and(|task| task.result == "TIMEDOUT");
        let (kind, hint) = match (self.result.as_str(), self.state.as_str()) {
            _ if timed_out => (ErrorKind::Deadline, "Allow more seconds in its `timeout_seconds`."),
            ("CANCELED", _) => (ErrorKind::Cancelled, "Someone cancelled it."),
            ("MAXIMUM_CONCURRENT_RUNS_REACHED", _) => (
                ErrorKind::Conflict,
                "Wait for the runs that are active, or allow more with `max_concurrent_runs` or a `queue`.",
            ),
            ("FAILED", _) => {
                (ErrorKind::BadRequest, "The message is that of the task: mend its code or its parameters.")
            }
            (_, "INTERNAL_ERROR") => (ErrorKind::Server, "Start it again; the page of the run says more."),
            _ => (ErrorKind::BadRequest, "The page of the run says more."),
        };
        let hint = match self.page_url.as_str() {
            "" => hint.to_owned(),
            page => format!("{hint} The run's page: {page}"),
        };
        let service = Service { status: 200, error_code: result.clone(), ..Service::default() };
        Error::new(kind, message).with_service(service).with_hint(hint)
    }
}

impl TaskRun {
    fn read(json: &Json) -> Self {
        let text = |pointer| text(json, pointer);
        Self {
            key: text("/task_key"),
            id: json.get("run_id").and_then(Json::as_i64).unwrap_or_default(),
            state: text("/state/life_cycle_state"),
            result: text("/state/result_state"),
            message: text("/state/state_message"),
        }
    }
}

fn text(json: &Json, pointer: &str) -> String {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned()
}
