//! Searches with GEPA: as the cases set them up, and what they tell.

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use lakelet::metric::{Metric, NamedCall};
use lakelet::module::Variant;
use lakelet::optimize::Auto;
use lakelet::optimize::gepa::{CandidateSelection, ComponentSelector, Gepa, Limit, Outcome};
use lakelet::run::{Run, Span};
use lakelet::{Example, Module, Predict, Prediction, Result, Value};
use serde_json::{Map, Value as Json, json};

/// Equality of a field, with feedback on single predictors: on what they were given and gave, or (`silent`, `bare`) none.
pub struct OfPredictor(pub Json);

impl OfPredictor {
    fn scored(&self, example: &Example, prediction: &Prediction) -> Value {
        let field = self.0["field"].as_str().unwrap_or_default();
        let is_equal = example.get(field) == prediction.get(field);
        Value::from(&self.0["scores"][usize::from(!is_equal)])
    }
}

impl Metric for OfPredictor {
    fn score<'a>(
        &'a self,
        _run: &'a Run,
        example: &'a Example,
        prediction: &'a Prediction,
        _trace: Option<&'a [Rc<Span>]>,
    ) -> LocalBoxFuture<'a, Result<Value>> {
        Box::pin(std::future::ready(Ok(self.scored(example, prediction))))
    }

    fn feedback<'a>(
        &'a self,
        _run: &'a Run,
        example: &'a Example,
        prediction: &'a Prediction,
        trace: &'a [Rc<Span>],
        NamedCall { predictor, span }: NamedCall<'a>,
    ) -> LocalBoxFuture<'a, Result<Value>> {
        let names = |fields: &lakelet::value::Map| fields.keys().cloned().collect::<Vec<_>>().join(", ");
        let mut fields = vec![("score", self.scored(example, prediction))];
        if self.0["silent"] == true {
            fields.push(("feedback", Value::None));
        } else if self.0["bare"] != true {
            let (inputs, outputs) = (names(&span.inputs), names(&span.outputs));
            fields.push(("feedback", format!("{predictor} of {}: {inputs} -> {outputs}", trace.len()).into()));
        }
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Box::pin(std::future::ready(Ok(Value::Dict(fields))))
    }
}

/// The optimizer of a case, for the models of which the one that reflects is named `reflection`.
pub fn optimizer(metric: Rc<dyn Metric>, options: &Json) -> Result<Gepa> {
    let number = |name: &str| options[name].as_u64().map(|number| number as usize);
    let auto = options["auto"].as_str().map(Auto::named).transpose()?;
    let limit = Limit::of(auto, number("max_full_evals"), number("max_metric_calls"))?;
    let mut gepa = Gepa::new(metric, limit)?;
    gepa.reflection_model = Some("reflection".to_owned());
    gepa.num_threads = 1; // as the cases were recorded
    gepa.seed = options["seed"].as_i64().unwrap_or(gepa.seed);
    if let Some(name) = options["candidate_selection_strategy"].as_str() {
        gepa.candidate_selection = CandidateSelection::named(name)?;
    }
    if let Some(name) = options["component_selector"].as_str() {
        gepa.component_selector = ComponentSelector::named(name)?;
    }
    for (name, place) in [
        ("reflection_minibatch_size", &mut gepa.reflection_minibatch_size),
        ("max_merge_invocations", &mut gepa.max_merge_invocations),
    ] {
        *place = number(name).unwrap_or(*place);
    }
    for (name, place) in [
        ("skip_perfect_score", &mut gepa.skip_perfect_score),
        ("add_format_failure_as_feedback", &mut gepa.add_format_failure_as_feedback),
        ("use_merge", &mut gepa.use_merge),
        ("track_best_outputs", &mut gepa.track_best_outputs),
    ] {
        *place = options[name].as_bool().unwrap_or(*place);
    }
    for (name, place) in [("failure_score", &mut gepa.failure_score), ("perfect_score", &mut gepa.perfect_score)] {
        *place = options[name].as_f64().unwrap_or(*place);
    }
    Ok(gepa)
}

/// What a search came to, as far as the case tells it.
pub fn told(outcome: &Outcome, expected: &Json) -> Json {
    let instructions = |program: &Variant| -> Json {
        let text = |(path, predict): (String, &Predict)| (path, predict.signature().instructions.as_ref().into());
        Json::Object(program.predictors().into_iter().map(text).collect())
    };
    let parents = |parents: &Vec<usize>| if parents.is_empty() { json!([null]) } else { json!(parents) };
    let told = json!({
        "candidates": outcome.candidates.iter().map(instructions).collect::<Vec<_>>(),
        "parents": outcome.parents.iter().map(parents).collect::<Vec<_>>(),
        "val_aggregate_scores": outcome.val_aggregate_scores,
        "val_subscores": outcome.val_subscores,
        "per_val_instance_best_candidates": outcome.per_val_instance_best_candidates,
        "discovery_eval_counts": outcome.discovery_eval_counts,
        "total_metric_calls": outcome.total_metric_calls,
        "num_full_val_evals": outcome.num_full_val_evals,
    });
    let told = told.as_object().cloned().unwrap_or_default();
    Json::Object(told.into_iter().filter(|(name, _)| expected.get(name).is_some()).collect::<Map<_, _>>())
}
