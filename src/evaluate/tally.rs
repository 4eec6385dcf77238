//! What an evaluation adds up, in a space that does not grow with the number of examples.

use std::collections::VecDeque;

use super::Row;
use super::evaluation::{percent, rounded};

/// Scores and latencies of the examples that were evaluated.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub count: usize,
    pub failed: usize,
    sum: f64,
    mean: f64,
    /// The sum of the squared differences from the mean: Welford's.
    squares: f64,
    /// The place whose score is added next.
    next: usize,
    /// Scores from that place on. They are added in the order of the examples, as DSPy does: the last digit depends on it.
    waiting: VecDeque<Option<f64>>,
    latencies: Latencies,
}

impl Tally {
    /// What rows in the order of the examples come to.
    pub fn of(rows: &[Row]) -> Self {
        let mut tally = Self::default();
        for (place, row) in rows.iter().filter(|row| row.is_done()).enumerate() {
            tally.add(place, row);
        }
        tally
    }

    pub fn add(&mut self, place: usize, row: &Row) {
        self.count += 1;
        match row.error {
            Some(_) => self.failed += 1,
            None => self.latencies.add(row.latency_ms),
        }
        let ahead = place.saturating_sub(self.next);
        if self.waiting.len() <= ahead {
            self.waiting.resize(ahead + 1, None);
        }
        if let Some(slot) = self.waiting.get_mut(ahead) {
            *slot = Some(row.points);
        }
        while let Some(Some(points)) = self.waiting.pop_front_if(|points| points.is_some()) {
            self.count_in(points);
        }
    }

    /// Adds what still waits for an example that was never evaluated.
    pub fn settled(mut self) -> Self {
        for points in std::mem::take(&mut self.waiting).into_iter().flatten() {
            self.count_in(points);
        }
        self
    }

    fn count_in(&mut self, points: f64) {
        self.next += 1;
        self.sum += points;
        let from_mean = points - self.mean;
        self.mean += from_mean / self.next as f64;
        self.squares += from_mean * (points - self.mean);
    }

    /// The mean score in percent.
    pub fn score(&self) -> f64 {
        percent(self.sum, self.count.max(1))
    }

    /// 1.96 standard errors of the mean score, in percent.
    pub fn margin(&self) -> Option<f64> {
        let count = self.count as f64;
        (count > 1.0).then(|| rounded(196.0 * (self.squares / (count - 1.0) / count).sqrt()))
    }

    /// The latency that this share of those that did not fail did not exceed, by the nearest rank.
    pub fn latency_ms(&self, share: f64) -> Option<f64> {
        self.latencies.at(share)
    }
}

/// How many different latencies are told apart to the last digit.
const EXACT: usize = 2000;

/// The bits of a number whose loss changes it by less than a thousandth.
const FINE_BITS: u64 = (1 << 42) - 1;

/// How often there was which latency. Where too many are different, they are cut to a thousandth.
#[derive(Clone, Debug, Default)]
struct Latencies {
    /// In order, by their bits, whose order is that of the numbers.
    counts: Vec<(u64, usize)>,
    is_cut: bool,
}

impl Latencies {
    fn add(&mut self, ms: f64) {
        let bits = self.kept(ms.max(0.0).to_bits());
        let found = self.counts.binary_search_by_key(&bits, |(bits, _)| *bits);
        match found.map(|at| self.counts.get_mut(at)) {
            Ok(Some((_, count))) => *count += 1,
            Ok(None) => {}
            Err(at) => self.counts.insert(at, (bits, 1)),
        }
        if self.counts.len() > EXACT && !self.is_cut {
            self.is_cut = true;
            for (bits, count) in std::mem::take(&mut self.counts) {
                let bits = self.kept(bits);
                match self.counts.last_mut().filter(|(last, _)| *last == bits) {
                    Some((_, more)) => *more += count,
                    None => self.counts.push((bits, count)),
                }
            }
        }
    }

    fn kept(&self, bits: u64) -> u64 {
        if self.is_cut { bits & !FINE_BITS } else { bits }
    }

    fn at(&self, share: f64) -> Option<f64> {
        let count: usize = self.counts.iter().map(|(_, count)| count).sum();
        let mut rank = ((share * count as f64).ceil() as usize).clamp(1, count.max(1));
        for (bits, count) in &self.counts {
            if rank <= *count {
                return Some(f64::from_bits(*bits));
            }
            rank -= count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Latencies;

    #[test]
    fn latencies_are_exact_while_few_differ_and_close_to_it_from_then_on() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.at(0.5), None);
        for i in 0..2000 {
            latencies.add(10.0 + f64::from(i) / 7.0);
        }
        assert_eq!(
            [0.0, 0.5, 1.0].map(|share| latencies.at(share)),
            [10.0, 10.0 + 999.0 / 7.0, 10.0 + 1999.0 / 7.0].map(Some)
        );
        for i in 0..200_000 {
            latencies.add(10.0 + f64::from(i) / 700.0);
        }
        for (share, exact) in [(0.5, 152.8), (0.95, 281.4), (0.99, 292.9)] {
            let told = latencies.at(share).unwrap();
            assert!((told / exact - 1.0).abs() < 1.5e-3, "{told} for {exact}");
        }
        assert!(latencies.counts.len() < 6000);
    }
}
