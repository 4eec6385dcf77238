//! What the endpoint does natively in a call: fields leave the prompt, and parameters of the request take their place.

use serde_json::{Map as JsonMap, Value as Json};

use crate::adapter::Adapter;
use crate::error::{Error, ErrorKind, Result};
use crate::lm::Capabilities;
use crate::signature::{Field, Signature, Special, Type};
use crate::tool::ToolSpec;
use crate::value::{Map, Value};

/// A call before it is put into words.
pub(super) struct Planning<'a> {
    pub adapter: &'a dyn Adapter,
    pub signature: &'a Signature,
    pub inputs: &'a Map,
    /// The model's name in full: DSPy tells some models by it.
    pub model: &'a str,
    pub capabilities: Capabilities,
    /// The `reasoning_effort` that the model sends when the call brings none.
    pub reasoning_effort: Option<&'a Json>,
}

impl<'a> Planning<'a> {
    /// The fields that leave the prompt. What asks for them instead goes into `config`; what asks for tools is taken out of
    /// it where calls are read from text.
    pub fn take_out(&self, config: &mut JsonMap<String, Json>) -> Result<Vec<&'a str>> {
        let mut taken = self.take_out_tools(config)?;
        for field in self.signature.outputs() {
            let is_native = match field.ty {
                Type::Special(Special::Reasoning) => self.asks_for_reasoning(config),
                Type::Special(Special::Citations) => self.model.starts_with("anthropic/"),
                _ => false,
            };
            if is_native {
                taken.push(&field.name);
            }
        }
        if config.get("parallel_tool_calls").is_some_and(|parallel| !parallel.is_null()) {
            config.entry("tool_choice").or_insert_with(|| "auto".into());
        }
        Ok(taken)
    }

    fn take_out_tools(&self, config: &mut JsonMap<String, Json>) -> Result<Vec<&'a str>> {
        let calls = calls_field(self.signature);
        if self.adapter.native_function_calling() {
            let Some(calls) = calls else { return Ok(Vec::new()) };
            let tools = self.signature.inputs().find(|field| holds_tools(&field.ty)).ok_or_else(|| no_tools(calls))?;
            if self.capabilities.function_calling {
                config.insert("tools".to_owned(), self.functions(tools)?);
                if let Some(parallel) = self.adapter.parallel_tool_calls()
                    && config.get("parallel_tool_calls").is_none_or(Json::is_null)
                {
                    config.insert("parallel_tool_calls".to_owned(), parallel.into());
                }
                return Ok(vec![&calls.name, &tools.name]);
            }
        }
        for name in ["tools", "tool_choice", "parallel_tool_calls"] {
            config.shift_remove(name);
        }
        Ok(Vec::new())
    }

    /// The tools that an input holds, as the API takes them.
    fn functions(&self, field: &Field) -> Result<Json> {
        let refuse = |message: String, class| {
            Error::new(ErrorKind::Input, message)
                .at_field(&field.name)
                .with_hint("give a tool or a list of tools")
                .with_python_class(class)
        };
        let given = self.inputs.get(&field.name);
        let given = given.ok_or_else(|| refuse(format!("the tools `{}` are not given", field.name), "KeyError"))?;
        let tools = if let Value::List(tools) = given { tools } else { std::slice::from_ref(given) };
        let function = |tool| {
            let spec = ToolSpec::of(tool).ok_or_else(|| refuse("this is not a tool".to_owned(), "AttributeError"))?;
            Ok(spec.function())
        };
        tools.iter().map(function).collect::<Result<Vec<_>>>().map(Json::Array)
    }

    /// Whether the model's own reasoning takes the place of a field. Of the GPT-5 family the chat API does not show it.
    fn asks_for_reasoning(&self, config: &mut JsonMap<String, Json>) -> bool {
        let effort = match config.get("reasoning_effort").or(self.reasoning_effort) {
            Some(Json::Null) => return false,
            Some(effort) => effort.clone(),
            None => "low".into(),
        };
        let is_native = self.capabilities.reasoning && !self.model.contains("gpt-5");
        if is_native {
            config.insert("reasoning_effort".to_owned(), effort);
        }
        is_native
    }
}

/// The output that receives tool calls.
pub(super) fn calls_field(signature: &Signature) -> Option<&Field> {
    signature.outputs().find(|field| field.ty == Type::Special(Special::ToolCalls))
}

/// `dspy.Tool` or `list[dspy.Tool]`.
fn holds_tools(ty: &Type) -> bool {
    let is_tool = |ty: &Type| *ty == Type::Special(Special::Tool);
    is_tool(ty) || matches!(ty, Type::List(Some(item)) if is_tool(item))
}

fn no_tools(calls: &Field) -> Error {
    let message = format!(
        "You provided an output field {} to receive the tool calls information, but did not provide any tools as the \
         input. Please provide a list of tools as the input by adding an input field with type `list[dspy.Tool]`.",
        calls.name
    );
    Error::new(ErrorKind::Input, message).at_field(&calls.name).with_python_class("ValueError")
}
