//! Tools that JavaScript does.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::callback;
use super::custom::Opened;
use super::errors::answered;
use super::options::Options;
use crate::error::Result;
use crate::tool::{Tool, ToolSpec};
use crate::value::{Map, Value};

/// A function from arguments to a promise of a record with the `value` that came of them.
struct JsTool {
    spec: ToolSpec,
    function: Function,
}

/// The tools in the option `tools`, values of type `dspy.Tool`, each with the function that does it.
pub(super) fn read(options: &Options, functions: Vec<Function>) -> Result<Vec<Rc<dyn Tool>>> {
    let specs = options.list("tools")?.iter().filter_map(ToolSpec::of);
    Ok(specs.zip(functions).map(|(spec, function)| Rc::new(JsTool { spec, function }) as Rc<dyn Tool>).collect())
}

impl Tool for JsTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(&'a self, args: Map) -> LocalBoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            let given = callback::given(&[&args], Opened::plain());
            let answer = answered(self.function.call1(&JsValue::NULL, &given)).await?;
            Ok(callback::record(&answer)?.swap_remove("value").unwrap_or(Value::None))
        })
    }
}
