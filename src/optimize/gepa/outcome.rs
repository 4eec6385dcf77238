//! What a search came to.

use indexmap::IndexMap;

use crate::error::Error;
use crate::example::Prediction;
use crate::module::Variant;

/// All candidates of a search with [`Gepa`](super::Gepa), and how they did: DSPy's `DspyGEPAResult`. Candidates and examples are
/// named by their places.
pub struct Outcome {
    /// The programs, in the order in which they were found; the first one is the student.
    pub candidates: Vec<Variant>,
    /// What each was made of: nothing, one candidate, or the two that were merged.
    pub parents: Vec<Vec<usize>>,
    /// The mean score of each on the validation set, from 0 to 1 where the metric's are.
    pub val_aggregate_scores: Vec<f64>,
    /// The scores of each for each example.
    pub val_subscores: Vec<Vec<f64>>,
    /// For each example the candidates that do best on it, in order.
    pub per_val_instance_best_candidates: Vec<Vec<usize>>,
    /// How many metric calls there were before each was scored.
    pub discovery_eval_counts: Vec<usize>,
    /// For each example the predictions of the candidates that do best on it; with `track_best_outputs`.
    pub best_outputs_valset: Option<Vec<Vec<(usize, Prediction)>>>,
    /// The mean scores of each for the `objective_scores` that the metric gives, if any.
    pub val_aggregate_subscores: Vec<IndexMap<String, f64>>,
    /// For each objective the candidates that do best on it, in order.
    pub per_objective_best_candidates: IndexMap<String, Vec<usize>>,
    /// For each objective the best mean score.
    pub objective_pareto_front: IndexMap<String, f64>,
    /// How many metric calls there were, as gepa counts them: one for each example of each evaluation.
    pub total_metric_calls: usize,
    /// How many evaluations on the whole validation set there were.
    pub num_full_val_evals: usize,
    pub seed: i64,
    /// Why the search ended before its end, if it did: the [budget](crate::run::Budget) was spent.
    pub stopped_by: Option<Error>,
}

impl Outcome {
    /// The place of the best candidate, of equals that of the first.
    pub fn best_idx(&self) -> usize {
        super::front::best(&self.val_aggregate_scores).unwrap_or(0)
    }

    /// For each example the best score.
    pub fn highest_score_achieved_per_val_task(&self) -> Vec<f64> {
        let best = |(example, best): (usize, &Vec<usize>)| {
            let scores = best.first().and_then(|candidate| self.val_subscores.get(*candidate));
            scores.and_then(|scores| scores.get(example)).copied().unwrap_or(f64::NEG_INFINITY)
        };
        self.per_val_instance_best_candidates.iter().enumerate().map(best).collect()
    }

    /// The best candidate.
    pub fn best_candidate(&self) -> Option<&Variant> {
        self.candidates.get(self.best_idx())
    }
}
