//! Saved states of programs.

use lakelet::module::{Module, Predict};
use lakelet::signature::Types;
use lakelet::state::{self, SavedLm};
use lakelet::{Error, ErrorKind, Result, Value};
use serde_json::{Value as Json, json};

use super::compare::check;
use super::programs::program;
use super::{Outcome, cases};

pub fn save(input: &Json, expected: &Json) -> Outcome {
    let types = match cases::types(&input["typedefs"]) {
        Ok(types) => types,
        Err(error) => return check(expected, Err(error)),
    };
    let mut program = match program(&input["program"], &types) {
        Ok(program) => program,
        Err(problem) => return problem.outcome(expected),
    };
    let mut run = || {
        for (path, changes) in input["set"].as_object().into_iter().flatten() {
            set(find(&mut *program, path)?, changes, &types)?;
        }
        Ok(json!({"text": state::dump(&*program)?}))
    };
    check(expected, run())
}

fn set(predict: &mut Predict, changes: &Json, types: &Types) -> Result<()> {
    let mut signature = predict.signature().clone();
    if let Some(instructions) = changes["instructions"].as_str() {
        signature = signature.with_instructions(instructions)?;
    }
    for (name, update) in changes["field_updates"].as_object().into_iter().flatten() {
        signature = signature.with_updated_field(name, |field| {
            let given = |key: &str| update[key].as_str().map(str::to_owned);
            field.desc = given("desc").unwrap_or_else(|| field.desc.clone());
            field.prefix = given("prefix").unwrap_or_else(|| field.prefix.clone());
        })?;
    }
    predict.set_signature(signature);
    if let Some(demos) = changes["demos"].as_array() {
        predict.set_demos(demos.iter().map(|demo| cases::example(demo, types)).collect::<Result<_>>()?);
    }
    if let Some(lm) = changes["lm"].as_object() {
        let mut keepsakes = predict.keepsakes().clone();
        keepsakes.lm = Some(SavedLm::new(lm)?);
        predict.set_keepsakes(keepsakes);
    }
    Ok(())
}

pub fn load(input: &Json, expected: &Json) -> Outcome {
    let types = match cases::types(&input["typedefs"]) {
        Ok(types) => types,
        Err(error) => return check(expected, Err(error)),
    };
    let mut program = match program(&input["program"], &types) {
        Ok(program) => program,
        Err(problem) => return problem.outcome(expected),
    };
    for (_, predict) in program.predictors_mut() {
        predict.set_adapter(cases::adapter(&input["adapter"])?);
    }
    let text = input["text"].as_str().map_or_else(|| input["state"].to_string(), str::to_owned);
    let mut run = || {
        if input["allow_unsafe_lm_state"] == true {
            state::load_trusted(&mut *program, &text)?;
        } else {
            state::load(&mut *program, &text)?;
        }
        let mut calls = Vec::new();
        for call in input["calls"].as_array().into_iter().flatten() {
            let path = call["predictor"].as_str().unwrap_or_default();
            let mut messages = String::new();
            let inputs = cases::example(&call["inputs"], &types)?;
            find(&mut *program, path)?.prompt(&inputs)?.write_json(&mut messages);
            calls.push(json!({"predictor": path, "messages": read(&messages)}));
        }
        let predictors: Vec<Json> = program.predictors().iter().map(|(path, it)| describe(path, it)).collect();
        Ok(json!({"predictors": predictors, "calls": calls, "resaved": read(&state::dump(&*program)?)}))
    };
    check(expected, run())
}

fn find<'a>(program: &'a mut dyn Module, path: &str) -> Result<&'a mut Predict> {
    let found = program.predictors_mut().into_iter().find(|(name, _)| name == path);
    found.map(|(_, predict)| predict).ok_or_else(|| Error::new(ErrorKind::State, format!("no predictor {path}")))
}

fn describe(path: &str, predict: &Predict) -> Json {
    let signature = predict.signature().dump_state();
    let demos = predict.demos().iter().map(|demo| cases::to_json(&Value::Dict(demo.fields.clone())));
    let lm = predict.keepsakes().lm.as_ref();
    json!({
        "name": path,
        "demos": demos.collect::<Vec<_>>(),
        "instructions": signature["instructions"],
        "fields": signature["fields"],
        "lm": lm.map(|lm| json!({"model": lm.model, "kwargs": lm.kwargs})),
    })
}

fn read(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|problem| json!(problem.to_string()))
}
