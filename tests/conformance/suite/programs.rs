//! Programs: module trees, their paths and their saved states.

use std::collections::HashMap;

use lakelet::Error;
use lakelet::module::{Composite, Module, Predict, Retrieve, Slot};
use lakelet::signature::Types;
use serde_json::{Value as Json, json};

use super::compare::check;
use super::{Outcome, callable, cases};

/// A program that is not built, or an error that the case may expect.
pub enum Problem {
    NotBuilt(String),
    Failed(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Problem {
    pub fn outcome(self, expected: &Json) -> Outcome {
        match self {
            Self::NotBuilt(what) => Err(format!("not built: {what}")),
            Self::Failed(error) => check(expected, Err(error)),
        }
    }
}

/// The program of a case.
pub fn program(node: &Json, types: &Types) -> Result<Box<dyn Module>, Problem> {
    if node["attrs"].is_null() { module(node, types) } else { Ok(Box::new(composite(node, types)?)) }
}

fn composite(node: &Json, types: &Types) -> Result<Composite, Problem> {
    let mut tree = Composite::default();
    for (name, slot) in attributes(node, types, &mut tree, &mut HashMap::new())? {
        tree.set(&name, slot);
    }
    Ok(tree)
}

type Shared = HashMap<String, Slot>;

fn attributes(
    node: &Json,
    types: &Types,
    tree: &mut Composite,
    shared: &mut Shared,
) -> Result<Vec<(String, Slot)>, Problem> {
    let mut attributes = Vec::new();
    for entry in node["attrs"].as_array().into_iter().flatten() {
        attributes.push((entry[0].as_str().unwrap_or_default().to_owned(), part(&entry[1], types, tree, shared)?));
    }
    Ok(attributes)
}

fn part(node: &Json, types: &Types, tree: &mut Composite, shared: &mut Shared) -> Result<Slot, Problem> {
    let items = || node["items"].as_array().into_iter().flatten();
    let slot = match node["kind"].as_str().unwrap_or_default() {
        "value" => tree.dict(Vec::new()), // takes a place in lists, and is seen nowhere
        "ref" => return Ok(shared[node["id"].as_str().unwrap_or_default()]),
        "Module" => {
            let attributes = attributes(node, types, tree, shared)?;
            tree.group(attributes)
        }
        "list" | "tuple" => {
            let mut slots = Vec::new();
            for item in items() {
                slots.push(part(item, types, tree, shared)?);
            }
            tree.list(slots)
        }
        "dict" => {
            let mut slots = Vec::new();
            for item in items() {
                slots.push((item[0].as_str().unwrap_or_default().to_owned(), part(&item[1], types, tree, shared)?));
            }
            tree.dict(slots)
        }
        _ => {
            let module = module(node, types)?;
            tree.add(module)
        }
    };
    if node["compiled"] == true {
        tree.freeze(slot);
    }
    if let Some(id) = node["id"].as_str() {
        shared.insert(id.to_owned(), slot);
    }
    Ok(slot)
}

fn module(node: &Json, types: &Types) -> Result<Box<dyn Module>, Problem> {
    let signature = || cases::signature(&node["signature"], types);
    Ok(match node["kind"].as_str().unwrap_or_default() {
        "Predict" => Box::new(Predict::new(signature()?)),
        "ChainOfThought" => Box::new(callable::chain_of_thought(node, types)?),
        "MultiChainComparison" => Box::new(callable::multi_chain_comparison(node, types)?),
        "ProgramOfThought" => Box::new(callable::program_of_thought(node, types)?),
        "ReAct" => Box::new(callable::react(node, types)?),
        "ReActV2" => Box::new(callable::react_v2(node, types)?),
        "Retrieve" => Box::new(Retrieve::new(node["k"].as_u64().unwrap_or(3) as u32)),
        other => return Err(Problem::NotBuilt(other.to_owned())),
    })
}

pub fn traverse(input: &Json, expected: &Json) -> Outcome {
    let (program, types) = (&input["program"], Types::new());
    let described = match program["attrs"] {
        Json::Null => module(program, &types).map(|module| paths(&*module, names(module.predictors()))),
        _ => composite(program, &types).map(|tree| paths(&tree, tree.parameters())),
    };
    match described {
        Ok(described) => check(expected, Ok(described)),
        Err(problem) => problem.outcome(expected),
    }
}

fn paths(program: &dyn Module, parameters: Vec<String>) -> Json {
    let modules = program.sub_modules();
    json!({
        "named_predictors": names(program.predictors()),
        "named_parameters": parameters,
        "named_sub_modules": modules.iter().map(|module| json!([module.path, module.class])).collect::<Vec<_>>(),
    })
}

fn names<T>(named: Vec<(String, T)>) -> Vec<String> {
    named.into_iter().map(|(name, _)| name).collect()
}
