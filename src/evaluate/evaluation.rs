//! What an evaluation came to.

use super::tally::Tally;
use crate::error::{Error, ErrorKind};
use crate::example::Prediction;
use crate::lm::Usage;
use crate::value::Value;

/// What came of one example.
#[derive(Clone, Debug)]
pub struct Row {
    /// What the program predicted; empty when the example failed.
    pub prediction: Prediction,
    /// The score as the metric gave it: true, false, a number, or a dict with a `score`.
    pub score: Value,
    /// The score as a number: 1 for true, 0 for false.
    pub points: f64,
    /// How long the program took, without the metric.
    pub latency_ms: f64,
    /// Why the example failed, if it did; or that the budget was spent before.
    pub error: Option<Error>,
}

impl Row {
    /// Whether the example was evaluated, well or not.
    pub fn is_done(&self) -> bool {
        self.error.as_ref().is_none_or(|error| error.kind() != ErrorKind::Budget)
    }
}

impl Row {
    pub(super) fn failed(error: Error, score: f64) -> Self {
        Self {
            prediction: Prediction::default(),
            score: score.into(),
            points: score,
            latency_ms: 0.0,
            error: Some(error),
        }
    }
}

/// How well a program did: DSPy's `EvaluationResult`, and what it cost.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The mean score in percent of the examples that were evaluated, rounded to two digits as Python rounds.
    pub score: f64,
    /// A row for each example, in the order of the examples; none after [`Evaluate::each`](super::Evaluate::each).
    pub rows: Vec<Row>,
    /// How many examples failed.
    pub failed: usize,
    /// The tokens of all model calls, those of the metric included.
    pub usage: Usage,
    pub duration_ms: f64,
    /// Why not all examples were evaluated, if so: the [budget](crate::run::Budget) was spent.
    pub stopped_by: Option<Error>,
    tally: Tally,
}

impl Evaluation {
    pub(super) fn of(tally: Tally, duration_ms: f64, usage: Usage, stopped_by: Option<Error>) -> Self {
        let tally = tally.settled();
        let (score, failed) = (tally.score(), tally.failed);
        Self { score, rows: Vec::new(), failed, usage, duration_ms, stopped_by, tally }
    }

    /// What came of examples that were called elsewhere.
    pub(crate) fn of_rows(rows: Vec<Row>, usage: Usage, duration_ms: f64) -> Self {
        let whole = Self::of(Tally::of(&rows), duration_ms, usage, None);
        Self { rows, ..whole }
    }

    /// The same, with what came of further examples.
    pub(crate) fn and(mut self, more: Self) -> Self {
        self.rows.extend(more.rows);
        self.usage += more.usage;
        let both = Self::of_rows(self.rows, self.usage, self.duration_ms + more.duration_ms);
        Self { stopped_by: self.stopped_by.or(more.stopped_by), ..both }
    }

    /// The scores of the rows as numbers: 1 for true, 0 for false, NaN for an example that was not evaluated.
    pub fn points(&self) -> Vec<f64> {
        self.rows.iter().map(|row| if row.is_done() { row.points } else { f64::NAN }).collect()
    }

    /// How many examples were evaluated.
    pub fn done(&self) -> usize {
        self.tally.count
    }

    /// How far the score may be from that on all such examples, in percent: with 95 % confidence it is at most so much higher or
    /// lower (1.96 standard errors of the mean). `None` for a single example.
    pub fn margin(&self) -> Option<f64> {
        self.tally.margin()
    }

    /// The latency in milliseconds that this share of the examples did not exceed, by the nearest rank: 0.5 for the median. It is
    /// exact while at most 2,000 latencies are different, else it may be a thousandth too low. Examples that failed do not count;
    /// `None` when none is left.
    pub fn latency_ms(&self, share: f64) -> Option<f64> {
        self.tally.latency_ms(share)
    }
}

/// Python's `round(100 * sum / count, 2)`.
pub(super) fn percent(sum: f64, count: usize) -> f64 {
    rounded(100.0 * sum / count as f64)
}

/// Two digits behind the point, by the exact binary number, and ties to even, as Python rounds. Formatting would do the same, and
/// weigh 20 kB in WebAssembly. From 10^13 on a number stays as it is.
pub(super) fn rounded(number: f64) -> f64 {
    let size = number.abs();
    if size.is_nan() || size >= 1e13 {
        return number;
    }
    let below = (size * 100.0).floor();
    // The halves of a number times 200 are exact, so that the sign of what is left over a tie is.
    let high = f64::from_bits(size.to_bits() & (u64::MAX << 27));
    let over = (high * 200.0 - (2.0 * below + 1.0)) + (size - high) * 200.0;
    let goes_up = over > 0.0 || over == 0.0 && below % 2.0 == 1.0;
    ((below + f64::from(u8::from(goes_up))) / 100.0).copysign(number)
}

#[cfg(test)]
mod tests {
    use super::rounded;
    use crate::python::Random;

    #[test]
    fn numbers_are_rounded_as_formatting_rounds_them() {
        let mut random = Random::new(0);
        let ties = (0..2000).map(|eighth| f64::from(eighth) / 8.0);
        let thousandths = (0..2000).map(|number| f64::from(number) / 1000.0);
        let any = (0..2000).map(|size| random.random() * f64::from(2).powi(size % 60 - 17));
        for number in ties.chain(thousandths).chain(any).flat_map(|number| [number, -number]) {
            assert_eq!(rounded(number).to_bits(), format!("{number:.2}").parse::<f64>().unwrap().to_bits(), "{number}");
        }
        assert!(rounded(f64::NAN).is_nan());
        assert_eq!([3.125, 2.675, 1.005, 1e300].map(rounded), [3.12, 2.67, 1.0, 1e300]);
    }
}
