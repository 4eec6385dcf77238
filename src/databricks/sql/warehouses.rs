//! The warehouses of a workspace: which there are, and that they run.
//!
//! Source: <https://docs.databricks.com/api/workspace/warehouses>.

use serde_json::Value as Json;

use super::Warehouse;
use crate::databricks::Workspace;
use crate::databricks::error::Target;
use crate::databricks::wait::{Look, Wait};
use crate::error::{Error, ErrorKind, Result};
use crate::http::url;

const WAREHOUSES: &str = "/api/2.0/sql/warehouses";

impl Workspace {
    /// The SQL warehouses that the caller may use, as the API describes them: `id`, `name`, `state` ...
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn warehouses(&self) -> Result<Vec<Json>> {
        let target = Target::Object("the list of SQL warehouses", String::new());
        self.api("GET", WAREHOUSES, target).list("warehouses", None).await
    }
}

impl Warehouse {
    /// What the API tells of it: `name`, `state`, `cluster_size` ...
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn describe(&self) -> Result<Json> {
        self.workspace.api("GET", &self.path("")?, self.target()).send().await
    }

    /// Starts it, and waits until it runs; nothing is done when it does. A statement starts it as well.
    ///
    /// # Errors
    /// What the service refuses; [`Server`](ErrorKind::Server) when it stops again; [`Deadline`](ErrorKind::Deadline) when the time is over.
    pub async fn start(&self, wait: &Wait) -> Result<Json> {
        self.workspace.api("POST", &self.path("/start")?, self.target()).send().await?;
        self.until("RUNNING", &["STOPPED", "DELETED"], wait).await
    }

    /// Stops it, and waits until it has stopped.
    ///
    /// # Errors
    /// What the service refuses; [`Deadline`](ErrorKind::Deadline) when the time is over.
    pub async fn stop(&self, wait: &Wait) -> Result<Json> {
        self.workspace.api("POST", &self.path("/stop")?, self.target()).send().await?;
        self.until("STOPPED", &["DELETED"], wait).await
    }

    async fn until(&self, wanted: &str, never: &[&str], wait: &Wait) -> Result<Json> {
        let look = || async {
            let found = self.describe().await?;
            let text = |pointer| found.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned();
            let (state, message) = (text("/state"), text("/health/message"));
            if state == wanted {
                return Ok(Look::Done(found));
            }
            if never.contains(&state.as_str()) {
                let message = format!("{} is {state}, not {wanted}. {message}", self.target().describe());
                return Err(Error::new(ErrorKind::Server, message.trim_end())
                    .with_hint("The warehouse's page in the workspace tells why; starting it again may help."));
            }
            Ok(Look::Pending { state, message })
        };
        wait.until(&self.workspace, &self.target().describe(), look).await
    }

    fn path(&self, verb: &str) -> Result<String> {
        Ok(format!("{WAREHOUSES}/{}{verb}", url::segment(&self.id)?))
    }
}
