//! `ReActV2`: an agent whose turns are a conversation with tool calls.

mod submit;

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use indexmap::IndexMap;
use serde_json::json;

use super::react::{names, take_max_iters};
use super::tool_use::{call_tool, failure, is_value_error};
use super::{Call, Module, Predict, SubModule, recorded};
use crate::coerce::validate;
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::python::strip;
use crate::run::Run;
use crate::signature::{Field, Signature, Special, Type};
use crate::tool::{Tool, ToolCall, ToolResult};
use crate::value::{Custom, Map, Value};
use submit::{SUBMIT, Submit};

/// An agent whose model calls tools, natively or in text, until it calls `submit` with the outputs: DSPy 3.4.1's `ReActV2`,
/// which DSPy calls experimental.
///
/// The outputs are followed by the `history` of the conversation, which goes in again as the input `history` to go on, and the
/// `termination_reason`: `submit`, or `forced_submit` when the turns ended without it and one more call had to demand it.
/// Inputs that are not given stay out of the prompt.
pub struct ReActV2 {
    pub react: Predict,
    /// The number of turns at most.
    pub max_iters: usize,
    inputs: Vec<String>,
    tools: IndexMap<String, Rc<dyn Tool>>,
    submit: Submit,
}

/// What the model asked for in a turn, and what came of it.
struct Turn {
    thought: Option<Value>,
    calls: Vec<ToolCall>,
    results: Vec<ToolResult>,
    /// The outputs, when they were submitted.
    outputs: Option<Map>,
}

impl ReActV2 {
    /// An agent for `signature` with these tools, for 20 turns. Of two tools with one name the later counts.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when a field or a tool has a name that the agent needs itself.
    pub fn new(signature: &Signature, tools: Vec<Rc<dyn Tool>>) -> Result<Self> {
        refuse_reserved(signature)?;
        let tools: IndexMap<String, Rc<dyn Tool>> =
            tools.into_iter().map(|tool| (tool.spec().name.clone(), tool)).collect();
        if tools.contains_key(SUBMIT) {
            return Err(refused("`submit` is reserved by ReActV2 as the final-output tool.".to_owned()));
        }
        let (inputs, outputs) = (names(signature.inputs()), names(signature.outputs()));
        let known: Vec<String> =
            tools.keys().map(|name| ["`", name, "`"].concat()).chain(["`submit`".to_owned()]).collect();
        let instructions = format!(
            "{}\nYou are an Agent. Use the supplied tools to produce {outputs} from {inputs}.\nCall tools when more information \
             is needed.\nWhen the final answer is ready, call `submit` with {outputs}.\nThe available tools are: {}.",
            signature.instructions,
            known.join(", ")
        );
        let mut fields: Vec<Field> = signature.inputs().map(optional).collect();
        fields.extend([
            Field::input("history", Type::Special(Special::History)),
            Field::input("tools", Type::List(Some(Box::new(Type::Special(Special::Tool))))),
            Field::output("next_thought", Type::Special(Special::Reasoning)),
            Field::output("tool_calls", Type::Special(Special::ToolCalls)),
        ]);
        Ok(Self {
            react: Predict::new(Signature::from_fields(fields, Some(strip(&instructions)))?),
            max_iters: 20,
            inputs: signature.inputs().map(|field| field.name.clone()).collect(),
            tools,
            submit: Submit::new(signature),
        })
    }

    async fn run(&self, run: &Run, mut inputs: Example) -> Result<Prediction> {
        let max_iters = take_max_iters(&mut inputs)?.unwrap_or(self.max_iters);
        let mut history = take_history(&mut inputs)?;
        let pending = self.inputs.iter().filter_map(|name| Some((name.clone(), inputs.fields.get(name)?.clone())));
        let mut pending: Map = pending.collect();
        let mut reason = "max_iters";
        for turn in 0..max_iters {
            let (thought, calls) = match self.ask(run, self.call(&history, &pending), turn).await {
                Ok(asked) => asked,
                Err(error) if error.kind() == ErrorKind::Parse || is_value_error(&error) => {
                    reason = "parse_error";
                    break;
                }
                Err(error) if error.kind() == ErrorKind::ContextWindow => {
                    reason = "context_window_exceeded";
                    break;
                }
                Err(error) => return Err(error),
            };
            if calls.is_empty() {
                reason = "empty_tool_calls";
                break;
            }
            let turn = self.act(run, thought, calls).await?;
            history.push(turn.event(std::mem::take(&mut pending))?);
            if let Some(outputs) = turn.outputs {
                return Ok(ended(outputs, history, "submit"));
            }
        }
        self.force_submit(run, history, pending, reason, max_iters).await
    }

    fn call(&self, history: &[Map], pending: &Map) -> Call {
        let tools = self.tools.values().map(|tool| tool.spec()).chain([&self.submit.spec]);
        let inputs = Example::new()
            .with("history", Value::Custom(Box::new(Custom::History(history.to_vec()))))
            .with("tools", Value::List(tools.map(|spec| spec.to_value()).collect()));
        let mut call = Call::from(inputs);
        call.inputs.fields.extend(pending.clone());
        call
    }

    /// The thought of a turn and the calls that the model asks for, each with an id.
    async fn ask(&self, run: &Run, call: Call, turn: usize) -> Result<(Option<Value>, Vec<ToolCall>)> {
        let mut fields = self.react.ask(&run.clone().part("react"), call).await?.fields;
        let thought = fields.swap_remove("next_thought").filter(|thought| *thought != Value::None);
        let mut calls = match fields.swap_remove("tool_calls") {
            None | Some(Value::None) => Vec::new(),
            Some(calls) => ToolCall::all(&calls).ok_or_else(|| {
                Error::new(ErrorKind::Parse, "these are no tool calls").with_python_class("ValidationError")
            })?,
        };
        for (number, call) in calls.iter_mut().enumerate() {
            call.id.get_or_insert_with(|| format!("call_{turn}_{number}"));
        }
        Ok((thought, calls))
    }

    /// Makes the calls of a turn, one after the other.
    async fn act(&self, run: &Run, thought: Option<Value>, calls: Vec<ToolCall>) -> Result<Turn> {
        let (mut values, mut is_errors, mut outputs) = (Vec::new(), Vec::new(), None);
        for call in &calls {
            let args = if let Value::Dict(args) = &call.args { args.clone() } else { Map::new() };
            let result = match self.tools.get(&call.name) {
                Some(tool) => call_tool(run, &**tool, args).await.map_err(|error| failure(&call.name, &error)),
                None if call.name == SUBMIT => match self.submit.take(args) {
                    Ok(submitted) => {
                        outputs = Some(submitted.clone());
                        Ok(Value::Dict(submitted))
                    }
                    Err(error) => Err(failure(SUBMIT, &error)),
                },
                None => Err(Value::Str(["Unknown tool: ", &call.name].concat())),
            };
            is_errors.push(result.is_err());
            values.push(result.unwrap_or_else(|told| told));
        }
        let results = ToolResult::of_calls(&calls, values, Some(&is_errors))?;
        Ok(Turn { thought, calls, results, outputs })
    }

    /// Asks for the outputs once more, and for nothing else.
    async fn force_submit(
        &self,
        run: &Run,
        mut history: Vec<Map>,
        pending: Map,
        reason: &str,
        turn: usize,
    ) -> Result<Prediction> {
        let mut call = self.call(&history, &pending);
        let choice = json!({"type": "function", "function": {"name": SUBMIT}});
        call.config = [("tool_choice", choice), ("reasoning_effort", json!(null))]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect();
        let (thought, mut calls) = self.ask(run, call, turn).await?;
        calls.retain(|call| call.name == SUBMIT);
        let failed = |why: &str| {
            let message = format!("ReActV2 failed to produce final outputs after {reason}: {why}");
            Err(Error::new(ErrorKind::Parse, message)
                .with_hint("allow more turns, or ask a model that follows tools better")
                .with_python_class("ValueError"))
        };
        if calls.is_empty() {
            return failed("no submit call.");
        }
        let turn = self.act(run, thought, calls).await?;
        history.push(turn.event(pending)?);
        match turn.outputs {
            Some(outputs) => Ok(ended(outputs, history, "forced_submit")),
            None => {
                let told: Vec<&str> = turn.results.iter().filter_map(|result| result.value.as_str()).collect();
                failed(&["submit failed.\n", &told.join("\n")].concat())
            }
        }
    }
}

impl Turn {
    /// The turn as the history keeps it, with the inputs that it answered.
    fn event(&self, inputs: Map) -> Result<Map> {
        let mut event = inputs;
        if let Some(thought) = &self.thought {
            event.insert("next_thought".to_owned(), thought.clone());
        }
        let mut calls = ToolCall::to_calls(&self.calls)?;
        if let Value::Custom(custom) = &mut calls
            && let Custom::ToolCalls(attributes) = custom.as_mut()
        {
            attributes.insert("tool_call_results".to_owned(), ToolResult::to_results(&self.results));
        }
        event.insert("tool_calls".to_owned(), calls);
        event.extend(self.outputs.clone().unwrap_or_default());
        Ok(event)
    }
}

fn ended(outputs: Map, history: Vec<Map>, reason: &str) -> Prediction {
    let mut fields = outputs;
    fields.insert("history".to_owned(), Value::Custom(Box::new(Custom::History(history))));
    fields.insert("termination_reason".to_owned(), reason.into());
    Prediction { fields, ..Prediction::default() }
}

/// The input without constraints and default, and nullable: later turns do not give it again.
fn optional(field: &Field) -> Field {
    let ty = match &field.ty {
        Type::None => Type::None,
        Type::Union(members) if members.contains(&Type::None) => field.ty.clone(),
        Type::Union(members) => Type::Union(members.iter().cloned().chain([Type::None]).collect()),
        ty => Type::optional(ty.clone()),
    };
    Field::input(field.name.clone(), ty).with_desc(field.desc.clone())
}

/// The turns of an earlier conversation.
fn take_history(inputs: &mut Example) -> Result<Vec<Map>> {
    let given = match inputs.fields.shift_remove("history") {
        None | Some(Value::None) => return Ok(Vec::new()),
        Some(given) => given,
    };
    if let Value::Custom(custom) = validate(&given, &Type::Special(Special::History))?
        && let Custom::History(turns) = *custom
    {
        return Ok(turns);
    }
    Ok(Vec::new())
}

fn refuse_reserved(signature: &Signature) -> Result<()> {
    let reserved = |all: &[&str], fields: &mut dyn Iterator<Item = &Field>| {
        let mut names: Vec<&str> = fields.map(|field| field.name.as_str()).filter(|name| all.contains(name)).collect();
        names.sort_unstable();
        let names: Vec<String> = names.into_iter().map(|name| ["`", name, "`"].concat()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    if let Some(names) = reserved(&["history", "termination_reason"], &mut signature.outputs()) {
        return Err(refused(format!(
            "Output field name(s) {names} are reserved by ReActV2 and attached to every returned Prediction. Rename these \
             output fields on your signature."
        )));
    }
    if let Some(names) = reserved(&["history", "tools"], &mut signature.inputs()) {
        return Err(refused(format!(
            "Input field name(s) {names} are reserved by ReActV2 for its internal conversation history and tool list. Rename \
             these input fields on your signature."
        )));
    }
    Ok(())
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Signature, message).with_python_class("ValueError")
}

impl Module for ReActV2 {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(recorded(run, "react_v2", inputs, async |run, inputs| self.run(run, inputs.clone()).await))
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        vec![("react".to_owned(), &self.react)]
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        vec![("react".to_owned(), &mut self.react)]
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        SubModule::tree("ReActV2", &[("react", &self.react)])
    }
}
