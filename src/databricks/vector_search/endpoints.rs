//! Endpoints: what indexes are served by.

use serde_json::{Value as Json, json};

use super::{BASE, VectorSearchManager, hints};
use crate::databricks::api::ApiCall;
use crate::databricks::error::Target;
use crate::databricks::wait::{Look, Wait};
use crate::error::{Error, ErrorKind, Result};
use crate::http::url;

/// Endpoints are given and taken as the API describes them: `name`, `endpoint_type`, `endpoint_status`, `num_indexes` ...
impl VectorSearchManager {
    /// Makes an endpoint: `STANDARD`, or `STORAGE_OPTIMIZED` for more and cheaper rows. It is used once it is
    /// [online](Self::wait_for_endpoint).
    ///
    /// # Errors
    /// What the service refuses: [`Conflict`](ErrorKind::Conflict) when there is one of the name.
    pub async fn create_endpoint(&self, name: &str, endpoint_type: &str, target_qps: Option<i64>) -> Result<Json> {
        let mut body = json!({"name": name, "endpoint_type": endpoint_type});
        if let Some(target_qps) = target_qps {
            body["target_qps"] = target_qps.into();
        }
        self.send(self.workspace.api("POST", &format!("{BASE}/endpoints"), target(name)).json(&body)).await
    }

    /// An endpoint.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn endpoint(&self, name: &str) -> Result<Json> {
        self.send(self.at_endpoint("GET", name)?).await
    }

    /// All endpoints of the workspace.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn endpoints(&self) -> Result<Vec<Json>> {
        let call = self.workspace.api("GET", &format!("{BASE}/endpoints"), target(""));
        call.list("endpoints", None).await.map_err(hints::explained)
    }

    /// Deletes an endpoint that has no indexes.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn delete_endpoint(&self, name: &str) -> Result<()> {
        self.send(self.at_endpoint("DELETE", name)?).await.map(drop)
    }

    /// Waits until an endpoint is online.
    ///
    /// # Errors
    /// What the service refuses; [`Server`](ErrorKind::Server) when it will not come online by itself;
    /// [`Deadline`](ErrorKind::Deadline) when the time is over.
    pub async fn wait_for_endpoint(&self, name: &str, wait: &Wait) -> Result<Json> {
        let look = || async {
            let found = self.endpoint(name).await?;
            let text = |pointer| found.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned();
            let (state, message) = (text("/endpoint_status/state"), text("/endpoint_status/message"));
            match state.as_str() {
                "ONLINE" => Ok(Look::Done(found)),
                "OFFLINE" | "RED_STATE" | "STOPPED" | "STOPPING" | "DELETED" => {
                    let message = format!("{} is {state}. {message}", target(name).describe());
                    Err(Error::new(ErrorKind::Server, message.trim_end())
                        .with_hint("Start it, or delete it and make it anew; its page in the workspace tells more."))
                }
                _ => Ok(Look::Pending { state, message }),
            }
        };
        wait.until(&self.workspace, &target(name).describe(), look).await
    }

    fn at_endpoint(&self, method: &'static str, name: &str) -> Result<ApiCall> {
        Ok(self.workspace.api(method, &format!("{BASE}/endpoints/{}", url::segment(name)?), target(name)))
    }
}

fn target(name: &str) -> Target {
    Target::Object("vector search endpoint", name.to_owned())
}
