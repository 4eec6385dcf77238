//! Calls of tools, as agents make them.

use crate::error::{Error, Result};
use crate::run::Run;
use crate::tool::Tool;
use crate::value::{Map, Value};

/// Checks the arguments and calls a tool, inside a span of its own.
pub(super) async fn call_tool(run: &Run, tool: &dyn Tool, args: Map) -> Result<Value> {
    let spec = tool.spec();
    let span = run.clone().part(&spec.name).open_span("tool");
    span.given(args.clone());
    let result = match spec.validate_args(&args) {
        Ok(()) => tool.call(args).await,
        Err(error) => Err(error),
    };
    match &result {
        Ok(value) => span.done(Map::from_iter([("result".to_owned(), value.clone())])),
        Err(error) => span.failed(error.clone()),
    }
    result
}

/// What a model is told of a call that failed. Python adds a traceback, which shows lines of its own source code; here the
/// message stands alone, with what to do about it.
pub(super) fn failure(tool: &str, error: &Error) -> Value {
    let hint = error.hint().map(|hint| ["\nhint: ", hint].concat()).unwrap_or_default();
    Value::Str(["Execution error in ", tool, ": ", error.message(), &hint].concat())
}

/// Whether Python raises a `ValueError` for the same reason, which ends an agent's turns but not the agent.
pub(super) fn is_value_error(error: &Error) -> bool {
    matches!(error.python_class(), Some("ValueError" | "ValidationError"))
}
