//! Indexes: made, looked at, waited for, kept in step with their table, asked and dropped.

use serde_json::Value as Json;

use super::definition::IndexDefinition;
use super::search::{Found, Search};
use super::{BASE, VectorSearchManager, hints, index_path};
use crate::databricks::api::ApiCall;
use crate::databricks::error::Target;
use crate::databricks::wait::{Look, Wait};
use crate::error::{Error, ErrorKind, Result};

/// Indexes are given as the API describes them: `name`, `index_type`, `status`, `delta_sync_index_spec` ...
impl VectorSearchManager {
    /// Makes an index. It can be asked once it is [ready](Self::wait_until_ready).
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) for a definition that cannot work; what the service refuses: [`Conflict`](ErrorKind::Conflict) when
    /// there is one of the name.
    pub async fn create(&self, definition: &IndexDefinition) -> Result<Json> {
        let target = Target::Index(definition.name().to_owned());
        let call = self.workspace.api("POST", &format!("{BASE}/indexes"), target).json(&definition.body()?);
        self.send(call).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                error.with_hint("Check the names of the endpoint, the source table and the embedding model.")
            }
            _ => error,
        })
    }

    /// An index.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn get(&self, index: &str) -> Result<Json> {
        self.send(self.at("GET", index, "")?).await
    }

    /// Whether there is an index of the name.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn exists(&self, index: &str) -> Result<bool> {
        match self.get(index).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            found => found.map(|_| true),
        }
    }

    /// The indexes on an endpoint, in short.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn list(&self, endpoint: &str) -> Result<Vec<Json>> {
        let target = Target::Object("vector search endpoint", endpoint.to_owned());
        let call = self.workspace.api("GET", &format!("{BASE}/indexes"), target).query("endpoint_name", endpoint);
        call.list("vector_indexes", None).await.map_err(hints::explained)
    }

    /// Drops an index. Its endpoint and its source table stay.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn drop_index(&self, index: &str) -> Result<()> {
        self.send(self.at("DELETE", index, "")?).await.map(drop)
    }

    /// Takes in what has changed in the source table of a triggered index.
    /// [`wait_until_ready`](Self::wait_until_ready) with `updates` tells when it has.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn sync(&self, index: &str) -> Result<()> {
        self.send(self.at("POST", index, "/sync")?.json(&Json::Object(Default::default()))).await.map(drop)
    }

    /// Waits until an index can be asked; with `updates`, until it also has all that it was told to take in.
    ///
    /// # Errors
    /// What the service refuses; [`Server`](ErrorKind::Server) when the index, or its update, has failed;
    /// [`Deadline`](ErrorKind::Deadline) when the time is over.
    pub async fn wait_until_ready(&self, index: &str, updates: bool, wait: &Wait) -> Result<Json> {
        let look = || async {
            let found = self.get(index).await?;
            let text = |pointer| found.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned();
            let (state, message) = (text("/status/detailed_state"), text("/status/message"));
            let ready = found.pointer("/status/ready").and_then(Json::as_bool).unwrap_or(false);
            let failed = state.contains("OFFLINE") || (updates && state == "ONLINE_PIPELINE_FAILED");
            if failed {
                let message = format!("{} is {state}. {message}", Target::Index(index.to_owned()).describe());
                return Err(Error::new(ErrorKind::Server, message.trim_end()).with_hint(
                    "The index's page in the workspace tells why; mend its source table, and sync it again.",
                ));
            }
            let done = match state.as_str() {
                "" => ready, // not every version of the API tells it
                "ONLINE" | "ONLINE_NO_PENDING_UPDATE" | "ONLINE_DIRECT_ACCESS" => true,
                state => !updates && state.contains("ONLINE"),
            };
            Ok(if done { Look::Done(found) } else { Look::Pending { state, message } })
        };
        wait.until(&self.workspace, &Target::Index(index.to_owned()).describe(), look).await
    }

    /// Looks for rows of an index, best first.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) for a search that cannot work; what the service refuses.
    pub async fn query(&self, index: &str, search: &Search) -> Result<Found> {
        let target = Target::Index(index.to_owned());
        let found = search.run(&self.workspace, &index_path(index)?, &target, None, |_| Ok(())).await;
        found.map_err(hints::explained)
    }

    pub(super) fn at(&self, method: &'static str, index: &str, verb: &str) -> Result<ApiCall> {
        let path = format!("{}{verb}", index_path(index)?);
        Ok(self.workspace.api(method, &path, Target::Index(index.to_owned())))
    }
}
