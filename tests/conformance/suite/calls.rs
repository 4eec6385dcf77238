//! Whole calls: what every request says, and what the replies come to.

use std::cell::Cell;
use std::rc::Rc;

use futures::executor::block_on;
use lakelet::run::{Event, Run, Services, Sink};
use lakelet::time::Clock;
use lakelet::value::{Map, Value};
use lakelet::{Error, Prediction, Result};
use serde_json::{Value as Json, json};

use super::callable::Program;
use super::compare::{same, same_error};
use super::scripted::ScriptedLm;
use super::{Outcome, cases};

/// A clock that stands still.
pub struct Stopped;

impl Clock for Stopped {
    fn now_ms(&self) -> f64 {
        0.0
    }

    fn sleep(&self, _ms: f64) -> futures::future::LocalBoxFuture<'static, ()> {
        Box::pin(futures::future::pending())
    }

    fn random(&self) -> f64 {
        0.5
    }
}

/// Runs a program twice, once with a listener, for which models stream. Both must do the same, save that nothing is asked
/// for again once the listener has seen a part of the reply.
pub fn call(input: &Json, expected: &Json) -> Outcome {
    let adapter = cases::adapter(&input["adapter"])?;
    for watched in [false, true] {
        let model = Rc::new(ScriptedLm::new(&input["lm"]));
        let services = Rc::new(Services::new(Rc::new(Stopped)).with_model("lm", model.clone()));
        let seen = Rc::new(Cell::new(false));
        let run = if watched { Run::watched(services, listener(&seen)) } else { Run::new(services) };
        let work = async {
            let types = cases::types(&input["typedefs"])?;
            let mut program = Program::build(&input["program"], &adapter, &types)?;
            program.set_demos(&input["demos"], &types)?;
            program.set_decision_settings(&input["fields"])?;
            let mut inputs = input["inputs"].clone();
            match (&program, input.get("args")) {
                (Program::Predict(predict), Some(_)) => return Err(predict.unnamed_inputs()),
                (_, Some(args)) => inputs["completions"] = args[0].clone(),
                (_, None) => {}
            }
            program.call(&run, &inputs, &types).await
        };
        let result = block_on(work);
        let calls = model.calls.borrow();
        // Of a stream without text nobody can say whether it was empty or absent, which the message tells.
        let is_empty = |error: &Error| watched && error.reply().is_some_and(|reply| reply.problem == "empty");
        let is_final = |error: &Error| seen.get() && error.reply().is_some() || is_empty(error);
        if result.as_ref().err().is_some_and(is_final) {
            return Ok(());
        }
        compare(&expected["ok"], &run, result, &calls).map_err(|reason| match watched {
            true => format!("watched: {reason}"),
            false => reason,
        })?;
    }
    Ok(())
}

/// Remembers whether it was told of a reply.
fn listener(seen: &Rc<Cell<bool>>) -> Sink {
    let seen = Rc::clone(seen);
    Rc::new(move |event| {
        if matches!(event, Event::Text { .. } | Event::Partial { .. } | Event::Value { .. }) {
            seen.set(true);
        }
    })
}

fn compare(expected: &Json, run: &Run, result: Result<Prediction>, calls: &[Json]) -> Outcome {
    let prediction = match (expected.get("error"), result) {
        (Some(_), Err(error)) if is_unbuilt(&error) => return Err(unexpected(&error)),
        (Some(expected), Err(error)) => {
            same_error(expected, &error)?;
            None
        }
        (Some(expected), Ok(_)) => return Err(format!("expected {}", expected["class"])),
        (None, Err(error)) => return Err(unexpected(&error)),
        (None, Ok(prediction)) => Some(prediction),
    };
    same(&sent(&expected["calls"]), &json!(calls)).map_err(|reason| format!("calls: {reason}"))?;
    let Some(prediction) = prediction else { return Ok(()) };
    same(&expected["outputs"], &cases::to_json(&Value::Dict(prediction.fields.clone())))?;
    if let Some(completions) = expected.get("completions") {
        same(completions, &columns(&prediction))?;
    }
    same(&expected["trace_length"], &json!(run.trace().len())).map_err(|reason| format!("trace: {reason}"))
}

fn unexpected(error: &Error) -> String {
    if is_unbuilt(error) { error.message().to_owned() } else { format!("unexpected error: {error}") }
}

fn is_unbuilt(error: &Error) -> bool {
    error.message().starts_with("not built")
}

/// The recorded calls, with structured-output models in the form in which they are sent.
pub fn sent(calls: &Json) -> Json {
    let mut calls = calls.clone();
    for call in calls.as_array_mut().into_iter().flatten() {
        if let Some(format) = call["kwargs"].get_mut("response_format").filter(|it| it.get("$response_model").is_some())
        {
            let (name, schema) = (format["$response_model"].clone(), format["strict_schema"].clone());
            *format = json!({
                "type": "json_schema",
                "json_schema": {"name": name, "schema": schema, "strict": true},
            });
        }
    }
    calls
}

/// The values of each field in all completions.
fn columns(prediction: &Prediction) -> Json {
    let all = || std::iter::once(&prediction.fields).chain(&prediction.others);
    let column = |name: &String| {
        let values: Vec<Json> = all().map(|fields: &Map| fields.get(name).map_or(Json::Null, cases::to_json)).collect();
        (name.clone(), Json::Array(values))
    };
    Json::Object(prediction.fields.keys().map(column).collect())
}
