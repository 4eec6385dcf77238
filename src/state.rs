//! DSPy's saved programs: demos and instructions of predictors, as `program.save("x.json")` of DSPy 3.4.1 writes them.
//!
//! ```
//! use lakelet::{Pipeline, assistant, state};
//! let mut program = Pipeline::from_json(assistant::DATABRICKS_RAG)?;
//! let saved = state::dump(&program)?;
//! state::load(&mut program, &saved)?;
//! # Ok::<(), lakelet::Error>(())
//! ```

mod part;

pub use part::Part;

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::adapter::{JsonStyle, write_json};
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::json::{self, NotJson};
use crate::module::{Module, Predict, ROOT};
use crate::nearest::offer;
use crate::signature::Signature;
use crate::value::{Map, Value};

/// What DSPy writes beside the predictors.
const METADATA: &str = "metadata";

/// The state of a program as DSPy saves it: JSON, indented by two, with a line end. A predictor that is the whole program has
/// no name in it.
///
/// # Errors
/// [`State`](ErrorKind::State), when a demo holds a value that has no JSON form.
pub fn dump(program: &dyn Module) -> Result<String> {
    let mut state = JsonMap::new();
    for (path, predict) in program.predictors() {
        let saved = dump_predict(predict).map_err(|error| error.at_step(&path))?;
        if path == ROOT { state.extend(saved) } else { _ = state.insert(path, Json::Object(saved)) }
    }
    Ok(write(state))
}

/// The state of a program, of the states of its [parts](Part).
///
/// # Errors
/// [`State`](ErrorKind::State), when a text is no JSON object.
pub fn join(parts: &[String]) -> Result<String> {
    let mut state = JsonMap::new();
    for part in parts {
        let Json::Object(part) = json::read(part).map_err(not_json)? else {
            return Err(Error::new(ErrorKind::State, "the saved state of a part is not an object"));
        };
        state.extend(part.into_iter().filter(|(name, _)| name != METADATA));
    }
    Ok(write(state))
}

fn write(mut state: JsonMap<String, Json>) -> String {
    state.insert(
        METADATA.to_owned(),
        json!({"dependency_versions": {"python": "3.11", "dspy": "3.4.1", "cloudpickle": "3.1"}}),
    );
    let mut text = String::new();
    write_json(&mut text, &Value::from(&Json::Object(state)), JsonStyle::Indented);
    text + "\n"
}

fn not_json(error: NotJson) -> Error {
    Error::new(ErrorKind::State, format!("the saved state is not JSON: {error}"))
}

fn dump_predict(predict: &Predict) -> Result<JsonMap<String, Json>> {
    let demos = predict.demos().iter().map(|demo| {
        let field = |(name, value): (&String, &Value)| {
            let mut text = String::new();
            write_json(&mut text, value, JsonStyle::OneLine);
            let json = json::read(&text).map_err(|error| {
                Error::new(ErrorKind::State, format!("the demo cannot be saved: {error}")).at_field(name)
            })?;
            Ok((name.clone(), json))
        };
        Ok(Json::Object(demo.fields.iter().map(field).collect::<Result<_>>()?))
    });
    let demos: Vec<Json> = demos.collect::<Result<_>>()?;
    let mut state = JsonMap::new();
    state.insert("traces".to_owned(), json!([]));
    state.insert("train".to_owned(), json!([]));
    state.insert("demos".to_owned(), Json::Array(demos));
    state.insert("signature".to_owned(), predict.signature().dump_state());
    state.insert("lm".to_owned(), Json::Null);
    Ok(state)
}

/// Loads a saved state onto a program: all of it, or, when anything does not fit, nothing. Predictors are found by their
/// paths, entries for others are left alone. Saved models (`lm`) are not taken over: the host names the models.
///
/// # Errors
/// [`State`](ErrorKind::State), with the path of the predictor as the step.
pub fn load(program: &mut dyn Module, text: &str) -> Result<()> {
    let state = json::read(text).map_err(not_json)?;
    if !state.pointer("/metadata/dependency_versions").is_some_and(Json::is_object) {
        return Err(missing("metadata.dependency_versions"));
    }
    let mut loaded: Vec<(Signature, Vec<Example>)> = Vec::new();
    for (path, predict) in program.predictors() {
        let saved = if path == ROOT { Some(&state) } else { state.get(&path) };
        let saved = saved.ok_or_else(|| {
            let known = state.as_object().into_iter().flat_map(|state| state.keys().map(String::as_str));
            missing(&path).with_hint(offer(&path, known.filter(|key| *key != METADATA)))
        })?;
        loaded.push(load_predict(predict, saved).map_err(|error| error.at_step(&path))?);
    }
    for ((_, predict), (signature, demos)) in program.predictors_mut().into_iter().zip(loaded) {
        predict.set_signature(signature);
        predict.set_demos(demos);
    }
    Ok(())
}

fn load_predict(predict: &Predict, saved: &Json) -> Result<(Signature, Vec<Example>)> {
    if saved.get("extended_signature").is_some() {
        return Err(Error::new(ErrorKind::State, "the state was saved by DSPy 2.5 or older")
            .with_hint("load it with DSPy 3 in Python, and save it again")
            .with_python_class("NotImplementedError"));
    }
    let signature = saved.get("signature").ok_or_else(|| missing("signature"))?;
    saved.get("lm").ok_or_else(|| missing("lm"))?;
    let demos = match saved.get("demos") {
        None => predict.demos().to_vec(),
        Some(Json::Array(demos)) => demos.iter().map(read_demo).collect::<Result<_>>()?,
        Some(_) => return Err(Error::new(ErrorKind::State, "must be a list").at_field("demos")),
    };
    Ok((predict.signature().load_state(signature)?, demos))
}

fn read_demo(demo: &Json) -> Result<Example> {
    let fields =
        demo.as_object().ok_or_else(|| Error::new(ErrorKind::State, "a demo must be an object").at_field("demos"))?;
    Ok(Example::from(fields.iter().map(|(name, json)| (name.clone(), json.into())).collect::<Map>()))
}

fn missing(key: &str) -> Error {
    Error::new(ErrorKind::State, format!("the saved state has no `{key}`"))
        .at_field(key)
        .with_hint("save the program again with DSPy 3 or with Lakelet")
        .with_python_class("KeyError")
}
