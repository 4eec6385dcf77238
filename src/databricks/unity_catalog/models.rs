//! Registered models: their versions, and the names that point at one.

use serde_json::{Value as Json, json};

use super::{Kind, UnityCatalog, explained};
use crate::error::Result;
use crate::http::url;

impl UnityCatalog {
    /// The versions of a registered model.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn model_versions(&self, model: &str) -> Result<Vec<Json>> {
        self.at("GET", Kind::Model, model, "/versions")?.list("model_versions", None).await.map_err(explained)
    }

    /// A version of a registered model.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn model_version(&self, model: &str, version: i64) -> Result<Json> {
        self.send(self.at("GET", Kind::Model, model, &format!("/versions/{version}"))?).await
    }

    /// The version that an alias points at.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn model_version_by_alias(&self, model: &str, alias: &str) -> Result<Json> {
        self.send(self.at("GET", Kind::Model, model, &alias_path(alias)?)?).await
    }

    /// Deletes a version of a registered model.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn delete_model_version(&self, model: &str, version: i64) -> Result<()> {
        self.send(self.at("DELETE", Kind::Model, model, &format!("/versions/{version}"))?).await.map(drop)
    }

    /// Points an alias, `champion` for instance, at a version.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn set_model_alias(&self, model: &str, alias: &str, version: i64) -> Result<Json> {
        let call = self.at("PUT", Kind::Model, model, &alias_path(alias)?)?;
        self.send(call.json(&json!({"version_num": version}))).await
    }

    /// Takes an alias away.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn delete_model_alias(&self, model: &str, alias: &str) -> Result<()> {
        self.send(self.at("DELETE", Kind::Model, model, &alias_path(alias)?)?).await.map(drop)
    }
}

fn alias_path(alias: &str) -> Result<String> {
    Ok(format!("/aliases/{}", url::segment(alias)?))
}
