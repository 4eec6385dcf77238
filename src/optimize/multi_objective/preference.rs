//! The Pareto front, and the choice of one on it.

use super::Objective;

/// How one program of the front is chosen, of those that keep to all limits. When none does, it is the one that is least beyond them.
///
/// Values are compared on the scale between the worst and the best one of the programs that are chosen from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// The greatest sum of the objectives by their weights.
    Weights,
    /// The knee of the front: nearest to a program that would be the best by every objective. Weights do not count.
    Knee,
}

/// Candidates by what they come to: for each the values of the objectives.
pub(super) struct Points<'a> {
    pub objectives: &'a [Objective],
    pub values: Vec<Vec<f64>>,
}

impl Points<'_> {
    /// The places that no other one beats: none is as good by all objectives, and better by one.
    pub fn front(&self, among: &[usize]) -> Vec<usize> {
        let is_beaten = |place: &usize| among.iter().any(|other| self.beats(*other, *place));
        among.iter().filter(|place| !is_beaten(place)).copied().collect()
    }

    /// The best first: the ones of the front, then those that would be the front without them, and so on; in a front by the choice.
    pub fn ranked(&self, preference: Preference) -> Vec<usize> {
        let mut left: Vec<usize> = (0..self.values.len()).collect();
        let mut ranked = Vec::new();
        while !left.is_empty() {
            let mut front = self.front(&left);
            left.retain(|place| !front.contains(place));
            while let Some(best) = self.best(&front, preference) {
                front.retain(|place| *place != best);
                ranked.push(best);
            }
        }
        ranked
    }

    /// The one that is chosen.
    pub fn best(&self, among: &[usize], preference: Preference) -> Option<usize> {
        let least = among.iter().map(|place| self.excess(*place)).fold(f64::INFINITY, f64::min);
        let mut among = among.to_vec();
        among.retain(|place| self.excess(*place) <= least);
        let mut best: Option<(usize, f64)> = None;
        for place in &among {
            let worth = self.worth(*place, &among, preference);
            if best.is_none_or(|(_, most)| worth > most) {
                best = Some((*place, worth));
            }
        }
        best.map(|(place, _)| place)
    }

    /// How far a candidate is beyond the limits, as a sum of shares.
    pub fn excess(&self, place: usize) -> f64 {
        self.pairs(place).map(|(objective, value)| objective.excess(value)).sum()
    }

    fn pairs(&self, place: usize) -> impl Iterator<Item = (&Objective, f64)> {
        self.objectives.iter().zip(self.values.get(place).into_iter().flatten().copied())
    }

    fn gains(&self, place: usize) -> impl Iterator<Item = f64> {
        self.pairs(place).map(|(objective, value)| objective.gain(value))
    }

    fn beats(&self, one: usize, other: usize) -> bool {
        let both = || self.gains(one).zip(self.gains(other));
        both().all(|(one, other)| one >= other) && both().any(|(one, other)| one > other)
    }

    fn worth(&self, place: usize, among: &[usize], preference: Preference) -> f64 {
        let mut total = 0.0;
        for (at, (objective, value)) in self.pairs(place).enumerate() {
            let gains = || among.iter().filter_map(|other| self.gains(*other).nth(at)).filter(|gain| gain.is_finite());
            let worst = gains().fold(f64::INFINITY, f64::min);
            let best = gains().fold(f64::NEG_INFINITY, f64::max);
            let gain = objective.gain(value);
            let share = if best > worst {
                ((gain - worst) / (best - worst)).max(0.0)
            } else {
                f64::from(u8::from(gain >= best))
            };
            total += match preference {
                Preference::Weights => objective.weight * share,
                Preference::Knee => -(1.0 - share).powi(2),
            };
        }
        total
    }
}
