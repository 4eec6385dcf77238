//! DSPy's saved programs: demos and instructions of predictors, as `program.save("x.json")` of DSPy 3.4.1 writes them.
//!
//! ```
//! use lakelet::{Pipeline, assistant, state};
//! let mut program = Pipeline::from_json(assistant::DATABRICKS_RAG)?;
//! let saved = state::dump(&program)?;
//! state::load(&mut program, &saved)?;
//! # Ok::<(), lakelet::Error>(())
//! ```

mod demo;
mod keepsakes;
mod lm;
mod part;

pub use keepsakes::Keepsakes;
pub use lm::SavedLm;
pub use part::Part;

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::json::{self, NotJson};
use crate::module::{Module, Predict, ROOT};
use crate::nearest::offer;
use crate::signature::Signature;

/// What DSPy writes beside the predictors.
const METADATA: &str = "metadata";

/// The dependencies whose versions DSPy notes.
const DEPENDENCIES: [(&str, &str); 3] = [("python", "3.11"), ("dspy", "3.4.1"), ("cloudpickle", "3.1")];

/// The state of a program as DSPy saves it: JSON, indented by two, with a line end. A predictor that is the whole program has
/// no name in it.
///
/// # Errors
/// [`State`](ErrorKind::State), when a demo holds a value that has no JSON form, or when the program holds a
/// [`Retrieve`](crate::module::Retrieve): DSPy 3.4.1 cannot save one.
pub fn dump(program: &dyn Module) -> Result<String> {
    if let Some((path, _)) = program.retrieves().first() {
        return Err(Error::new(ErrorKind::State, "DSPy cannot save a program that has a retriever for a part")
            .at_step(path)
            .with_hint("make the retriever when the program is called, or keep it outside of the program")
            .with_python_class("TypeError"));
    }
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
    let versions = DEPENDENCIES.map(|(name, version)| (name.to_owned(), version.into()));
    state.insert(METADATA.to_owned(), json!({"dependency_versions": JsonMap::from_iter(versions)}));
    let mut text = String::new();
    json::write_indented(&mut text, &Json::Object(state));
    text + "\n"
}

fn not_json(error: NotJson) -> Error {
    Error::new(ErrorKind::State, format!("the saved state is not JSON: {error}"))
}

fn dump_predict(predict: &Predict) -> Result<JsonMap<String, Json>> {
    let kept = predict.keepsakes();
    let mut state = JsonMap::from_iter([
        ("traces".to_owned(), kept.traces.clone()),
        ("train".to_owned(), kept.train.clone()),
        ("demos".to_owned(), predict.demos().iter().map(demo::dump).collect::<Result<_>>()?),
        ("signature".to_owned(), predict.signature().dump_state()),
    ]);
    if !predict.decision_settings().is_empty() {
        state.insert("fields".to_owned(), Json::Object(predict.decision_settings().clone()));
    }
    state.insert("lm".to_owned(), kept.lm.as_ref().map_or(Json::Null, SavedLm::dump));
    Ok(state)
}

/// Loads a saved state onto a program: all of it, or, when anything does not fit, nothing. Predictors are found by their
/// paths, entries for others are left alone. Of saved models (`lm`) it is kept what they are, but not where they are; the
/// host names the models that are asked.
///
/// # Errors
/// [`State`](ErrorKind::State), with the path of the predictor as the step.
pub fn load(program: &mut dyn Module, text: &str) -> Result<()> {
    load_from(program, text, false)
}

/// As [`load`], of a state whose author is trusted: the addresses of saved models are kept too, as with DSPy's
/// `allow_unsafe_lm_state=True`.
///
/// # Errors
/// As [`load`].
pub fn load_trusted(program: &mut dyn Module, text: &str) -> Result<()> {
    load_from(program, text, true)
}

fn load_from(program: &mut dyn Module, text: &str, trusted: bool) -> Result<()> {
    let state = json::read(text).map_err(not_json)?;
    check_metadata(&state)?;
    let saved = |path: &str| {
        let saved = if path == ROOT { Some(&state) } else { state.get(path) };
        saved.ok_or_else(|| {
            let known = state.as_object().into_iter().flat_map(|state| state.keys().map(String::as_str));
            missing(path).with_hint(offer(path, known.filter(|key| *key != METADATA)))
        })
    };
    let mut loaded = Vec::new();
    for (path, predict) in program.predictors() {
        loaded.push(Loaded::read(predict, saved(&path)?, trusted).map_err(|error| error.at_step(&path))?);
    }
    let mut sizes = Vec::new();
    for (path, _) in program.retrieves() {
        sizes.push(saved(&path)?.get("k").and_then(Json::as_u64).and_then(|k| u32::try_from(k).ok()));
    }
    for ((_, retrieve), k) in program.retrieves().into_iter().zip(sizes) {
        retrieve.set_k(k.unwrap_or(retrieve.k()));
    }
    for ((_, predict), loaded) in program.predictors_mut().into_iter().zip(loaded) {
        predict.set_signature(loaded.signature);
        predict.set_decision_settings(loaded.decision_settings)?;
        predict.set_demos(loaded.demos);
        predict.set_keepsakes(loaded.keepsakes);
    }
    Ok(())
}

/// Versions may differ, DSPy only warns; but it knows the names of all dependencies.
fn check_metadata(state: &Json) -> Result<()> {
    let metadata = state.get(METADATA).ok_or_else(|| missing(METADATA))?;
    let versions = metadata.get("dependency_versions").and_then(Json::as_object);
    let versions = versions.ok_or_else(|| missing("metadata.dependency_versions"))?;
    match versions.keys().find(|name| !DEPENDENCIES.iter().any(|(known, _)| known == name)) {
        Some(unknown) => Err(Error::new(ErrorKind::State, format!("the state depends on `{unknown}`"))
            .at_field("metadata.dependency_versions")
            .with_hint("save the program again with DSPy 3 or with Lakelet")
            .with_python_class("KeyError")),
        None => Ok(()),
    }
}

/// What becomes of one predictor.
struct Loaded {
    signature: Signature,
    decision_settings: JsonMap<String, Json>,
    demos: Vec<Example>,
    keepsakes: Keepsakes,
}

impl Loaded {
    /// In the order in which DSPy looks at a state.
    fn read(predict: &Predict, saved: &Json, trusted: bool) -> Result<Self> {
        let signature = predict.signature().load_state(saved.get("signature").ok_or_else(|| missing("signature"))?)?;
        let decision_settings = decision_settings(&signature, saved.get("fields"))?;
        let mut keepsakes = predict.keepsakes().clone();
        keepsakes.lm = match saved.get("lm").ok_or_else(|| missing("lm"))? {
            Json::Object(lm) => SavedLm::load(lm, trusted)?,
            _ => None,
        };
        if saved.get("extended_signature").is_some() {
            return Err(Error::new(ErrorKind::State, "the state was saved by DSPy 2.5 or older")
                .with_hint("load it with DSPy 3 in Python, and save it again")
                .with_python_class("NotImplementedError"));
        }
        let demos = match saved.get("demos") {
            None => predict.demos().to_vec(),
            Some(Json::Array(demos)) => demos.iter().map(demo::load).collect::<Result<_>>()?,
            Some(_) => return Err(Error::new(ErrorKind::State, "must be a list").at_field("demos")),
        };
        for (name, kept) in [("traces", &mut keepsakes.traces), ("train", &mut keepsakes.train)] {
            if let Some(saved) = saved.get(name) {
                kept.clone_from(saved);
            }
        }
        Ok(Self { signature, decision_settings, demos, keepsakes })
    }
}

/// The settings of decisions, which must fit the signature that is loaded with them.
fn decision_settings(signature: &Signature, saved: Option<&Json>) -> Result<JsonMap<String, Json>> {
    let settings = match saved {
        None => JsonMap::new(),
        Some(Json::Object(settings)) => settings.clone(),
        Some(_) => {
            let message = "Decision fields must be a mapping of output names to configuration.";
            return Err(Error::new(ErrorKind::State, message).at_field("fields").with_python_class("ValueError"));
        }
    };
    Predict::new(signature.clone())
        .set_decision_settings(settings.clone())
        .map_err(|error| error.at_field("fields"))?;
    Ok(settings)
}

fn missing(key: &str) -> Error {
    Error::new(ErrorKind::State, format!("the saved state has no `{key}`"))
        .at_field(key)
        .with_hint("save the program again with DSPy 3 or with Lakelet")
        .with_python_class("KeyError")
}
