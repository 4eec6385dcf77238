//! Modules that call for more than inputs: rewards, examples to reflect on.

use std::cell::Cell;
use std::rc::Rc;

use futures::executor::block_on;
use lakelet::module::{BestOfN, Refine, Reward, Tries};
use lakelet::optimize::gepa::{InstructionProposer, ProposerOptions};
use lakelet::run::{Run, Services};
use lakelet::value::{Map, Value};
use lakelet::{Error, ErrorKind, Example, Module, Prediction, Result};
use serde_json::{Value as Json, json};

use super::callable::Program;
use super::calls::{Stopped, sent};
use super::compare::{check, same};
use super::scripted::ScriptedLm;
use super::{Outcome, cases};

/// A run with the case's model.
fn stage(input: &Json) -> (Run, Rc<ScriptedLm>) {
    let model = Rc::new(ScriptedLm::new(&input["lm"]));
    (Run::new(Rc::new(Services::new(Rc::new(Stopped)).with_model("lm", model.clone()))), model)
}

/// Gives the rewards of a case in turn; what is no number is raised.
fn rewards(input: &Json) -> Rc<dyn Reward> {
    let (rewards, given) = (input["rewards"].clone(), Cell::new(0));
    Rc::new(move |_: &Example, _: &Prediction| {
        let reward = &rewards[given.replace(given.get() + 1)];
        reward.as_f64().ok_or_else(|| {
            let class = reward["raise"].as_str().unwrap_or("IndexError").to_owned();
            let message = reward["message"].as_str().unwrap_or_default();
            Error::new(ErrorKind::Input, message).with_python_class(class.leak())
        })
    })
}

/// Python takes 0 for the number of tries.
fn allow(tries: &mut Tries, input: &Json) {
    if let Some(fail_count) = input["fail_count"].as_u64().filter(|count| *count > 0) {
        tries.fail_count = fail_count as usize;
    }
}

fn program(input: &Json) -> Result<Box<dyn Module>> {
    let adapter = cases::adapter(&input["adapter"]).map_err(|reason| Error::new(ErrorKind::Unsupported, reason))?;
    Ok(Program::build(&input["program"], &adapter, &cases::types(&input["typedefs"])?)?.into_module())
}

fn call(module: &dyn Module, input: &Json, expected: &Json, only_kwargs: bool) -> Outcome {
    let (run, model) = stage(input);
    let result = cases::types(&input["typedefs"])
        .and_then(|types| cases::example(&input["inputs"], &types))
        .and_then(|inputs| block_on(module.call(&run, inputs)));
    let mut calls = json!(*model.calls.borrow());
    for call in calls.as_array_mut().into_iter().flatten().filter(|_| only_kwargs) {
        *call = json!({"kwargs": call["kwargs"]});
    }
    let Some(expected_result) = expected.get("ok") else { return check(expected, result.map(|_| Json::Null)) };
    same(&sent(&expected_result["calls"]), &calls).map_err(|reason| format!("calls: {reason}"))?;
    // Where no try came to anything, Python gives `None`, and Lakelet the last error.
    let outputs = match result {
        Ok(prediction) => cases::to_json(&Value::Dict(prediction.fields)),
        Err(error) if expected_result["outputs"].is_null() && error.kind() != ErrorKind::Unsupported => Json::Null,
        Err(error) => return Err(format!("unexpected error: {error}")),
    };
    same(&expected_result["outputs"], &outputs)?;
    same(&expected_result["trace_length"], &json!(run.trace().len())).map_err(|reason| format!("trace: {reason}"))
}

pub fn best_of_n(input: &Json, expected: &Json) -> Outcome {
    let threshold = input["threshold"].as_f64().ok_or("no threshold")?;
    let n = input["N"].as_u64().ok_or("no N")? as usize;
    let module = program(input).map_err(|error| error.to_string())?;
    let mut best = BestOfN::new(module, n, rewards(input), threshold);
    allow(&mut best.tries, input);
    call(&best, input, expected, true)
}

/// The case says what stands in the place of source code.
pub fn refine(input: &Json, expected: &Json) -> Outcome {
    let threshold = input["threshold"].as_f64().ok_or("no threshold")?;
    let n = input["N"].as_u64().ok_or("no N")? as usize;
    let refine = program(input).and_then(|module| Refine::new(module, n, rewards(input), threshold));
    let mut refine = refine.map_err(|error| error.to_string())?;
    refine.program_code = input["program_code"].as_str().map(str::to_owned);
    refine.reward_code = input["reward_code"].as_str().unwrap_or_default().to_owned();
    refine.adviser.set_adapter(cases::adapter(&input["adapter"])?);
    allow(&mut refine.tries, input);
    call(&refine, input, expected, false)
}

pub fn gepa_proposal(input: &Json, expected: &Json) -> Outcome {
    let (run, model) = stage(input);
    let result = propose(input, &run).map(|proposals| json!({"proposals": proposals, "calls": *model.calls.borrow()}));
    let mut expected = expected.clone();
    if let Some(calls) = expected.pointer_mut("/ok/calls") {
        *calls = sent(calls);
    }
    check(&expected, result)
}

fn propose(input: &Json, run: &Run) -> Result<serde_json::Map<String, Json>> {
    let types = cases::types(&input["typedefs"])?;
    let texts = |json: &Json| match json {
        Json::Array(texts) => texts.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        text => text.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>(),
    };
    let options = &input["options"];
    let proposer = InstructionProposer::new(ProposerOptions {
        skills: texts(&options["skills"]),
        additional_instructions: options["additional_instructions"].as_str().map(str::to_owned),
        base_instructions: options["base_instructions"].as_str().map(str::to_owned),
        max_chars: options["max_chars"].as_u64().map(|max_chars| max_chars as usize),
        truncate_history_outputs: options["truncate_history_outputs"] == true,
    })?;
    let members = |json: &Json| json.as_object().cloned().unwrap_or_default();
    let present = members(&input["candidate"]).into_iter();
    let present = present.map(|(name, text)| (name, text.as_str().unwrap_or_default().to_owned())).collect();
    let examples = |json: &Json| -> Result<Vec<Map>> {
        json.as_array().into_iter().flatten().map(|one| Ok(cases::example(one, &types)?.fields)).collect()
    };
    let dataset = members(&input["reflective_dataset"]).into_iter();
    let dataset = dataset.map(|(name, json)| Ok((name, examples(&json)?))).collect::<Result<_>>()?;
    let proposals = block_on(proposer.call(run, &present, &dataset, &texts(&input["components"])))?;
    Ok(proposals.into_iter().map(|(name, text)| (name, text.into())).collect())
}
