//! Merges: one candidate of two that have a common ancestor, of each what it has changed.

use std::cmp::Ordering;

use super::front;
use super::pool::{Known, Pool, Texts};
use crate::error::Result;
use crate::python::{NumberSet, Random};
use crate::sort::sort_by;

/// How often a pair is drawn, and how often pairs are.
const ATTEMPTS: usize = 10;

/// How many examples two candidates must have in common.
const OVERLAP: usize = 5;

/// How many examples a merged candidate is tried on first.
pub(super) const SUBSAMPLE: usize = 5;

/// The merges of a search.
#[derive(Default)]
pub(super) struct Merges {
    /// Pairs that were merged, with the ancestor.
    triplets: Vec<(usize, usize, usize)>,
    /// Pairs that were merged, with the candidate that each text was taken from.
    recipes: Vec<(usize, usize, Vec<usize>)>,
}

/// Two candidates made one.
pub(super) struct Merged {
    pub texts: Texts,
    pub parents: [usize; 2],
    /// The places of the examples that it is tried on first.
    pub examples: Vec<usize>,
}

impl Merges {
    /// A merged candidate, when there are two to merge.
    ///
    /// # Errors
    /// None in practice: no more is drawn than there is.
    pub(super) fn propose(&mut self, pool: &Pool, random: &mut Random) -> Result<Option<Merged>> {
        let wanted = front::dominators(&pool.front(), &pool.scores());
        if wanted.len() < 2 || pool.candidates.len() < 3 {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS {
            let Some((first, second, ancestor)) = self.pair(pool, &wanted, random)? else { continue };
            let candidate = |place| pool.candidates.get(place);
            let (Some(a), Some(b), Some(origin)) = (candidate(first), candidate(second), candidate(ancestor)) else {
                continue;
            };
            let (texts, recipe) = mixed(origin, (first, a), (second, b), random);
            let recipe = (first, second, recipe);
            if self.recipes.contains(&recipe) || a.scores.len() < OVERLAP {
                continue;
            }
            self.recipes.push(recipe);
            self.triplets.push((first, second, ancestor));
            let examples = subsample(&a.scores, &b.scores, random)?;
            return Ok(Some(Merged { texts, parents: [first, second], examples }));
        }
        Ok(None)
    }

    /// Two of the candidates, of which none comes from the other, and an ancestor of both.
    fn pair(&self, pool: &Pool, wanted: &[usize], random: &mut Random) -> Result<Option<(usize, usize, usize)>> {
        for _ in 0..ATTEMPTS {
            let drawn = random.sample(wanted.len(), 2)?;
            let mut drawn: Vec<usize> = drawn.into_iter().filter_map(|place| wanted.get(place).copied()).collect();
            sort_by(&mut drawn, usize::cmp);
            let [first, second] = drawn[..] else { continue };
            let (of_first, of_second) = (ancestors(pool, first), ancestors(pool, second));
            if of_first.contains(second) || of_second.contains(first) {
                continue;
            }
            let common: Vec<usize> = of_first.intersection(&of_second).iter().collect();
            let common: Vec<usize> =
                common.into_iter().filter(|ancestor| self.is_useful(pool, first, second, *ancestor)).collect();
            let weights: Vec<f64> =
                common.iter().filter_map(|ancestor| pool.candidates.get(*ancestor)).map(|known| known.score).collect();
            // DSPy's search ends with an error where all ancestors score 0; here such a pair is none.
            if let Ok(drawn) = random.choices(&weights, 1)
                && let Some(ancestor) = drawn.first().and_then(|place| common.get(*place))
            {
                return Ok(Some((first, second, *ancestor)));
            }
        }
        Ok(None)
    }

    /// Whether two candidates are better than an ancestor of theirs, and one of them keeps a text of it that the other has changed.
    fn is_useful(&self, pool: &Pool, first: usize, second: usize, ancestor: usize) -> bool {
        let candidate = |place| pool.candidates.get(place);
        let (Some(a), Some(b), Some(origin)) = (candidate(first), candidate(second), candidate(ancestor)) else {
            return false;
        };
        let differs = |(name, text): (&String, &String)| {
            let (a, b) = (a.texts.get(name), b.texts.get(name));
            (a == Some(text) || b == Some(text)) && a != b
        };
        !self.triplets.contains(&(first, second, ancestor))
            && origin.score <= a.score
            && origin.score <= b.score
            && origin.texts.iter().any(differs)
    }
}

/// The texts of an ancestor with the changes of both, and from which of the two each one is.
///
/// Python goes through the predictors in an order that changes from process to process; here it is that of the program.
fn mixed(origin: &Known, first: (usize, &Known), second: (usize, &Known), random: &mut Random) -> (Texts, Vec<usize>) {
    let (mut texts, mut recipe) = (origin.texts.clone(), Vec::new());
    for (name, text) in &mut texts {
        let (a, b) = (first.1.texts.get(name), second.1.texts.get(name));
        let taken = match (a == Some(text), b == Some(text)) {
            (true, false) => second,
            (false, true) | (true, true) => first,
            (false, false) => match first.1.score.partial_cmp(&second.1.score) {
                Some(Ordering::Greater) => first,
                Some(Ordering::Less) => second,
                _ if random.choice(&[true, false]) == Some(&true) => first,
                _ => second,
            },
        };
        if let Some(taken) = taken.1.texts.get(name) {
            text.clone_from(taken);
        }
        recipe.push(taken.0);
    }
    (texts, recipe)
}

/// The candidates that one comes from.
fn ancestors(pool: &Pool, candidate: usize) -> NumberSet {
    fn add(pool: &Pool, candidate: usize, found: &mut NumberSet) {
        for parent in pool.candidates.get(candidate).into_iter().flat_map(|known| &known.parents) {
            if !found.contains(*parent) {
                found.insert(*parent);
                add(pool, *parent, found);
            }
        }
    }
    let mut found = NumberSet::default();
    add(pool, candidate, &mut found);
    found.iter().collect() // as a set of the list of the set
}

/// The places of a few examples: of those that the first one does better on, of those that the second one does, and of others.
fn subsample(first: &[f64], second: &[f64], random: &mut Random) -> Result<Vec<usize>> {
    let each = SUBSAMPLE.div_ceil(3);
    let mut chosen: Vec<usize> = Vec::new();
    let kind = |(a, b): (&f64, &f64)| match a.partial_cmp(b) {
        Some(Ordering::Greater) => 0,
        Some(Ordering::Less) => 1,
        _ => 2,
    };
    for wanted in 0..3 {
        let pairs = first.iter().zip(second).enumerate();
        let places: Vec<usize> = pairs.filter(|(_, pair)| kind(*pair) == wanted).map(|(place, _)| place).collect();
        let take = places.len().min(each).min(SUBSAMPLE - chosen.len());
        if take > 0 {
            let drawn = random.sample(places.len(), take)?;
            chosen.extend(drawn.into_iter().filter_map(|drawn| places.get(drawn)));
        }
    }
    let missing = SUBSAMPLE - chosen.len();
    if missing > 0 {
        let unused: Vec<usize> = (0..first.len()).filter(|place| !chosen.contains(place)).collect();
        let drawn = random.sample(unused.len(), missing.min(unused.len()))?;
        chosen.extend(drawn.into_iter().filter_map(|drawn| unused.get(drawn)));
    }
    Ok(chosen)
}
