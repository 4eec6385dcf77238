//! A query as a job: a Python file that hands it to Spark, run once.

use serde_json::{Map, Value as Json, json};

use super::query::Query;
use crate::databricks::Workspace;
use crate::databricks::workspace_files::Import;
use crate::error::Result;
use crate::json;

const SCRIPT: &str = include_str!("run_query.py");

/// Where a query is run as a job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobPlace {
    /// The Python file that is written, and stays: `/Users/me@example.com/training-set.py`. Its folder has to be there.
    pub path: String,
    pub run_name: String,
    /// What the task runs on, by the names of the Jobs API: `existing_cluster_id`, `new_cluster`. Serverless compute when it is empty.
    pub compute: Map<String, Json>,
}

impl JobPlace {
    /// Writes the file and starts the run; gives the run's id.
    ///
    /// # Errors
    /// What the service refuses.
    pub(super) async fn submit(&self, workspace: &Workspace, query: &Query) -> Result<i64> {
        let import = Import::of("RAW", None).overwriting();
        workspace.workspace_files().import(&self.path, script(query).into_bytes(), &import).await?;
        workspace.jobs().submit(&self.run()).await
    }

    fn run(&self) -> Json {
        let python = json!({"python_file": self.path, "source": "WORKSPACE"});
        let mut task =
            Map::from_iter([("task_key".to_owned(), "query".into()), ("spark_python_task".to_owned(), python)]);
        if !self.compute.is_empty() {
            task.extend(self.compute.clone());
            return json!({"run_name": self.run_name, "tasks": [task]});
        }
        task.insert("environment_key".to_owned(), "default".into());
        let environment = json!({"environment_key": "default", "spec": {"environment_version": "4"}});
        json!({"run_name": self.run_name, "tasks": [task], "environments": [environment]})
    }
}

/// The Python file. A JSON string is one of Python's as well.
fn script(query: &Query) -> String {
    let mut text = String::new();
    json::write_str(&mut text, &json::text(&query.to_json()));
    SCRIPT.replace("json.loads(QUERY)", &format!("json.loads({text})"))
}
