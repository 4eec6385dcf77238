//! What programs are compared by.

use crate::error::{Error, ErrorKind, Result};
use crate::optimize::measure::Measured;

/// Something that programs are compared by.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// What it is called in results and in logs.
    pub name: String,
    pub measure: Measure,
    pub direction: Direction,
    /// How much it counts beside the others, from 0 on.
    pub weight: f64,
    /// What a program has to keep to: at most this much where less is better, at least this much where more is.
    pub limit: Option<f64>,
}

/// What is measured of a program's calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// The mean score by the metric, in percent.
    Score,
    /// The latency in milliseconds that this share of the calls did not exceed: 0.95 for the 95th percentile.
    LatencyMs(f64),
    /// US dollars a call, by the prices.
    Dollars,
    /// Tokens of prompts and answers a call.
    Tokens,
    /// The share of the calls that failed.
    ErrorRate,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    More,
    Less,
}

impl Objective {
    /// The score, the more the better.
    pub fn score() -> Self {
        Self::new("score", Measure::Score, Direction::More)
    }

    /// The latency that this share of the calls does not exceed, the less the better: `latency_p95_ms` for 0.95.
    pub fn latency_ms(share: f64) -> Self {
        Self::new(&format!("latency_p{}_ms", 100.0 * share), Measure::LatencyMs(share), Direction::Less)
    }

    /// US dollars a call, the less the better.
    pub fn dollars() -> Self {
        Self::new("dollars", Measure::Dollars, Direction::Less)
    }

    /// Tokens a call, the less the better.
    pub fn tokens() -> Self {
        Self::new("tokens", Measure::Tokens, Direction::Less)
    }

    /// The share of calls that fail, the less the better.
    pub fn error_rate() -> Self {
        Self::new("error_rate", Measure::ErrorRate, Direction::Less)
    }

    fn new(name: &str, measure: Measure, direction: Direction) -> Self {
        Self { name: name.to_owned(), measure, direction, weight: 1.0, limit: None }
    }

    /// The same, with another weight.
    pub fn weighing(self, weight: f64) -> Self {
        Self { weight, ..self }
    }

    /// The same, with a limit that programs have to keep to.
    pub fn limited_to(self, limit: f64) -> Self {
        Self { limit: Some(limit), ..self }
    }

    pub(super) fn check(&self) -> Result<()> {
        let refused = |field: &str, number: f64, hint: &str| {
            let message = format!("the {field} of the objective `{}` cannot be {number}", self.name);
            Err(Error::new(ErrorKind::Input, message).at_field(field).with_hint(hint))
        };
        if !self.weight.is_finite() || self.weight < 0.0 {
            return refused("weight", self.weight, "give a number from 0 on");
        }
        if let Some(limit) = self.limit.filter(|limit| !limit.is_finite()) {
            return refused("limit", limit, "give a number, or leave it out");
        }
        match self.measure {
            Measure::LatencyMs(share) if !(share > 0.0 && share <= 1.0) => {
                refused("share", share, "give a number above 0 and up to 1: 0.95 for the 95th percentile")
            }
            _ => Ok(()),
        }
    }

    /// What a program comes to; infinitely bad where it is not known, as the latency of a program whose calls all failed.
    pub(super) fn of(&self, measured: &Measured) -> f64 {
        let stats = measured.stats();
        let value = match self.measure {
            Measure::Score => Some(measured.evaluation.score),
            Measure::LatencyMs(share) => measured.evaluation.latency_ms(share),
            Measure::Dollars => stats.and_then(|stats| stats.dollars),
            Measure::Tokens => stats.map(|stats| stats.tokens),
            Measure::ErrorRate => stats.map(|stats| stats.error_rate),
        };
        value.filter(|value| !value.is_nan()).unwrap_or_else(|| -self.gain(f64::INFINITY))
    }

    /// The value as a number that is the better the more it is.
    pub(super) fn gain(&self, value: f64) -> f64 {
        match self.direction {
            Direction::More => value,
            Direction::Less => -value,
        }
    }

    /// How far a value is beyond the limit, as a share of the limit; 0 when it keeps to it.
    pub(super) fn excess(&self, value: f64) -> f64 {
        let Some(limit) = self.limit else { return 0.0 };
        let beyond = (self.gain(limit) - self.gain(value)).max(0.0);
        if limit == 0.0 { beyond } else { beyond / limit.abs() }
    }
}
