//! A table that is learned from what calls took and cost.

use std::cmp::Ordering;

use indexmap::IndexMap;

use super::catalogue::ModelFacts;
use super::selection::{Candidate, Rule, SelectionTable};
use crate::error::{Error, ErrorKind, Result};

/// The share of calls that were answered within the latency of a model.
const PERCENTILE: f64 = 0.95;

/// One call of a model, as it was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// The name of its endpoint.
    pub model: String,
    pub latency_ms: f64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// How good the answer was, the higher the better, where somebody judged it.
    pub score: Option<f64>,
}

/// What the calls of one model came to.
#[derive(Default)]
struct Measured {
    latencies: Vec<f64>,
    prompt_tokens: u64,
    completion_tokens: u64,
    scores: Vec<f64>,
}

impl SelectionTable {
    /// A table of the models that were seen: a model is chosen when the budget is at least the latency that 95 % of its calls kept to, the
    /// limit is at least its list price for tokens as they were used, and the task is hard enough for it.
    ///
    /// Models stand from the strongest to the weakest: by their mean score where all have one, else by price, else by latency. Each has an
    /// equal share of the scale of complexity. When the one for the task is too slow or too dear, the strongest that is not is taken, and
    /// when all are, the fastest.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) when there is no observation, or one whose latency is no time.
    pub fn learned(observations: &[Observation]) -> Result<Self> {
        let mut seen: IndexMap<&str, Measured> = IndexMap::new();
        for call in observations {
            if !(call.latency_ms.is_finite() && call.latency_ms >= 0.0) {
                let message = format!("a call of `{}` took {} ms", call.model, call.latency_ms);
                return Err(Error::new(ErrorKind::Input, message).at_field("latency_ms"));
            }
            let measured = seen.entry(&call.model).or_default();
            measured.latencies.push(call.latency_ms);
            measured.prompt_tokens += call.prompt_tokens;
            measured.completion_tokens += call.completion_tokens;
            measured.scores.extend(call.score);
        }
        let all_scored = seen.values().all(|measured| !measured.scores.is_empty());
        let mut models: Vec<(Option<f64>, Candidate)> = seen
            .into_iter()
            .map(|(model, measured)| (all_scored.then(|| measured.score()), measured.candidate(model)))
            .collect();
        let Some(fastest) = models.iter().map(|(_, model)| model).min_by(|a, b| order(a.latency_ms, b.latency_ms))
        else {
            let error = Error::new(ErrorKind::Input, "there is no call to learn from").at_field("observations");
            return Err(error.with_hint("Ask each model a few times, and give what the calls took and used."));
        };
        let last = Rule { choose: fastest.model.clone(), ..Rule::default() };
        models.sort_by(|(a_score, a), (b_score, b)| {
            let by_price = order(b.usd_per_1k, a.usd_per_1k);
            order(*b_score, *a_score).then(by_price).then(order(b.latency_ms, a.latency_ms))
        });
        let share = 1.0 / models.len() as f64;
        let affordable = |model: &Candidate| Rule {
            latency_budget_from_ms: model.latency_ms,
            max_cost_per_1k_from: model.usd_per_1k,
            choose: model.model.clone(),
            ..Rule::default()
        };
        let fitting = models.iter().enumerate().map(|(place, (_, model))| {
            let above = 1.0 - share * (place + 1) as f64;
            // The weakest is for every task that is left.
            let task_complexity_above = (place + 1 < models.len()).then_some(above);
            Rule { task_complexity_above, ..affordable(model) }
        });
        let rules = fitting.chain(models.iter().map(|(_, model)| affordable(model))).chain([last]).collect();
        Ok(Self { rules, models: models.into_iter().map(|(_, model)| (model.model.clone(), model)).collect() })
    }
}

impl Measured {
    fn score(&self) -> f64 {
        self.scores.iter().sum::<f64>() / self.scores.len() as f64
    }

    fn candidate(mut self, model: &str) -> Candidate {
        self.latencies.sort_by(f64::total_cmp);
        let rank = (PERCENTILE * self.latencies.len() as f64).ceil() as usize;
        let latency_ms = self.latencies.get(rank.saturating_sub(1)).copied();
        let price = |facts: &ModelFacts| facts.usd_per_1k(self.prompt_tokens, self.completion_tokens);
        Candidate { model: model.to_owned(), latency_ms, usd_per_1k: ModelFacts::named(model).and_then(price) }
    }
}

/// What is not known is less than all that is.
fn order(a: Option<f64>, b: Option<f64>) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}
