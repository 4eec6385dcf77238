//! How many calls of the metric a search may make.

use crate::error::{Error, ErrorKind, Result};
use crate::optimize::Auto;

/// How long a search goes on. It ends with the iteration in which the limit is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// As many calls as DSPy takes for enough.
    Auto(Auto),
    /// So many evaluations of all examples, those of the validation set included.
    FullEvals(usize),
    /// So many calls of the metric.
    MetricCalls(usize),
}

impl Limit {
    /// The limit of DSPy's three options, of which exactly one must be given.
    ///
    /// ```
    /// use lakelet::optimize::gepa::Limit;
    /// assert_eq!(Limit::of(None, None, Some(100))?, Limit::MetricCalls(100));
    /// let error = Limit::of(None, None, None).unwrap_err();
    /// assert!(error.message().starts_with("Exactly one of max_metric_calls, max_full_evals, auto must be set."));
    /// # Ok::<(), lakelet::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when none or several are given.
    pub fn of(auto: Option<Auto>, max_full_evals: Option<usize>, max_metric_calls: Option<usize>) -> Result<Self> {
        match (auto, max_full_evals, max_metric_calls) {
            (Some(auto), None, None) => Ok(Self::Auto(auto)),
            (None, Some(evals), None) => Ok(Self::FullEvals(evals)),
            (None, None, Some(calls)) => Ok(Self::MetricCalls(calls)),
            _ => {
                let shown = |number: Option<usize>| number.map_or("None".to_owned(), |number| number.to_string());
                let message = format!(
                    "Exactly one of max_metric_calls, max_full_evals, auto must be set. You set max_metric_calls={}, \
                     max_full_evals={}, auto={}.",
                    shown(max_metric_calls),
                    shown(max_full_evals),
                    auto.map_or("None", Auto::as_str)
                );
                Err(Error::new(ErrorKind::Input, message).at_field("auto").with_python_class("AssertionError"))
            }
        }
    }

    /// The calls of the metric, for a program with so many predictors, and sets of so many examples.
    pub fn metric_calls(self, predictors: usize, trainset: usize, valset: Option<usize>) -> usize {
        match self {
            Self::Auto(auto) => auto_budget(predictors.max(1), auto.candidates(), valset.unwrap_or(trainset)),
            Self::FullEvals(evals) => evals.saturating_mul(trainset + valset.unwrap_or(0)),
            Self::MetricCalls(calls) => calls,
        }
    }
}

/// DSPy's `auto_budget`, with minibatches of 35 and a full evaluation every 5 steps.
fn auto_budget(predictors: usize, candidates: usize, valset: usize) -> usize {
    let (minibatch, full_every) = (35, 5);
    let (many, few) = (4.0 * predictors as f64 * (candidates as f64).log2(), 1.5 * candidates as f64);
    let trials = many.max(few) as usize;
    let full = (trials + 1) / full_every + 1 + usize::from(trials < full_every);
    valset + candidates * 5 + trials * minibatch + full * valset
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `GEPA.auto_budget` of DSPy 3.4.1.
    #[test]
    fn auto_runs_are_dspys() {
        for (predictors, auto, valset, calls) in [
            (1, Auto::Light, 0, 380),
            (1, Auto::Light, 10, 420),
            (1, Auto::Medium, 50, 940),
            (2, Auto::Heavy, 100, 2045),
            (3, Auto::Light, 33, 1379),
            (5, Auto::Medium, 1, 2561),
            (11, Auto::Heavy, 250, 15995),
        ] {
            assert_eq!(Limit::Auto(auto).metric_calls(predictors, 7, Some(valset)), calls);
        }
        assert_eq!(
            Limit::Auto(Auto::Light).metric_calls(1, 7, None),
            Limit::Auto(Auto::Light).metric_calls(0, 0, Some(7))
        );
    }
}
