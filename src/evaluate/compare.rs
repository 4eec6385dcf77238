//! Whether one program does better than another on the same examples, or only seems to.

use super::evaluation::rounded;
use crate::error::{Error, ErrorKind, Result};
use crate::python::Random;

/// How many ways to swap the scores are tried, where there are more of them.
const DRAWS: u32 = 10_000;

/// How two programs do on the same examples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// How many examples both were evaluated on.
    pub count: usize,
    /// On how many of them the second program scored higher.
    pub better: usize,
    /// On how many of them it scored lower.
    pub worse: usize,
    /// By how much the mean score of the second program is higher, in percent.
    pub difference: f64,
    /// With 95 % confidence the difference on all such examples is at most so much higher or lower, in percent: 1.96 standard errors
    /// of the mean of the differences. `None` for a single example.
    pub margin: Option<f64>,
    /// How likely programs that are equally good differ so much, to either side: by McNemar's exact test where all scores are 0 or
    /// 1, else by a permutation test that swaps the scores of the two.
    pub p_value: f64,
}

/// Compares a second program with a first one by their [points](super::Evaluation::points) on the same examples, in the same order.
/// Examples that only one of them was evaluated on do not count: those whose points are NaN.
///
/// McNemar's test gives `2 P(X <= min(better, worse))` for `X ~ Binomial(better + worse, 1/2)`, at most 1. The permutation test swaps
/// the scores of examples in all ways where at most 13 differ, else in 10,000 ways that Python's `random.Random(seed)` draws, and then
/// gives `(1 + as large) / (1 + 10,000)`.
///
/// # Errors
/// [`Input`](ErrorKind::Input), when the sets differ in length, or there is no example that both were evaluated on.
///
/// ```
/// # fn example(before: lakelet::evaluate::Evaluation, after: lakelet::evaluate::Evaluation) -> lakelet::Result<()> {
/// let comparison = lakelet::evaluate::compare(&before.points(), &after.points(), 0)?;
/// println!("{:+} %, p = {:.3}", comparison.difference, comparison.p_value);
/// # Ok(()) }
/// ```
pub fn compare(first: &[f64], second: &[f64], seed: i128) -> Result<Comparison> {
    if first.len() != second.len() {
        return Err(other_sets(&format!(
            "one evaluation is of {} examples, the other of {}",
            first.len(),
            second.len()
        )));
    }
    let pairs = || first.iter().zip(second).filter(|(a, b)| !a.is_nan() && !b.is_nan());
    let differences: Vec<f64> = pairs().map(|(a, b)| b - a).collect();
    if differences.is_empty() {
        return Err(other_sets("there is no example that both programs were evaluated on"));
    }
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let squares: f64 = differences.iter().map(|difference| (difference - mean).powi(2)).sum();
    let better = differences.iter().filter(|difference| **difference > 0.0).count();
    let worse = differences.iter().filter(|difference| **difference < 0.0).count();
    let is_right_or_wrong = pairs().all(|(a, b)| [a, b].iter().all(|points| [0.0, 1.0].contains(*points)));
    Ok(Comparison {
        count: differences.len(),
        better,
        worse,
        difference: rounded(100.0 * mean),
        margin: (count > 1.0).then(|| rounded(196.0 * (squares / (count - 1.0) / count).sqrt())),
        p_value: if is_right_or_wrong { mcnemar(better, worse) } else { permuted(differences, seed) },
    })
}

fn other_sets(message: &str) -> Error {
    Error::new(ErrorKind::Input, message).with_hint("evaluate both programs on the same set, and keep its order")
}

fn mcnemar(better: usize, worse: usize) -> f64 {
    let (fewer, all) = (better.min(worse), better + worse);
    // The ways to choose at most so few, and how often they are still to be halved: they are too many for a number.
    let (mut sum, mut ways, mut halvings) = (1.0, 1.0, all);
    for chosen in 1..=fewer {
        ways = ways * (all - chosen + 1) as f64 / chosen as f64;
        sum += ways;
        while sum > 1.0 && halvings > 0 {
            (sum, ways, halvings) = (sum / 2.0, ways / 2.0, halvings - 1);
        }
    }
    (2.0 * sum * 0.5_f64.powi(i32::try_from(halvings).unwrap_or(i32::MAX))).min(1.0)
}

fn permuted(mut differences: Vec<f64>, seed: i128) -> f64 {
    differences.retain(|difference| *difference != 0.0);
    // Sums of the same numbers with other signs differ in their last digits.
    let least = differences.iter().sum::<f64>().abs() * (1.0 - 1e-12);
    let ways = 1_u64.checked_shl(differences.len() as u32).filter(|ways| *ways <= u64::from(DRAWS));
    if let Some(ways) = ways {
        let large = (0..ways).filter(|way| swapped(&differences, || *way) >= least).count();
        return large as f64 / ways as f64;
    }
    let mut random = Random::new(seed);
    let large = (0..DRAWS).filter(|_| swapped(&differences, || random.getrandbits(64)) >= least).count();
    (1.0 + large as f64) / (1.0 + f64::from(DRAWS))
}

/// The size of the sum with other signs, 64 of them at a time.
fn swapped(differences: &[f64], mut signs: impl FnMut() -> u64) -> f64 {
    let signed = differences.chunks(64).map(|part| {
        let signs = signs();
        let number = |(place, number): (usize, &f64)| if signs >> place & 1 == 1 { -number } else { *number };
        part.iter().enumerate().map(number).sum::<f64>()
    });
    signed.sum::<f64>().abs()
}

#[cfg(test)]
mod tests {
    use super::{compare, mcnemar, permuted};
    use crate::error::ErrorKind;

    /// What `scipy.stats.binomtest(k, n).pvalue` gives (SciPy 1.17.1).
    #[test]
    fn mcnemars_test_is_exact() {
        for (fewer, all, p) in
            [(2, 11, 0.065_429_687_5), (600, 1300, 0.006_015_793_861_044_939_5), (3, 6, 1.0), (0, 0, 1.0)]
        {
            for (better, worse) in [(fewer, all - fewer), (all - fewer, fewer)] {
                assert!(
                    (mcnemar(better, worse) / p - 1.0).abs() < 1e-11,
                    "{fewer} of {all}: {}",
                    mcnemar(better, worse)
                );
            }
        }
    }

    /// What `scipy.stats.permutation_test` gives with all permutations of pairs, `permutation_type="samples"`.
    #[test]
    fn few_differences_are_swapped_in_all_ways() {
        assert_eq!(permuted(vec![0.3, 0.2, -0.1, 0.25, 0.0, 0.4, 0.15, -0.05], 0), 0.078_125);
        assert_eq!(permuted(vec![0.0, 0.0], 0), 1.0);
    }

    #[test]
    fn many_differences_are_swapped_by_chance() {
        let even: Vec<f64> = (0..200).map(|i| if i % 2 == 0 { 0.5 } else { -0.5 }).collect();
        assert_eq!(permuted(even, 0), 1.0);
        assert_eq!(permuted(vec![0.25; 200], 0), 1.0 / 10_001.0);
        // Of 20, at least 14 have the same sign: `binomtest(6, 20)` gives 0.1153.
        let mixed: Vec<f64> = (0..20).map(|i| if i < 14 { 0.25 } else { -0.25 }).collect();
        assert!((permuted(mixed.clone(), 0) - 0.1153).abs() < 0.01);
        assert_ne!(permuted(mixed.clone(), 0), permuted(mixed, 1));
    }

    #[test]
    fn what_both_were_evaluated_on_counts() {
        let none = f64::NAN;
        let comparison = compare(&[1.0, 0.0, 0.0, none, 1.0], &[1.0, 1.0, 1.0, 1.0, none], 0).unwrap();
        assert_eq!((comparison.count, comparison.better, comparison.worse), (3, 2, 0));
        assert_eq!((comparison.difference, comparison.margin, comparison.p_value), (66.67, Some(65.33), 0.5));
        assert_eq!(compare(&[0.5], &[0.25], 0).unwrap().margin, None);
        for (first, second) in [(&[1.0, none][..], &[none, 1.0][..]), (&[], &[]), (&[1.0], &[1.0, 0.0])] {
            assert_eq!(compare(first, second, 0).unwrap_err().kind(), ErrorKind::Input);
        }
    }
}
