//! Evaluations: scores, failures, limits.

use std::rc::Rc;

use futures::executor::block_on;
use lakelet::evaluate::Evaluation;
use lakelet::metric::{Metric, answer_exact_match, f1};
use lakelet::python::str_of;
use lakelet::run::{Run, Services, Span};
use lakelet::signature::Types;
use lakelet::{Error, ErrorKind, Evaluate, Example, Prediction, Result, Value};
use serde_json::{Value as Json, json};

use super::callable::Program;
use super::calls::Stopped;
use super::compare::check;
use super::scripted::ScriptedLm;
use super::{Outcome, cases};

pub fn evaluate(input: &Json, expected: &Json) -> Outcome {
    let adapter = cases::adapter(&input["adapter"])?;
    let work = || {
        let types = cases::types(&input["typedefs"])?;
        let program = Program::build(&input["program"], &adapter, &types)?;
        let examples = input["devset"].as_array().into_iter().flatten().map(|given| example(given, &types));
        let devset = examples.collect::<Result<Vec<_>>>()?;
        let metric = metric(&input["metric"]);
        let lm = Rc::new(ScriptedLm::new(&input["lm"]));
        let run = Run::new(Rc::new(Services::new(Rc::new(Stopped)).with_model("lm", lm)));
        let evaluation = block_on(evaluation(&input["options"]).run(&run, program.module(), &devset, &metric, |_| ()))?;
        Ok(json!({"score": evaluation.score, "results": results(&input["devset"], &evaluation)}))
    };
    check(expected, work())
}

fn evaluation(options: &Json) -> Evaluate {
    let mut evaluate = Evaluate::default();
    evaluate.failure_score = options["failure_score"].as_f64().unwrap_or(evaluate.failure_score);
    if let Some(max_errors) = options["max_errors"].as_u64() {
        evaluate.parallel.max_errors = max_errors as usize;
    }
    evaluate
}

/// An example as the cases of evaluations and optimizers give it: `{"fields", "inputs"}`.
pub fn example(given: &Json, types: &Types) -> Result<Example> {
    let example = cases::example(&given["fields"], types)?;
    let inputs: Vec<&str> = given["inputs"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    Ok(example.with_inputs(&inputs))
}

/// The metric of a case of evaluations or optimizers.
pub fn metric(metric: &Json) -> impl Metric + use<> {
    let metric = metric.clone();
    move |example: &Example, prediction: &Prediction, trace: Option<&[Rc<Span>]>| {
        score(&metric, example, prediction, trace.is_some())
    }
}

fn score(metric: &Json, example: &Example, prediction: &Prediction, has_trace: bool) -> Result<Value> {
    let name = |key: &str| metric[key].as_str().unwrap_or_default();
    let is_equal = || example.get(name("field")) == prediction.get(name("field"));
    let is_named =
        |value: &Json| value.is_string() && example.get(name("by")).and_then(Value::as_str) == value.as_str();
    match name("kind") {
        "exact" => Ok(is_equal().into()),
        "trace_aware" => Ok(if has_trace { is_equal().into() } else { 0.4.into() }),
        "answer_exact_match" => {
            Ok(answer_exact_match(example, prediction, metric["frac"].as_f64().unwrap_or(1.0))?.into())
        }
        "f1" => {
            let text = prediction.get(name("field")).and_then(Value::as_str).unwrap_or_default();
            f1(text, &Value::List(example.get(name("field")).cloned().into_iter().collect()))
        }
        "prediction" => {
            let score = if is_equal() { 1.0 } else { 0.25 };
            let wanted = example.get(name("field")).map(str_of).unwrap_or_default();
            let fields = [("score", Value::from(score)), ("feedback", format!("Expected {wanted}.").into())];
            Ok(Value::Dict(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
        }
        "raise_on" => {
            match is_named(&metric["value"]) || metric["values"].as_array().into_iter().flatten().any(is_named) {
                true => Err(Error::new(ErrorKind::Input, "the metric fails").with_python_class("ValueError")),
                false => Ok(f64::from(u8::from(is_equal())).into()),
            }
        }
        "always" => Ok(Value::from(&metric["value"])),
        "table" => {
            let by = example.get(name("by")).and_then(Value::as_str).unwrap_or_default();
            Ok(Value::from(metric["values"].get(by).unwrap_or(&metric["default"])))
        }
        other => Err(Error::new(ErrorKind::Unsupported, format!("not built: {other}"))),
    }
}

fn results(devset: &Json, evaluation: &Evaluation) -> Json {
    let rows = devset.as_array().into_iter().flatten().zip(&evaluation.rows);
    rows.map(|(given, row)| {
        json!({
            "example": {"$example": given["fields"], "inputs": given["inputs"]},
            "prediction": cases::to_json(&Value::Dict(row.prediction.fields.clone())),
            "score": cases::to_json(&row.score),
        })
    })
    .collect()
}
