//! Programs that cases call, built from their trees.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use futures::future::LocalBoxFuture;
use lakelet::adapter::Adapter;
use lakelet::interpreter::CodeInterpreter;
use lakelet::module::{Call, MultiChainComparison, ProgramOfThought, ReAct, ReActV2};
use lakelet::signature::{Field, Type, Types};
use lakelet::tool::Tool;
use lakelet::value::{Map, Value};
use lakelet::{ChainOfThought, Error, ErrorKind, Example, Module, Predict, Prediction, Result, Run};
use serde_json::{Value as Json, json};

use super::{cases, tools};

/// A program; the inputs of a bare predictor may hold settings of the call (`config`, `demos`, `signature`).
pub enum Program {
    Predict(Predict),
    ChainOfThought(ChainOfThought),
    Other(Box<dyn Module>),
}

impl Program {
    /// The program of a node, all of whose predictors speak through `adapter`.
    pub fn build(node: &Json, adapter: &Rc<dyn Adapter>, types: &Types) -> Result<Self> {
        let mut program = match node["kind"].as_str().unwrap_or_default() {
            "Predict" => Self::Predict(Predict::new(cases::signature(&node["signature"], types)?)),
            "ChainOfThought" => Self::ChainOfThought(chain_of_thought(node, types)?),
            "MultiChainComparison" => Self::Other(Box::new(multi_chain_comparison(node, types)?)),
            "ProgramOfThought" => Self::Other(Box::new(program_of_thought(node, types)?)),
            "ReAct" => Self::Other(Box::new(react(node, types)?)),
            "ReActV2" => Self::Other(Box::new(react_v2(node, types)?)),
            "Pipeline" => Self::Other(Box::new(Pipeline::build(node, adapter, types)?)),
            other => return Err(Error::new(ErrorKind::Unsupported, format!("not built: {other}"))),
        };
        let config = node["config"].as_object().cloned().unwrap_or_default();
        for (_, predictor) in program.module_mut().predictors_mut() {
            predictor.set_adapter(Rc::clone(adapter));
            let mut all = predictor.config().clone();
            all.extend(config.clone());
            predictor.set_config(all);
        }
        Ok(program)
    }

    pub fn module(&self) -> &dyn Module {
        match self {
            Self::Predict(predict) => predict,
            Self::ChainOfThought(cot) => cot,
            Self::Other(module) => &**module,
        }
    }

    pub fn into_module(self) -> Box<dyn Module> {
        match self {
            Self::Predict(predict) => Box::new(predict),
            Self::ChainOfThought(cot) => Box::new(cot),
            Self::Other(module) => module,
        }
    }

    pub fn module_mut(&mut self) -> &mut dyn Module {
        match self {
            Self::Predict(predict) => predict,
            Self::ChainOfThought(cot) => cot,
            Self::Other(module) => &mut **module,
        }
    }

    /// Gives predictors their demos, by path.
    pub fn set_demos(&mut self, demos: &Json, types: &Types) -> Result<()> {
        for (path, predictor) in self.module_mut().predictors_mut() {
            if let Some(demos) = demos[&path].as_array() {
                predictor.set_demos(demos.iter().map(|demo| cases::example(demo, types)).collect::<Result<_>>()?);
            }
        }
        Ok(())
    }

    /// Gives predictors their settings for decisions, by path.
    pub fn set_decision_settings(&mut self, settings: &Json) -> Result<()> {
        for (path, predictor) in self.module_mut().predictors_mut() {
            if let Some(settings) = settings[&path].as_object() {
                predictor.set_decision_settings(settings.clone())?;
            }
        }
        Ok(())
    }

    /// Calls the program with the inputs of a case.
    pub async fn call(&self, run: &Run, inputs: &Json, types: &Types) -> Result<Prediction> {
        match self {
            Self::Predict(predict) => predict.ask(run, call(inputs, types)?).await,
            Self::ChainOfThought(cot) => cot.predict.ask(run, call(inputs, types)?).await,
            Self::Other(module) => module.call(run, cases::example(inputs, types)?).await,
        }
    }
}

/// Inputs by name, among which Python's `Predict` finds its settings.
fn call(inputs: &Json, types: &Types) -> Result<Call> {
    let mut inputs = inputs.as_object().cloned().unwrap_or_default();
    let (config, demos, signature) =
        (inputs.shift_remove("config"), inputs.shift_remove("demos"), inputs.shift_remove("signature"));
    let mut call = Call::from(cases::example(&Json::Object(inputs), types)?);
    if let Some(Json::Object(config)) = config {
        call.config = config;
    }
    if let Some(Json::Array(demos)) = demos {
        call.demos = Some(demos.iter().map(|demo| cases::example(demo, types)).collect::<Result<_>>()?);
    }
    call.signature = signature.map(|signature| cases::signature(&signature, types)).transpose()?;
    Ok(call)
}

/// A `ChainOfThought`, whose reasoning may have another type or description.
pub fn chain_of_thought(node: &Json, types: &Types) -> Result<ChainOfThought> {
    let signature = cases::signature(&node["signature"], types)?;
    let field = &node["rationale_field"];
    let ty = field["type"].as_str().or_else(|| node["rationale_field_type"].as_str());
    let mut reasoning = Field::output("reasoning", ty.map_or(Ok(Type::Str), |ty| Type::parse(ty, types))?);
    if let Some(desc) = field["desc"].as_str() {
        reasoning = reasoning.with_desc(desc);
    }
    ChainOfThought::with_reasoning(&signature, reasoning)
}

pub fn multi_chain_comparison(node: &Json, types: &Types) -> Result<MultiChainComparison> {
    let m = node["M"].as_u64().map_or(3, |m| m as usize);
    let mut module = MultiChainComparison::new(&cases::signature(&node["signature"], types)?, m)?;
    if let Some(temperature) = node.get("temperature") {
        module.predict.set_config(json!({ "temperature": temperature }).as_object().cloned().unwrap_or_default());
    }
    Ok(module)
}

pub fn program_of_thought(node: &Json, types: &Types) -> Result<ProgramOfThought> {
    let mut module = ProgramOfThought::new(&cases::signature(&node["signature"], types)?)?;
    module.max_iters = node["max_iters"].as_u64().map_or(module.max_iters, |tries| tries as usize);
    let runs = node["interpreter"].as_array().cloned().unwrap_or_default();
    Ok(module.with_interpreter(Rc::new(ScriptedInterpreter { runs: RefCell::new(runs.into()) })))
}

/// Gives what a case says of each code in turn, which must be the very code that Python ran.
struct ScriptedInterpreter {
    runs: RefCell<VecDeque<Json>>,
}

impl CodeInterpreter for ScriptedInterpreter {
    fn execute<'a>(&'a self, code: &'a str) -> LocalBoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            let run = self.runs.borrow_mut().pop_front().unwrap_or_default();
            if run["code"] != code {
                return Err(Error::new(ErrorKind::Server, format!("ran {code:?} and not {}", run["code"])));
            }
            let kind = match run["raise"].as_str() {
                None => return Ok(Value::from(&run["output"])),
                Some("SyntaxError" | "CodeExecutionError") => ErrorKind::Code,
                Some(_) => ErrorKind::Server,
            };
            Err(Error::new(kind, run["message"].as_str().unwrap_or_default()).with_python_class("CodeInterpreterError"))
        })
    }
}

pub fn react(node: &Json, types: &Types) -> Result<ReAct> {
    let mut agent = ReAct::new(&cases::signature(&node["signature"], types)?, tools(node)?)?;
    agent.max_iters = node["max_iters"].as_u64().map_or(agent.max_iters, |turns| turns as usize);
    Ok(agent)
}

pub fn react_v2(node: &Json, types: &Types) -> Result<ReActV2> {
    let mut agent = ReActV2::new(&cases::signature(&node["signature"], types)?, tools(node)?)?;
    agent.max_iters = node["max_iters"].as_u64().map_or(agent.max_iters, |turns| turns as usize);
    Ok(agent)
}

fn tools(node: &Json) -> Result<Vec<Rc<dyn Tool>>> {
    node["tools"].as_array().into_iter().flatten().map(tools::tool).collect()
}

/// Runs its steps in order, and passes values on: `$in.x` is an input, `$name.x` an output of the step called `name`.
struct Pipeline {
    attributes: Vec<(String, Program)>,
    node: Json,
}

impl Pipeline {
    fn build(node: &Json, adapter: &Rc<dyn Adapter>, types: &Types) -> Result<Self> {
        let attributes = node["attrs"].as_array().into_iter().flatten().map(|attribute| {
            let name = attribute[0].as_str().unwrap_or_default().to_owned();
            Ok((name, Program::build(&attribute[1], adapter, types)?))
        });
        Ok(Self { attributes: attributes.collect::<Result<_>>()?, node: node.clone() })
    }

    async fn run(&self, run: &Run, inputs: Example) -> Result<Prediction> {
        let mut known = HashMap::from([("in".to_owned(), inputs.fields)]);
        for step in self.node["steps"].as_array().into_iter().flatten() {
            let attribute = self.attributes.iter().find(|(name, _)| step["call"] == name.as_str());
            let (_, program) = attribute.ok_or_else(|| Error::new(ErrorKind::Input, "no such attribute"))?;
            let prediction = program.module().call(run, wired(&step["inputs"], &known).into()).await?;
            known.insert(step["as"].as_str().unwrap_or_default().to_owned(), prediction.fields);
        }
        Ok(Prediction { fields: wired(&self.node["outputs"], &known), ..Prediction::default() })
    }
}

/// Values by name, with references in them followed.
fn wired(wires: &Json, known: &HashMap<String, Map>) -> Map {
    let value = |wire: &Json| {
        let path = wire.as_str().and_then(|text| text.strip_prefix('$')?.split_once('.'));
        match path {
            Some((step, field)) => known.get(step).and_then(|fields| fields.get(field)).cloned().unwrap_or(Value::None),
            None => Value::from(wire),
        }
    };
    wires.as_object().into_iter().flatten().map(|(name, wire)| (name.clone(), value(wire))).collect()
}

impl Module for Pipeline {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(self.run(run, inputs))
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        let mut all = Vec::new();
        for (name, program) in &self.attributes {
            let inside = program.module().predictors();
            all.extend(inside.into_iter().map(|(path, predictor)| (nested(name, path), predictor)));
        }
        all
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        let mut all = Vec::new();
        for (name, program) in &mut self.attributes {
            let inside = program.module_mut().predictors_mut();
            all.extend(inside.into_iter().map(|(path, predictor)| (nested(name, path), predictor)));
        }
        all
    }
}

/// The path of a predictor inside an attribute.
fn nested(name: &str, path: String) -> String {
    if path == "self" { name.to_owned() } else { format!("{name}.{path}") }
}
