//! Functions as tools of a model.
//!
//! Names and what a model is told follow Databricks' own toolkits (unitycatalog-ai):
//! <https://docs.unitycatalog.io/ai/client/>.

use futures_core::future::LocalBoxFuture;
use serde_json::{Map as JsonMap, Value as Json};

use super::json_schema::of_parameter;
use super::{Function, Kind, UnityCatalog};
use crate::adapter::to_json;
use crate::databricks::names;
use crate::databricks::sql::Warehouse;
use crate::databricks::wait::Wait;
use crate::error::Result;
use crate::tool::{Tool, ToolSpec};
use crate::value::{Map, Value};

/// Model services take names of tools up to here.
const LONGEST_NAME: usize = 64;

/// A function of Unity Catalog as a tool: what a model asks for is run on a warehouse.
pub struct FunctionTool {
    spec: ToolSpec,
    call: Function,
    warehouse: Warehouse,
}

impl UnityCatalog {
    /// A function as a tool, by its full name.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn tool(&self, warehouse: &Warehouse, function: &str) -> Result<FunctionTool> {
        let call = Function::new(self.get(Kind::Function, function).await?);
        Ok(FunctionTool { spec: call.spec()?, call, warehouse: warehouse.clone() })
    }

    /// All functions of a schema (`main.tools`) as tools.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn tools(&self, warehouse: &Warehouse, schema: &str) -> Result<Vec<FunctionTool>> {
        let functions = self.list(Kind::Function, schema, None).await?.into_iter().map(Function::new);
        let tool = |call: Function| Ok(FunctionTool { spec: call.spec()?, call, warehouse: warehouse.clone() });
        functions.map(tool).collect()
    }
}

impl Function {
    /// What a model is told: the name `catalog__schema__function`, its comment, and its parameters.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) when the function has no full name.
    pub fn spec(&self) -> Result<ToolSpec> {
        let name = names::parts(self.text("full_name"), 3)?.join("__");
        let cut = name.char_indices().rev().nth(LONGEST_NAME - 1).map_or(0, |(at, _)| at);
        let name = name.get(cut..).unwrap_or(&name);
        let argument = |parameter: &Json| Some((parameter.get("name")?.as_str()?.to_owned(), of_parameter(parameter)));
        let arguments: JsonMap<String, Json> = self.parameters().iter().filter_map(argument).collect();
        Ok(ToolSpec::new(name, self.text("comment"), arguments))
    }
}

impl Tool for FunctionTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(&'a self, args: Map) -> LocalBoxFuture<'a, Result<Value>> {
        let arguments = args.iter().map(|(name, value)| (name.clone(), to_json(value))).collect();
        Box::pin(async move {
            let result = self.call.run(&self.warehouse, &arguments, &Wait::default()).await?;
            Ok(Value::from(&result))
        })
    }
}
