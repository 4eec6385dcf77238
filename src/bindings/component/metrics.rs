//! Metrics.

use super::Library;
use super::errors::{Result, outward};
use super::fields::{example, fields};
use super::wit::metrics;
use super::wit::programs::{RunOptions, WorkspaceBorrow};
use super::workspace::Workspace;
use crate::example::Prediction;
use crate::metric::{self, CompleteAndGrounded, SemanticF1};
use crate::platform::wasi::block_on;
use crate::report;
use crate::value::{Map, Value};

impl metrics::Guest for Library {
    fn normalize_text(text: String) -> String {
        metric::normalize_text(&text)
    }

    fn exact_match(prediction: String, answers: Vec<String>) -> Result<bool> {
        metric::exact_match(&prediction, &list(answers)).map_err(outward)
    }

    fn f1(prediction: String, answers: Vec<String>) -> Result<f64> {
        metric::f1(&prediction, &list(answers)).map(score).map_err(outward)
    }

    fn hot_pot_f1(prediction: String, answers: Vec<String>) -> Result<f64> {
        metric::hot_pot_f1(&prediction, &list(answers)).map(score).map_err(outward)
    }

    fn precision_score(prediction: String, answer: String) -> f64 {
        score(metric::precision_score(&prediction, &answer))
    }

    fn answer_exact_match(example: String, prediction: String, frac: f64) -> Result<bool> {
        let measure =
            || metric::answer_exact_match(&self::example("example", &example)?, &predicted(&prediction)?, frac);
        measure().map_err(outward)
    }

    fn answer_passage_match(example: String, prediction: String) -> Result<bool> {
        let measure = || metric::answer_passage_match(&self::example("example", &example)?, &predicted(&prediction)?);
        measure().map_err(outward)
    }

    fn majority(completions: Vec<String>, field: Option<String>) -> Result<String> {
        let choose = || {
            let completions: Vec<Map> =
                completions.iter().map(|it| fields("completions", it)).collect::<crate::Result<_>>()?;
            metric::majority(&completions, field.as_deref()).map(|chosen| report::object(&chosen.fields))
        };
        choose().map_err(outward)
    }

    fn semantic_f1(
        workspace: WorkspaceBorrow<'_>,
        example: String,
        prediction: String,
        decompositional: bool,
        options: RunOptions,
    ) -> Result<f64> {
        let run = workspace.get::<Workspace>().begin(&options, None);
        let judged = async {
            let (example, prediction) = (fields("example", &example)?, fields("prediction", &prediction)?);
            SemanticF1::new(decompositional)?.score(&run, &example, &prediction).await
        };
        block_on(run.in_time(judged)).map_err(outward)
    }

    fn complete_and_grounded(
        workspace: WorkspaceBorrow<'_>,
        example: String,
        prediction: String,
        options: RunOptions,
    ) -> Result<f64> {
        let run = workspace.get::<Workspace>().begin(&options, None);
        let judged = async {
            let (example, prediction) = (fields("example", &example)?, fields("prediction", &prediction)?);
            CompleteAndGrounded::new()?.score(&run, &example, &prediction).await
        };
        block_on(run.in_time(judged)).map_err(outward)
    }
}

fn list(answers: Vec<String>) -> Value {
    Value::List(answers.into_iter().map(Value::Str).collect())
}

fn predicted(text: &str) -> crate::Result<Prediction> {
    fields("prediction", text).map(Prediction::from)
}

/// A score; where nothing is in common Python has the integer 0.
fn score(score: Value) -> f64 {
    if let Value::Float(score) = score { score } else { 0.0 }
}
