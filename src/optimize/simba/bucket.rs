//! Buckets: the trajectories of one example, and how far they are apart.

use std::cmp::Ordering;

use super::trajectory::Trajectory;
use crate::sort::sort_by;

/// The trajectories of an example, the best first.
pub(super) struct Bucket<'a> {
    pub trajectories: Vec<Trajectory<'a>>,
    /// How far the best score is above the worst, the best score, and how far it is above the mean.
    gaps: [f64; 3],
}

impl<'a> Bucket<'a> {
    fn new(mut trajectories: Vec<Trajectory<'a>>) -> Self {
        sort_by(&mut trajectories, |a, b| b.row.points.total_cmp(&a.row.points));
        let points = || trajectories.iter().map(|trajectory| trajectory.row.points);
        let (most, least) = (points().next().unwrap_or_default(), points().next_back().unwrap_or_default());
        let mean = points().sum::<f64>() / trajectories.len() as f64;
        Self { gaps: [most - least, most, most - mean], trajectories }
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.gaps.partial_cmp(&other.gaps).unwrap_or(Ordering::Equal)
    }
}

/// What a batch came to.
pub(super) struct Batch<'a> {
    /// Those whose trajectories differ most first.
    pub buckets: Vec<Bucket<'a>>,
    /// A tenth of all scores is below this one.
    pub low: f64,
    /// A tenth is above this one.
    pub high: f64,
}

impl<'a> Batch<'a> {
    /// Of trajectories that go through `size` examples again and again.
    pub fn new(trajectories: Vec<Trajectory<'a>>, size: usize) -> Self {
        let mut points: Vec<f64> = trajectories.iter().map(|trajectory| trajectory.row.points).collect();
        points.sort_unstable_by(f64::total_cmp);
        let mut of_examples: Vec<Vec<Trajectory>> = Vec::new();
        of_examples.resize_with(size, Vec::new);
        for (place, trajectory) in trajectories.into_iter().enumerate() {
            if let Some(of_example) = of_examples.get_mut(place % size) {
                of_example.push(trajectory);
            }
        }
        let mut buckets: Vec<Bucket> = of_examples.into_iter().map(Bucket::new).collect();
        sort_by(&mut buckets, |a, b| b.compare(a));
        Self { buckets, low: percentile(&points, 0.1), high: percentile(&points, 0.9) }
    }
}

/// `numpy.percentile` of numbers in order: between two numbers, what lies on the line through them.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = sorted.len().saturating_sub(1) as f64 * share;
    let at = |place: f64| sorted.get(place as usize).copied();
    let below = at(place.floor()).unwrap_or_default();
    let above = at(place.floor() + 1.0).unwrap_or(below);
    let (part, gap) = (place.fract(), above - below);
    if part >= 0.5 { above - gap * (1.0 - part) } else { below + gap * part }
}

#[cfg(test)]
mod tests {
    use super::percentile;

    /// From numpy 2.4.6.
    #[test]
    fn percentiles_are_those_of_numpy() {
        let tenths: Vec<f64> = (0..7).map(|number| 0.1 * f64::from(number)).collect();
        for (numbers, share, expected) in [
            (&[0.0, 0.25, 0.5, 1.0, 1.0][..], 0.1, 0.1),
            (&tenths, 0.9, f64::from_bits(0x3fe1_47ae_147a_e148)),
            (&[0.5], 0.9, 0.5),
        ] {
            assert_eq!(percentile(numbers, share), expected);
        }
    }
}
