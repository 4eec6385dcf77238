//! The candidates of a search, and what is known of them.

use indexmap::IndexMap;

use crate::error::Result;
use crate::evaluate::Evaluation;
use crate::example::Prediction;
use crate::metric;
use crate::python::NumberSet;
use crate::value::{Map, Value};

/// Instructions by the names of predictors.
pub(super) type Texts = IndexMap<String, String>;

/// The candidates so far: what gepa calls its state.
#[derive(Default)]
pub(super) struct Pool {
    pub candidates: Vec<Known>,
    /// For each example of the validation set, the best score and the candidates that have it.
    pub front: Vec<(f64, NumberSet)>,
    /// Likewise, for each objective.
    pub objectives: IndexMap<String, (f64, NumberSet)>,
    /// For each example, the predictions of the candidates on its front, when they are kept.
    pub best_outputs: Option<Vec<Vec<(usize, Prediction)>>>,
    pub metric_calls: usize,
    pub full_evaluations: usize,
}

/// A candidate that was scored on the validation set.
pub(super) struct Known {
    pub texts: Texts,
    /// None for the program that the search began with, two for a merged one.
    pub parents: Vec<usize>,
    pub scores: Vec<f64>,
    pub score: f64,
    pub objectives: IndexMap<String, f64>,
    /// How many metric calls there were before the candidate was scored.
    pub discovered_at: usize,
    /// The place of the predictor that is changed next.
    pub next_predictor: usize,
}

impl Pool {
    /// A pool that keeps the best predictions, or not.
    pub(super) fn new(track_best_outputs: bool) -> Self {
        Self { best_outputs: track_best_outputs.then(Vec::new), ..Self::default() }
    }

    /// Adds a candidate.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input), when a score for an objective is no number.
    pub(super) fn add(&mut self, texts: Texts, parents: Vec<usize>, evaluation: &Evaluation) -> Result<()> {
        let place = self.candidates.len();
        let discovered_at = if place == 0 { 0 } else { self.metric_calls };
        self.metric_calls += evaluation.rows.len();
        self.full_evaluations += 1;
        let pointers = parents.iter().filter_map(|parent| self.candidates.get(*parent));
        let next_predictor = pointers.map(|parent| parent.next_predictor).max().unwrap_or(0);
        let scores: Vec<f64> = evaluation.rows.iter().map(|row| row.points).collect();
        for (example, (row, score)) in evaluation.rows.iter().zip(&scores).enumerate() {
            if self.front.len() <= example {
                self.front.push((f64::NEG_INFINITY, NumberSet::default()));
            }
            let is_better = self.front.get_mut(example).and_then(|best| rank(best, place, *score));
            let outputs = self.best_outputs.as_mut().zip(is_better);
            // Later candidates have nothing to show for an example that they fail on.
            if let Some((outputs, is_better)) = outputs.filter(|_| place == 0 || row.error.is_none()) {
                if outputs.len() <= example {
                    outputs.push(Vec::new());
                }
                if let Some(outputs) = outputs.get_mut(example) {
                    outputs.retain(|_| !is_better);
                    outputs.push((place, row.prediction.clone()));
                }
            }
        }
        let objectives = averages(evaluation)?;
        for (objective, score) in &objectives {
            let start = || (f64::NEG_INFINITY, NumberSet::default());
            rank(self.objectives.entry(objective.clone()).or_insert_with(start), place, *score);
        }
        let score = mean(&scores);
        self.candidates.push(Known { texts, parents, scores, score, objectives, discovered_at, next_predictor });
        Ok(())
    }

    /// The mean scores of all candidates.
    pub(super) fn scores(&self) -> Vec<f64> {
        self.candidates.iter().map(|candidate| candidate.score).collect()
    }

    /// For each example the candidates that do best on it; copies, as GEPA hands them out.
    pub(super) fn front(&self) -> Vec<NumberSet> {
        self.front.iter().map(|(_, best)| best.copy()).collect()
    }
}

/// Takes a candidate among the best ones where it belongs there; tells whether it is the only one then.
fn rank((most, best): &mut (f64, NumberSet), candidate: usize, score: f64) -> Option<bool> {
    if score > *most {
        (*most, *best) = (score, NumberSet::from_iter([candidate]));
        return Some(true);
    }
    (score == *most).then(|| {
        best.insert(candidate);
        false
    })
}

/// The means of the objectives that the metric gives scores for.
fn averages(evaluation: &Evaluation) -> Result<IndexMap<String, f64>> {
    let mut totals: IndexMap<String, (f64, usize)> = IndexMap::new();
    for (objective, score) in evaluation.rows.iter().filter_map(|row| objective_scores(&row.score)).flatten() {
        let (total, count) = totals.entry(objective.clone()).or_default();
        *total += metric::number(score)?;
        *count += 1;
    }
    Ok(totals.into_iter().map(|(objective, (total, count))| (objective, total / count as f64)).collect())
}

fn objective_scores(score: &Value) -> Option<&Map> {
    match score {
        Value::Dict(prediction) => match prediction.get("objective_scores") {
            Some(Value::Dict(scores)) => Some(scores),
            _ => None,
        },
        _ => None,
    }
}

/// Python's `sum`: from the first on.
pub(super) fn sum(scores: impl IntoIterator<Item = f64>) -> f64 {
    scores.into_iter().fold(0.0, |sum, score| sum + score)
}

fn mean(scores: &[f64]) -> f64 {
    if scores.is_empty() { f64::NEG_INFINITY } else { sum(scores.iter().copied()) / scores.len() as f64 }
}
