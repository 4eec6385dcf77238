//! All programs of a search, and how they scored on batches.

use std::rc::Rc;

use crate::error::Result;
use crate::module::Variant;
use crate::python::Random;
use crate::sort::sort_by;

/// The place of the student.
const STUDENT: usize = 0;

/// All programs; the first is the student, which counts as scoring 0 until the end.
pub(super) struct Pool {
    programs: Vec<(Rc<Variant>, f64)>,
}

impl Pool {
    pub fn new(student: Rc<Variant>) -> Self {
        Self { programs: vec![(student, 0.0)] }
    }

    /// Takes in a program, with its mean score on a batch.
    pub fn add(&mut self, program: Rc<Variant>, score: f64) {
        self.programs.push((program, score));
    }

    pub fn program(&self, place: usize) -> Option<&Rc<Variant>> {
        self.programs.get(place).map(|(program, _)| program)
    }

    /// The places of the `k` best, the student always among them: DSPy's `top_k_plus_baseline`.
    pub fn best(&self, k: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.programs.len()).collect();
        sort_by(&mut places, |a, b| self.score(*b).total_cmp(&self.score(*a)));
        places.truncate(k);
        if !places.contains(&STUDENT)
            && let Some(last) = places.last_mut()
        {
            *last = STUDENT;
        }
        places
    }

    fn score(&self, place: usize) -> f64 {
        self.programs.get(place).map_or(0.0, |(_, score)| *score)
    }

    /// One of the places, drawn by the softmax of the scores: DSPy's `softmax_sample`.
    pub fn pick(&self, random: &mut Random, places: &[usize], temperature: f64) -> Result<usize> {
        let weights: Vec<f64> = places.iter().map(|place| (self.score(*place) / temperature).exp()).collect();
        let sum: f64 = weights.iter().sum();
        if sum <= 0.0 {
            return Ok(random.choice(places).copied().unwrap_or_default());
        }
        let shares: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
        let drawn = random.choices(&shares, 1).map_err(|error| {
            error.with_hint("give scores between 0 and 1, or raise the temperatures: programs are drawn by `exp(score / temperature)`")
        })?;
        Ok(drawn.first().and_then(|drawn| places.get(*drawn)).copied().unwrap_or_default())
    }
}
