//! Tools: functions that a model may ask to have called, as DSPy 3.4.1's `dspy.Tool` describes them.

mod calls;
mod schema;

pub(crate) use calls::attributes;
pub use calls::{ToolCall, ToolResult};

use std::future::Future;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use serde_json::{Value as Json, json};

use crate::adapter::to_json;
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::offer;
use crate::python::str_of;
use crate::value::{Custom, Map, Value};

/// A function that a model may ask to have called.
pub trait Tool {
    /// What a model is told of it.
    fn spec(&self) -> &ToolSpec;

    /// Calls it. The arguments have passed [`ToolSpec::validate_args`]. Dropping the future abandons the call.
    fn call<'a>(&'a self, args: Map) -> LocalBoxFuture<'a, Result<Value>>;
}

/// What a model is told of a tool.
///
/// ```
/// use lakelet::tool::ToolSpec;
/// use serde_json::json;
///
/// let args = json!({"query": {"type": "string"}, "k": {"type": "integer", "default": 3}});
/// let spec = ToolSpec::new("search", "Find pages.", args.as_object().cloned().unwrap_or_default());
/// assert_eq!(
///     spec.text(),
///     "search, whose description is <desc>Find pages.</desc>. It takes arguments \
///      {'query': {'type': 'string'}, 'k': {'type': 'integer', 'default': 3}}."
/// );
/// assert_eq!(spec.function()["function"]["parameters"]["required"], json!(["query"]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    pub name: String,
    /// Empty when there is none.
    pub desc: String,
    /// The JSON schema of each argument. One that has a `default` may be left out.
    pub args: serde_json::Map<String, Json>,
}

impl ToolSpec {
    /// A tool by its name, its description and the JSON schemas of its arguments.
    pub fn new(name: &str, desc: &str, args: serde_json::Map<String, Json>) -> Self {
        Self { name: name.to_owned(), desc: desc.to_owned(), args }
    }

    /// The tool that a value describes: a `dspy.Tool`.
    pub fn of(value: &Value) -> Option<Self> {
        let Value::Custom(custom) = value else { return None };
        let Custom::Tool(tool) = custom.as_ref() else { return None };
        let text = |name: &str| tool.get(name).and_then(Value::as_str).unwrap_or_default();
        let args = match tool.get("args") {
            Some(Value::Dict(args)) => args.iter().map(|(name, schema)| (name.clone(), to_json(schema))).collect(),
            _ => serde_json::Map::new(),
        };
        Some(Self::new(text("name"), text("desc"), args))
    }

    /// The value that stands for the tool where a signature has an input of type `dspy.Tool`.
    pub fn to_value(&self) -> Value {
        let args = self.args.iter().map(|(name, schema)| (name.clone(), Value::from(schema))).collect();
        let desc = if self.desc.is_empty() { Value::None } else { self.desc.as_str().into() };
        let tool = [("name", self.name.as_str().into()), ("desc", desc), ("args", Value::Dict(args))];
        Value::Custom(Box::new(Custom::Tool(tool.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())))
    }

    /// What prompts say of the tool: Python's `str(tool)`.
    pub fn text(&self) -> String {
        str_of(&self.to_value())
    }

    /// The tool as the chat-completions API takes it.
    pub fn function(&self) -> Json {
        let required = self.args.iter().filter(|(_, schema)| schema.get("default").is_none());
        let required: Vec<&String> = required.map(|(name, _)| name).collect();
        json!({
            "type": "function",
            "function": {
                "name": self.name,
                "description": if self.desc.is_empty() { Json::Null } else { self.desc.as_str().into() },
                "parameters": { "type": "object", "properties": self.args, "required": required },
            },
        })
    }

    /// Checks arguments against their schemas, as DSPy does: an argument that the tool does not have is refused, one that
    /// is missing is not, and a schema that names no `type` allows everything. `pattern` is not checked.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), with the message of Python's `jsonschema`; it names the argument.
    pub fn validate_args(&self, args: &Map) -> Result<()> {
        for (name, value) in args {
            let refuse =
                |message: String| Error::new(ErrorKind::Input, message).at_field(name).with_python_class("ValueError");
            let Some(schema) = self.args.get(name) else {
                let hint = offer(name, self.args.keys().map(String::as_str));
                return Err(refuse(format!("Arg {name} is not in the tool's args.")).with_hint(hint));
            };
            if schema.get("type").is_none_or(|ty| *ty == Json::Null || *ty == "Any") {
                continue;
            }
            if let Some(problem) = schema::problem(value, schema) {
                return Err(refuse(format!("Arg {name} is invalid: {problem}")));
            }
        }
        Ok(())
    }

    /// The tool that `function` does.
    ///
    /// ```
    /// use lakelet::tool::ToolSpec;
    /// let finish = ToolSpec::new("finish", "", Default::default()).does(|_| async { Ok("Completed.".into()) });
    /// assert_eq!(finish.spec().text(), "finish. It takes arguments {}.");
    /// ```
    pub fn does<F, R>(self, function: F) -> Rc<dyn Tool>
    where
        F: Fn(Map) -> R + 'static,
        R: Future<Output = Result<Value>> + 'static,
    {
        Rc::new(Function {
            spec: self,
            function: move |args| -> LocalBoxFuture<'static, _> { Box::pin(function(args)) },
        })
    }
}

/// A tool that a function does.
struct Function<F> {
    spec: ToolSpec,
    function: F,
}

impl<F: Fn(Map) -> LocalBoxFuture<'static, Result<Value>>> Tool for Function<F> {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(&'a self, args: Map) -> LocalBoxFuture<'a, Result<Value>> {
        (self.function)(args)
    }
}
