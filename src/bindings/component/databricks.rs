//! Operations of a workspace.

use super::Library;
use super::errors::{Result, outward};
use super::wit::databricks;
use super::wit::programs::WorkspaceBorrow;
use super::workspace::Workspace;
use crate::databricks::operations::{self, Arguments, Outcome};
use crate::json;
use crate::platform::wasi::block_on;

impl databricks::Guest for Library {
    fn call(
        workspace: WorkspaceBorrow<'_>,
        operation: String,
        arguments: String,
        content: Vec<u8>,
    ) -> Result<databricks::Outcome> {
        let workspace = workspace.get::<Workspace>().workspace.clone();
        let call = async move {
            let arguments = Arguments::read(&arguments, content)?;
            operations::call(&workspace, &operation, arguments, None).await
        };
        let outcome = block_on(call).map_err(outward)?;
        Ok(match outcome {
            Outcome::Json(json) => databricks::Outcome::Json(json::text(&json)),
            Outcome::Bytes(bytes) => databricks::Outcome::Bytes(bytes),
        })
    }
}
