//! How right and how fast a prediction is, in one number.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::DatabricksOptimizedOptimizer;
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::metric::{self, Metric};
use crate::run::{Run, Span};
use crate::value::Value;

/// The penalty of a call that takes very long.
const MOST_PENALTY: f64 = 2.0;

/// How the latency of a call is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    /// By the clock, from the inputs to the prediction.
    Measured,
    /// By what was predicted, all in milliseconds. It needs no models at work, and caches may answer.
    Estimated {
        /// What every call takes.
        base: f64,
        /// What each character of the `answer` takes, or of all outputs, where none has that name.
        per_character: f64,
        /// What it takes to retrieve, when a step of the program does so, or the prediction has `contexts`.
        retrieval: f64,
    },
}

impl Latency {
    /// The study's estimate.
    pub const STUDY: Self = Self::Estimated { base: 100.0, per_character: 0.5, retrieval: 50.0 };

    /// Milliseconds, when the call has just ended.
    fn of(self, run: &Run, prediction: &Prediction) -> f64 {
        match self {
            Self::Measured => run.elapsed_ms(),
            Self::Estimated { base, per_character, retrieval } => {
                let retrieves =
                    prediction.get("contexts").is_some() || run.spans().iter().any(|span| span.kind == "retrieve");
                base + per_character * characters(prediction) as f64 + if retrieves { retrieval } else { 0.0 }
            }
        }
    }
}

fn characters(prediction: &Prediction) -> usize {
    let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    match prediction.get("answer") {
        Some(answer) => length(answer),
        None => prediction.fields.values().map(length).sum(),
    }
}

/// The accuracy less what the latency costs.
pub(super) struct ServingMetric {
    accuracy: Rc<dyn Metric>,
    accuracy_weight: f64,
    latency_weight: f64,
    budget_ms: f64,
    latency: Latency,
}

impl ServingMetric {
    pub fn of(options: &DatabricksOptimizedOptimizer) -> Self {
        let DatabricksOptimizedOptimizer { accuracy, accuracy_weight, latency_weight, budget_ms, latency, .. } =
            options;
        Self {
            accuracy: Rc::clone(accuracy),
            accuracy_weight: *accuracy_weight,
            latency_weight: *latency_weight,
            budget_ms: *budget_ms,
            latency: *latency,
        }
    }
}

impl Metric for ServingMetric {
    fn score<'a>(
        &'a self,
        run: &'a Run,
        example: &'a Example,
        prediction: &'a Prediction,
        trace: Option<&'a [Rc<Span>]>,
    ) -> LocalBoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            let latency_ms = self.latency.of(run, prediction); // before a judge is asked, which takes its time
            let accuracy = metric::number(&self.accuracy.score(run, example, prediction, trace).await?)?;
            let penalty = (latency_ms / self.budget_ms).min(MOST_PENALTY);
            Ok((self.accuracy_weight * accuracy - self.latency_weight * penalty).into())
        })
    }
}
