//! `ReAct`: an agent that thinks, calls a tool and looks at what comes back, in turns.

mod trajectory;

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use indexmap::IndexMap;
use serde_json::Map as JsonMap;

use super::tool_use::{call_tool, failure, is_value_error};
use super::{ChainOfThought, Module, Predict, SubModule, at_path, recorded};
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::run::Run;
use crate::signature::{Field, Signature, Type};
use crate::tool::{Tool, ToolSpec};
use crate::value::{Map, Value};
use trajectory::Trajectory;

/// The tool that ends the turns.
const FINISH: &str = "finish";

/// The input that sets the number of turns for one call.
pub(super) const MAX_ITERS: &str = "max_iters";

/// How often a prompt that is too long is asked again, with a shorter trajectory.
const TRIES: usize = 3;

/// An agent: in each turn the model writes a thought, chooses a tool and is shown the result, until it calls `finish` or
/// `max_iters` turns are over; then the outputs are extracted from the trajectory. DSPy 3.4.1's `ReAct`.
///
/// ```
/// use lakelet::module::ReAct;
/// use lakelet::tool::ToolSpec;
/// use lakelet::{Signature, Value};
/// let args = serde_json::json!({"city": {"type": "string"}}).as_object().cloned().unwrap_or_default();
/// let weather = ToolSpec::new("weather", "The weather in a city.", args).does(|args| async move {
///     Ok(format!("It is sunny in {}.", args.get("city").and_then(Value::as_str).unwrap_or("all cities")).into())
/// });
/// let agent = ReAct::new(&Signature::parse("question -> answer")?, vec![weather])?;
/// # Ok::<(), lakelet::Error>(())
/// ```
///
/// The outputs stand behind a `trajectory`: a dict of `thought_0`, `tool_name_0`, `tool_args_0`, `observation_0` and so on.
/// An input `max_iters` sets the number of turns for one call. When the endpoint finds the prompt too long, the oldest turn
/// is dropped. What a tool fails with is shown to the model. A choice that cannot be read ends the call with that error.
pub struct ReAct {
    pub react: Predict,
    pub extract: ChainOfThought,
    /// The number of turns at most.
    pub max_iters: usize,
    tools: IndexMap<String, Rc<dyn Tool>>,
}

impl ReAct {
    /// An agent for `signature` with these tools, for 20 turns. Of two tools with one name the later counts; `finish` is the
    /// agent's own.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when the signature cannot take the fields of an agent.
    pub fn new(signature: &Signature, tools: Vec<Rc<dyn Tool>>) -> Result<Self> {
        let mut tools: IndexMap<String, Rc<dyn Tool>> =
            tools.into_iter().map(|tool| (tool.spec().name.clone(), tool)).collect();
        let outputs = names(signature.outputs());
        let desc = format!(
            "Marks the task as complete. That is, signals that all information for producing the outputs, i.e. {outputs}, are \
             now available to be extracted."
        );
        let finish = ToolSpec::new(FINISH, &desc, JsonMap::new()).does(|_| async { Ok("Completed.".into()) });
        tools.insert(FINISH.to_owned(), finish);

        let trajectory = Field::input("trajectory", Type::Str);
        let choices = tools.keys().map(|name| name.as_str().into()).collect();
        let mut fields: Vec<Field> = signature.inputs().cloned().collect();
        fields.extend([
            trajectory.clone(),
            Field::output("next_thought", Type::Str),
            Field::output("next_tool_name", Type::Literal(choices)),
            Field::output("next_tool_args", Type::Dict(Some(Box::new((Type::Str, Type::Any))))),
        ]);
        let react = Signature::from_fields(fields, Some(&instructions(signature, &outputs, &tools)))?;
        let extract = Signature::from_fields(signature.fields.to_vec(), Some(&signature.instructions))?;
        let extract = ChainOfThought::new(&extract.append(trajectory)?)?;
        Ok(Self { react: Predict::new(react), extract, max_iters: 20, tools })
    }

    async fn run(&self, run: &Run, mut inputs: Example) -> Result<Prediction> {
        let max_iters = take_max_iters(&mut inputs)?.unwrap_or(self.max_iters);
        let mut trajectory = Trajectory::default();
        let part = run.clone().part("react");
        for turn in 0..max_iters {
            let chosen = match ask(&self.react, &part, &inputs, &mut trajectory).await {
                Ok(prediction) => prediction.fields,
                Err(error) if error.kind() == ErrorKind::ContextWindow || is_value_error(&error) => break,
                Err(error) => return Err(error),
            };
            let tool = chosen.get("next_tool_name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let observation = match self.act(run, &tool, chosen.get("next_tool_args")).await {
                Ok(value) => value,
                Err(error) => failure(&tool, &error),
            };
            trajectory.push(turn, chosen, observation);
            if tool == FINISH {
                break;
            }
        }
        let extracted = ask(&self.extract.predict, &run.clone().part("extract"), &inputs, &mut trajectory).await?;
        let mut fields = Map::from_iter([("trajectory".to_owned(), Value::Dict(trajectory.into_steps()))]);
        fields.extend(extracted.fields);
        Ok(Prediction { fields, ..Prediction::default() })
    }

    async fn act(&self, run: &Run, tool: &str, args: Option<&Value>) -> Result<Value> {
        let tool = self.tools.get(tool).ok_or_else(|| {
            Error::new(ErrorKind::Input, format!("there is no tool `{tool}`")).with_python_class("KeyError")
        })?;
        let Some(Value::Dict(args)) = args else {
            let message = "the arguments of a tool must be an object";
            return Err(Error::new(ErrorKind::Input, message).with_python_class("TypeError"));
        };
        call_tool(run, &**tool, args.clone()).await
    }
}

/// Asks a predictor, with ever less of the trajectory when the prompt is too long.
async fn ask(predict: &Predict, run: &Run, inputs: &Example, trajectory: &mut Trajectory) -> Result<Prediction> {
    for _ in 0..TRIES {
        let text = predict.adapter().inputs_text(trajectory.steps())?;
        match predict.ask(run, inputs.clone().with("trajectory", text)).await {
            Err(error) if error.kind() == ErrorKind::ContextWindow => trajectory.drop_oldest()?,
            result => return result,
        }
    }
    Err(trajectory::too_long("The context window was exceeded even after 3 attempts to truncate the trajectory."))
}

fn instructions(signature: &Signature, outputs: &str, tools: &IndexMap<String, Rc<dyn Tool>>) -> String {
    let inputs = names(signature.inputs());
    let mut text = String::new();
    if !signature.instructions.is_empty() {
        text = [&*signature.instructions, "\n\n"].concat();
    }
    text += &format!(
        "You are an Agent. In each episode, you will be given the fields {inputs} as input. And you can see your past \
         trajectory so far.\n\
         Your goal is to use one or more of the supplied tools to collect any necessary information for producing {outputs}.\n\
         \n\
         To do this, you will interleave next_thought, next_tool_name, and next_tool_args in each turn, and also when \
         finishing the task.\n\
         After each tool call, you receive a resulting observation, which gets appended to your trajectory.\n\
         \n\
         When writing next_thought, you may reason about the current situation and plan for future steps.\n\
         When selecting the next_tool_name and its next_tool_args, the tool must be one of:\n\n"
    );
    for (number, tool) in (1..).zip(tools.values()) {
        text += &format!("({number}) {}\n", tool.spec().text());
    }
    text + "When providing `next_tool_args`, the value inside the field must be in JSON format"
}

/// `` `a`, `b` ``.
pub(super) fn names<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
    let names: Vec<String> = fields.map(|field| ["`", &field.name, "`"].concat()).collect();
    names.join(", ")
}

/// The number of turns that a call asks for.
pub(super) fn take_max_iters(inputs: &mut Example) -> Result<Option<usize>> {
    match inputs.fields.shift_remove(MAX_ITERS) {
        None => Ok(None),
        Some(Value::Int(turns)) => Ok(Some(usize::try_from(turns).unwrap_or(0))),
        Some(Value::Bool(one)) => Ok(Some(usize::from(one))),
        Some(_) => Err(Error::new(ErrorKind::Input, "the number of turns must be an integer")
            .at_field(MAX_ITERS)
            .with_python_class("TypeError")),
    }
}

impl Module for ReAct {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(recorded(run, "react", inputs, async |run, inputs| self.run(run, inputs.clone()).await))
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        let mut predictors = vec![("react".to_owned(), &self.react)];
        predictors.extend(at_path("extract", self.extract.predictors()));
        predictors
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        let mut predictors = vec![("react".to_owned(), &mut self.react)];
        predictors.extend(at_path("extract", self.extract.predictors_mut()));
        predictors
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        SubModule::tree("ReAct", &[("react", &self.react), ("extract", &self.extract)])
    }
}
