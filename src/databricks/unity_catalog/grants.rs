//! Who may do what.

use serde_json::{Value as Json, json};

use super::{BASE, Kind, UnityCatalog, explained};
use crate::databricks::api::ApiCall;
use crate::error::Result;

/// Privileges are named as the API names them: `SELECT`, `USE_CATALOG`, `EXECUTE`, `READ_VOLUME` ...
impl UnityCatalog {
    /// The privileges that were granted on an object itself: `{"principal", "privileges": ["SELECT"]}` each; those of one principal only, if
    /// one is named.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn permissions(&self, kind: Kind, name: &str, principal: Option<&str>) -> Result<Vec<Json>> {
        self.privileges("permissions", kind, name, principal).await
    }

    /// The privileges that count on an object, with those of what holds it:
    /// `{"principal", "privileges": [{"privilege", "inherited_from_name", ...}]}` each.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn effective_permissions(&self, kind: Kind, name: &str, principal: Option<&str>) -> Result<Vec<Json>> {
        self.privileges("effective-permissions", kind, name, principal).await
    }

    /// Grants and takes privileges: each change is `{"principal", "add": ["SELECT"], "remove": []}`. Gives what is granted then.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn update_permissions(&self, kind: Kind, name: &str, changes: &[Json]) -> Result<Vec<Json>> {
        let call = self.securable("PATCH", "permissions", kind, name)?.json(&json!({ "changes": changes }));
        let mut answer = self.send(call).await?;
        Ok(match answer.get_mut("privilege_assignments").map(Json::take) {
            Some(Json::Array(assignments)) => assignments,
            _ => Vec::new(),
        })
    }

    async fn privileges(&self, of: &str, kind: Kind, name: &str, principal: Option<&str>) -> Result<Vec<Json>> {
        let call = self.securable("GET", of, kind, name)?.maybe_query("principal", principal);
        call.list("privilege_assignments", None).await.map_err(explained)
    }

    fn securable(&self, method: &'static str, of: &str, kind: Kind, name: &str) -> Result<ApiCall> {
        // A registered model is a function to Databricks where privileges are concerned.
        let securable = if kind == Kind::Model { Kind::Function } else { kind };
        let path = format!("{BASE}/{of}/{}/{}", securable.word(), kind.segment(name)?);
        Ok(self.workspace.api(method, &path, kind.target(name)))
    }
}
