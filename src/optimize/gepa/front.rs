//! The Pareto front: for each example of the validation set the candidates that do best on it.

use crate::optimize::gepa::CandidateSelection;
use crate::python::{NumberSet, Random};
use crate::sort::sort_by;

/// How many candidates [`CandidateSelection::TopKPareto`] leaves.
const TOP: usize = 5;

/// How often [`CandidateSelection::EpsilonGreedy`] takes any candidate.
const EPSILON: f64 = 0.1;

/// The candidate that is changed next.
pub(super) fn select(
    selection: CandidateSelection,
    front: &[NumberSet],
    scores: &[f64],
    random: &mut Random,
) -> Option<usize> {
    match selection {
        CandidateSelection::Pareto => draw(front, scores, random),
        CandidateSelection::CurrentBest => best(scores),
        CandidateSelection::EpsilonGreedy if random.random() < EPSILON => {
            usize::try_from(random.randrange(scores.len() as u64)).ok()
        }
        CandidateSelection::EpsilonGreedy => best(scores),
        CandidateSelection::TopKPareto => {
            let mut ranked: Vec<usize> = (0..scores.len()).collect();
            sort_by(&mut ranked, |a, b| score(scores, *b).total_cmp(&score(scores, *a)));
            let top: NumberSet = ranked.into_iter().take(TOP).collect();
            let mut front: Vec<NumberSet> = front.iter().map(|best| best.intersection(&top)).collect();
            front.retain(|best| !best.is_empty());
            if front.is_empty() { best(scores) } else { draw(&front, scores, random) }
        }
    }
}

/// The first of the candidates that score best.
pub(super) fn best(scores: &[f64]) -> Option<usize> {
    let mut best = None;
    for (place, score) in scores.iter().enumerate() {
        if best.is_none_or(|(_, most)| *score > most) {
            best = Some((place, *score));
        }
    }
    best.map(|(place, _)| place)
}

/// The candidates that the front needs.
pub(super) fn dominators(front: &[NumberSet], scores: &[f64]) -> Vec<usize> {
    let needed: NumberSet = undominated(front, scores).iter().flat_map(NumberSet::iter).collect();
    needed.iter().collect()
}

/// One of the candidates that the front needs, with the chance of how often it is there.
fn draw(front: &[NumberSet], scores: &[f64], random: &mut Random) -> Option<usize> {
    let front = undominated(front, scores);
    let order = seen(&front);
    let times = |candidate: usize| front.iter().filter(|best| best.contains(candidate)).count();
    let pool: Vec<usize> =
        order.into_iter().flat_map(|candidate| std::iter::repeat_n(candidate, times(candidate))).collect();
    random.choice(&pool).copied()
}

/// The front without the candidates that others can stand in for everywhere; the worse ones go first.
fn undominated(front: &[NumberSet], scores: &[f64]) -> Vec<NumberSet> {
    let mut kept = seen(front);
    sort_by(&mut kept, |a, b| score(scores, *a).total_cmp(&score(scores, *b)));
    let is_dominated = |candidate: usize, kept: &[usize]| {
        let others = |best: &NumberSet| best.iter().any(|other| other != candidate && kept.contains(&other));
        front.iter().filter(|best| best.contains(candidate)).all(others)
    };
    while let Some(place) = kept.iter().position(|candidate| is_dominated(*candidate, &kept)) {
        kept.remove(place);
    }
    front.iter().map(|best| best.iter().filter(|candidate| kept.contains(candidate)).collect()).collect()
}

/// The candidates of a front in the order in which they are met.
fn seen(front: &[NumberSet]) -> Vec<usize> {
    let mut seen = Vec::new();
    for candidate in front.iter().flat_map(NumberSet::iter) {
        if !seen.contains(&candidate) {
            seen.push(candidate);
        }
    }
    seen
}

fn score(scores: &[f64], candidate: usize) -> f64 {
    scores.get(candidate).copied().unwrap_or(f64::NEG_INFINITY)
}
