//! TPE: where to look next, from what was found so far.

use crate::python::Random;
use crate::sort::sort_by;

/// The tree-structured Parzen estimator of optuna 5.0, for choices: its `TPESampler(seed=seed, multivariate=True)` with the defaults
/// that it has there. A search asks for a point, scores it, and tells the score; more is better.
///
/// The first points are drawn at random. Then those that scored best, one in ten, are told apart from the rest; points are drawn near
/// the good ones, and the one is taken that is likeliest among the good compared with the rest.
///
/// The generator is optuna's (numpy's `RandomState`, a Mersenne Twister), and so are the points. Where two are equally likely, the last
/// bit of a logarithm decides, which is not the same on all processors, with numpy neither.
///
/// ```
/// use lakelet::optimize::{Choice, Tpe};
/// let space = vec![Choice { name: "colour".into(), options: 6 }, Choice { name: "size".into(), options: 6 }];
/// let mut tpe = Tpe::new(space, 9);
/// let mut found = 0.0_f64;
/// for _ in 0..40 {
///     let point = tpe.ask();
///     let score = 10.0 - point.iter().map(|option| option.abs_diff(4) as f64).sum::<f64>();
///     tpe.tell(point, score);
///     found = found.max(score);
/// }
/// assert_eq!(found, 10.0);
/// ```
pub struct Tpe {
    space: Vec<Choice>,
    /// The places of what there is to choose, in the order in which optuna goes through it.
    order: Vec<usize>,
    trials: Vec<(Vec<usize>, f64)>,
    first: Random,
    random: Random,
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// optuna goes through the choices in the order of their names.
    pub name: String,
    /// How many options there are, at least one.
    pub options: usize,
}

/// How many trials there are before the estimator is asked.
const STARTUP_TRIALS: usize = 10;
/// Among how many points the best is looked for.
const CANDIDATES: usize = 24;
/// How many trials count in full, of those that are not among the best: older ones count less.
const RECENT: usize = 25;

impl Tpe {
    /// A search in that space.
    pub fn new(space: Vec<Choice>, seed: u32) -> Self {
        let mut order: Vec<usize> =
            space.iter().zip(0..).filter(|(choice, _)| choice.options > 1).map(|(_, place)| place).collect();
        let name = |place: &usize| space.get(*place).map(|choice| &choice.name);
        sort_by(&mut order, |a, b| name(a).cmp(&name(b)));
        let random = Random::of_numpy(seed);
        Self { space, order, trials: Vec::new(), first: random.clone(), random }
    }

    /// The next point to score: an option for each choice, counted from 0.
    pub fn ask(&mut self) -> Vec<usize> {
        if self.trials.len() < STARTUP_TRIALS {
            return self.space.iter().map(|choice| random_option(&mut self.first, choice.options)).collect();
        }
        let (good, rest) = self.split();
        let samples = good.sample(&mut self.random);
        let mut best: Option<(f64, Vec<usize>)> = None;
        for sample in samples {
            let gain = good.log_likelihood(&sample) - rest.log_likelihood(&sample);
            if best.as_ref().is_none_or(|(most, _)| gain > *most) {
                best = Some((gain, sample));
            }
        }
        let mut point = vec![0; self.space.len()];
        for (place, option) in self.order.iter().zip(best.map(|(_, sample)| sample).into_iter().flatten()) {
            if let Some(chosen) = point.get_mut(*place) {
                *chosen = option;
            }
        }
        point
    }

    /// What a point scored. It need not have been asked for; a score that is not a number is passed over.
    pub fn tell(&mut self, point: Vec<usize>, score: f64) {
        if !score.is_nan() {
            self.trials.push((point, score));
        }
    }

    /// The best trials and the others, each in the order of time.
    fn split(&self) -> (Mixture, Mixture) {
        let mut ranking: Vec<usize> = (0..self.trials.len()).collect();
        let score = |place: &usize| self.trials.get(*place).map_or(f64::NEG_INFINITY, |(_, score)| *score);
        sort_by(&mut ranking, |a, b| score(b).total_cmp(&score(a)));
        let best = self.trials.len().div_ceil(10).min(25);
        let (good, rest) = ranking.split_at(best.min(ranking.len()));
        (self.mixture(good), self.mixture(rest))
    }

    fn mixture(&self, trials: &[usize]) -> Mixture {
        let mut trials = trials.to_vec();
        sort_by(&mut trials, usize::cmp);
        let seen = |place: usize| -> Vec<usize> {
            trials.iter().filter_map(|trial| self.trials.get(*trial)?.0.get(place).copied()).collect()
        };
        let choices = self.order.iter().filter_map(|place| Some((self.space.get(*place)?.options, seen(*place))));
        Mixture {
            weights: weights(trials.len()),
            choices: choices.map(|(options, seen)| kernels(options, seen)).collect(),
        }
    }
}

/// Draws as optuna's `RandomSampler` does: the option whose number is highest.
fn random_option(random: &mut Random, options: usize) -> usize {
    let mut highest = (0, f64::NEG_INFINITY);
    if options > 1 {
        for option in 0..options {
            let number = random.random();
            if number > highest.1 {
                highest = (option, number);
            }
        }
    }
    highest.0
}

/// A distribution of points around those that were seen, and last one around nothing: the prior.
struct Mixture {
    /// Of each kernel; together 1.
    weights: Vec<f64>,
    /// For each choice, of each kernel, how likely each option is.
    choices: Vec<Vec<Vec<f64>>>,
}

impl Mixture {
    fn sample(&self, random: &mut Random) -> Vec<Vec<usize>> {
        let ends = cumulated(&self.weights);
        let total = ends.last().copied().unwrap_or(1.0);
        let mut draws = || (0..CANDIDATES).map(|_| random.random()).collect::<Vec<f64>>();
        let kernel = |point: f64| ends.iter().filter(|end| *end / total <= point).count();
        let drawn: Vec<usize> = draws().into_iter().map(kernel).collect();
        let mut samples = vec![Vec::new(); CANDIDATES];
        for kernels in &self.choices {
            for ((sample, kernel), point) in samples.iter_mut().zip(&drawn).zip(draws()) {
                let ends = kernels.get(*kernel).map(|likely| cumulated(likely)).unwrap_or_default();
                let inner = ends.split_last().map_or(&[][..], |(_, inner)| inner); // the last end is 1, whatever it sums up to
                sample.push(inner.iter().filter(|end| **end < point).count());
            }
        }
        samples
    }

    fn log_likelihood(&self, sample: &[usize]) -> f64 {
        let mut logs = vec![0.0; self.weights.len()];
        for (kernels, option) in self.choices.iter().zip(sample) {
            for (log, likely) in logs.iter_mut().zip(kernels) {
                *log += likely.get(*option).copied().unwrap_or(0.0).ln();
            }
        }
        for (log, weight) in logs.iter_mut().zip(&self.weights) {
            *log += weight.ln();
        }
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = logs.iter().map(|log| (log - most).exp()).collect();
        sum(&shares).ln() + most
    }
}

/// The weights of so many trials, the oldest first, and of the prior.
fn weights(trials: usize) -> Vec<f64> {
    let fading = trials.saturating_sub(RECENT);
    let oldest = 1.0 / trials as f64;
    let step = (1.0 - oldest) / fading.saturating_sub(1).max(1) as f64;
    let ramp = (0..fading).map(|place| match place {
        _ if place > 0 && place + 1 == fading => 1.0,
        _ => place as f64 * step + oldest,
    });
    let mut weights: Vec<f64> = ramp.chain(std::iter::repeat_n(1.0, trials - fading + 1)).collect();
    normalize(&mut weights);
    weights
}

/// How likely options are near each that was seen, and anywhere.
fn kernels(options: usize, seen: Vec<usize>) -> Vec<Vec<f64>> {
    let share = 1.0 / (seen.len() + 1) as f64;
    let kernel = |seen: Option<usize>| {
        let mut likely = vec![share; options];
        if let Some(seen) = seen.and_then(|seen| likely.get_mut(seen)) {
            *seen += 1.0;
        }
        normalize(&mut likely);
        likely
    };
    seen.into_iter().map(Some).chain([None]).map(kernel).collect()
}

fn normalize(weights: &mut [f64]) {
    let total = sum(weights);
    weights.iter_mut().for_each(|weight| *weight /= total);
}

fn cumulated(weights: &[f64]) -> Vec<f64> {
    let mut end = 0.0;
    weights.iter().map(|weight| (end += weight, end).1).collect()
}

/// Sums up in numpy's order, so that equal likelihoods are as equal as they are there.
fn sum(numbers: &[f64]) -> f64 {
    if numbers.len() > 128 {
        let half = numbers.len() / 2;
        let (front, back) = numbers.split_at(half - half % 8);
        return sum(front) + sum(back);
    }
    let eights = numbers.chunks_exact(8);
    let rest = eights.remainder();
    let mut lanes = [0.0; 8];
    for eight in eights {
        lanes.iter_mut().zip(eight).for_each(|(lane, number)| *lane += number);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |total, number| total + number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In how many of 100 searches the best of `6 ^ 4` points is among the first 60.
    fn successes(score: fn(&[usize]) -> f64, best: f64, random_only: bool) -> usize {
        let space: Vec<Choice> = ["a", "b", "c", "d"].map(|name| Choice { name: name.into(), options: 6 }).into();
        let found = |seed| {
            let mut tpe = Tpe::new(space.clone(), seed);
            (0..60).any(|_| {
                let point = tpe.ask();
                let score = score(&point);
                if !random_only {
                    tpe.tell(point, score);
                }
                score == best
            })
        };
        (0..100).filter(|seed| found(*seed)).count()
    }

    #[test]
    fn finds_the_best_point_far_more_often_than_chance() {
        let near = |point: &[usize]| -point.iter().map(|option| option.abs_diff(2) as f64).sum::<f64>();
        let equal = |point: &[usize]| point.iter().filter(|option| **option == 4).count() as f64;
        let (near, equal) = ((near as fn(&[usize]) -> f64, 0.0), (equal as fn(&[usize]) -> f64, 4.0));
        for (score, best) in [near, equal] {
            let (searched, random) = (successes(score, best, false), successes(score, best, true));
            assert!(searched > 50 && random < 10, "{searched} {random}");
        }
    }
}
