//! Metrics: values in, a value out.

use wasm_bindgen::prelude::*;

use super::errors::thrown;
use super::options::Options;
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::metric;
use crate::report;
use crate::value::{Map, Value};

/// The metric of that name, as JSON text, of the options in the buffer.
#[wasm_bindgen]
pub fn measure(name: &str, length: usize) -> std::result::Result<String, JsValue> {
    Options::read(length)
        .and_then(|given| measured(name, &given))
        .map(|it| report::value(&it))
        .map_err(|it| thrown(&it))
}

fn measured(name: &str, given: &Options) -> Result<Value> {
    let record = |name: &str| Ok::<_, Error>(given.object(name)?.cloned().unwrap_or_default());
    let example = || Ok::<_, Error>(Example::from(record("example")?));
    let prediction = || Ok::<_, Error>(Prediction::from(record("prediction")?));
    let text = |name: &str| Ok::<_, Error>(given.text(name)?.unwrap_or_default());
    let answers = given.value("answers").unwrap_or(&Value::None);
    Ok(match name {
        "answerExactMatch" => {
            metric::answer_exact_match(&example()?, &prediction()?, given.number("frac")?.unwrap_or(1.0))?.into()
        }
        "answerPassageMatch" => metric::answer_passage_match(&example()?, &prediction()?)?.into(),
        "exactMatch" => metric::exact_match(text("prediction")?, answers)?.into(),
        "f1" => metric::f1(text("prediction")?, answers)?,
        "hotPotF1" => metric::hot_pot_f1(text("prediction")?, answers)?,
        "precisionScore" => metric::precision_score(text("prediction")?, text("answer")?),
        "normalizeText" => metric::normalize_text(text("text")?).into(),
        "majority" => {
            let completions = given.list("completions")?.iter().map(fields).collect::<Result<Vec<Map>>>()?;
            Value::Dict(metric::majority(&completions, given.text("field")?)?.fields)
        }
        other => return Err(Error::new(ErrorKind::Unsupported, format!("no metric is called {other}"))),
    })
}

fn fields(completion: &Value) -> Result<Map> {
    match completion {
        Value::Dict(fields) => Ok(fields.clone()),
        _ => Err(Error::new(ErrorKind::Input, "a completion must be an object")),
    }
}
