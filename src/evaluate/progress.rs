//! How far an evaluation is.

use std::fmt;

use super::Row;
use super::evaluation::percent;
use crate::error::Error;

/// How far an evaluation is, when an example has just ended.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The place of the example in the set, from 0 on.
    pub row: usize,
    /// Why it failed, if it did.
    pub error: Option<Error>,
    /// How many examples have ended.
    pub done: usize,
    /// How many examples there are, where that is known.
    pub total: Option<usize>,
    /// How many of them failed.
    pub failed: usize,
    /// The mean score of those that ended, as [`Evaluation::score`](super::Evaluation::score).
    pub score: f64,
    pub elapsed_ms: f64,
    sum: f64,
}

impl Progress {
    pub(super) fn of(total: Option<usize>) -> Self {
        Self { row: 0, error: None, done: 0, total, failed: 0, score: 0.0, elapsed_ms: 0.0, sum: 0.0 }
    }

    pub(super) fn ended(&mut self, place: usize, row: &Row, elapsed_ms: f64) {
        (self.row, self.elapsed_ms) = (place, elapsed_ms);
        self.done += 1;
        self.error.clone_from(&row.error);
        self.failed += usize::from(self.error.is_some());
        self.sum += row.points;
        self.score = percent(self.sum, self.done);
    }

    /// Examples a second so far; infinite when no time has passed.
    pub fn per_second(&self) -> f64 {
        1000.0 * self.done as f64 / self.elapsed_ms
    }

    /// How long the rest takes at this rate, where it is known how much that is.
    pub fn left_ms(&self) -> Option<f64> {
        let left = self.total?.saturating_sub(self.done);
        Some(self.elapsed_ms * left as f64 / self.done as f64)
    }
}

/// One line, for a terminal.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, total, failed, score, .. } = self;
        match total {
            Some(total) => write!(f, "{done}/{total}")?,
            None => write!(f, "{done}")?,
        }
        write!(f, ", {score} %, {failed} failed, {:.1} a second", self.per_second())?;
        self.left_ms().map_or(Ok(()), |left| write!(f, ", {:.0} s left", left / 1000.0))
    }
}
