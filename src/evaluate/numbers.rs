//! What an evaluation keeps of each example.

use super::Row;
use super::evaluation::percent;

/// Two numbers for each example, in the order of the examples; NaN where there is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    /// Scores of examples that were evaluated, also of those that failed.
    pub points: Vec<f64>,
    /// Milliseconds of examples that did not fail.
    pub latencies: Vec<f64>,
}

impl Numbers {
    pub fn add(&mut self, place: usize, row: &Row) {
        let latency = if row.error.is_none() { row.latency_ms } else { f64::NAN };
        for (numbers, number) in [(&mut self.points, row.points), (&mut self.latencies, latency)] {
            if numbers.len() <= place {
                numbers.resize(place + 1, f64::NAN);
            }
            if let Some(slot) = numbers.get_mut(place) {
                *slot = number;
            }
        }
    }

    /// The mean score in percent. It is summed in the order of the examples, as DSPy does: the last digit depends on it.
    pub fn score(&self) -> f64 {
        let sum = given(&self.points).fold(0.0, |sum, points| sum + points);
        percent(sum, given(&self.points).count().max(1))
    }
}

/// The numbers that are there.
pub(super) fn given(numbers: &[f64]) -> impl Iterator<Item = f64> {
    numbers.iter().copied().filter(|number| !number.is_nan())
}
