//! A search under way.

use super::preference::{Points, Preference};
use super::{Measure, MultiObjective, MultiObjectiveResult, Weighed};
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::module::{Module, Variant};
use crate::optimize::measure::{Measured, unpriced};
use crate::optimize::{Optimized, Study, Training};
use crate::python::Random;
use crate::state;

pub(super) struct Search<'a> {
    of: &'a MultiObjective,
    study: Study<'a>,
    candidates: Vec<Candidate>,
}

struct Candidate {
    program: Variant,
    model: Option<String>,
    measured: Option<Measured>,
}

impl Candidate {
    fn examples(&self) -> usize {
        self.measured.as_ref().map_or(0, |measured| measured.evaluation.rows.len())
    }
}

impl<'a> Search<'a> {
    pub fn new(of: &'a MultiObjective, study: Study<'a>) -> Self {
        Self { of, study, candidates: Vec::new() }
    }

    pub async fn run(mut self, training: &Training<'_>) -> Result<MultiObjectiveResult> {
        let mut fallback = Variant::copy_of(&training.student);
        let ended = match self.explore(training, &mut fallback).await {
            Ok(()) => Ok(None),
            Err(end) if end.kind() == ErrorKind::Budget => Ok(Some(end)),
            Err(error) => Err(error),
        };
        self.finish(fallback, ended).await
    }

    async fn explore(&mut self, training: &Training<'_>, fallback: &mut Variant) -> Result<()> {
        let programs = self.programs(training, fallback).await?;
        self.with_models(programs)?;
        let mut examples = training.scored_on().to_vec();
        Random::new(self.of.seed.into()).shuffle(&mut examples);
        let mut left: Vec<usize> = (0..self.candidates.len()).collect();
        let mut end = self.of.min_examples.max(1).min(examples.len());
        loop {
            for place in &left {
                self.measure(*place, &examples, end).await?;
            }
            if end >= examples.len() {
                return Ok(());
            }
            if self.of.halving && left.len() > 1 {
                let ranked = self.points(&left).ranked(self.of.preference);
                let best = ranked.into_iter().take(left.len().div_ceil(2));
                left = best.filter_map(|at| left.get(at).copied()).collect();
            }
            end = if left.len() == 1 { examples.len() } else { (2 * end).min(examples.len()) };
        }
    }

    /// The student and what the sources find, each once.
    async fn programs(&mut self, training: &Training<'_>, fallback: &mut Variant) -> Result<Vec<Variant>> {
        let student = Variant::copy_of(&training.student);
        let mut known = vec![state::dump(&student)?];
        let mut programs = vec![student];
        for source in &self.of.sources {
            let training = Training { observer: None, ..training.clone() };
            let found = source.compile(self.study.run(), training).await?;
            fallback.clone_from(&found.program);
            let others = found.candidates.into_iter().map(|scored| scored.program);
            let mut taken = 0;
            for program in [found.program].into_iter().chain(others) {
                let saved = state::dump(&program)?;
                if taken < self.of.num_candidates && !known.contains(&saved) {
                    known.push(saved);
                    programs.push(program);
                    taken += 1;
                }
            }
            if let Some(end) = found.stopped_by {
                return Err(end);
            }
        }
        Ok(programs)
    }

    /// Each program with each model.
    fn with_models(&mut self, programs: Vec<Variant>) -> Result<()> {
        let models = match self.of.models.is_empty() {
            true => vec![None],
            false => self.of.models.iter().cloned().map(Some).collect(),
        };
        for program in programs {
            for model in &models {
                let mut program = program.clone();
                if model.is_some() {
                    program.predictors_mut().into_iter().for_each(|(_, predict)| predict.set_model(model.clone()));
                }
                self.check_prices(&program)?;
                self.candidates.push(Candidate { program, model: model.clone(), measured: None });
            }
        }
        Ok(())
    }

    fn check_prices(&self, program: &Variant) -> Result<()> {
        let in_dollars = self.of.objectives.iter().any(|objective| objective.measure == Measure::Dollars);
        match unpriced(self.study.run(), program, &self.of.prices)? {
            Some(model) if in_dollars => {
                Err(Error::new(ErrorKind::Config, format!("an objective is in dollars, and `{model}` has no price"))
                    .at_field("prices")
                    .with_hint("give what a million tokens cost, or compare by tokens"))
            }
            _ => Ok(()),
        }
    }

    /// Measures a candidate on the examples up to `end` that it was not measured on yet.
    async fn measure(&mut self, place: usize, examples: &[Example], end: usize) -> Result<()> {
        let Some(candidate) = self.candidates.get_mut(place) else { return Ok(()) };
        let (run, of) = (self.study.run(), self.of);
        let new = examples.get(candidate.examples()..end).unwrap_or_default();
        let program = &candidate.program;
        let measured = Measured::of(run, of.evaluate, program, new, &*of.metric, &of.prices).await?;
        if let Some(end) = measured.evaluation.stopped_by {
            return Err(end);
        }
        let measured = match candidate.measured.take() {
            Some(before) => before.and(measured),
            None => measured,
        };
        let told: Vec<_> =
            of.objectives.iter().map(|objective| (objective.name.clone(), objective.of(&measured))).collect();
        match end == examples.len() {
            true => self.study.weighed(&candidate.program, &measured.evaluation, &told).await,
            false => self.study.tell(&candidate.program, &measured.evaluation, &told).await,
        }
        candidate.measured = Some(measured);
        Ok(())
    }

    /// What these candidates come to.
    fn points(&self, places: &[usize]) -> Points<'a> {
        let of = self.of;
        let measured = places.iter().filter_map(|place| self.candidates.get(*place)?.measured.as_ref());
        let values = measured.map(|measured| of.objectives.iter().map(|objective| objective.of(measured)).collect());
        Points { objectives: &of.objectives, values: values.collect() }
    }

    async fn finish(self, fallback: Variant, ended: Result<Option<Error>>) -> Result<MultiObjectiveResult> {
        let most = self.candidates.iter().map(Candidate::examples).max().unwrap_or(0);
        let compared: Vec<usize> = (0..self.candidates.len())
            .filter(|place| most > 0 && self.candidates.get(*place).is_some_and(|one| one.examples() == most))
            .collect();
        let points = self.points(&compared);
        let all: Vec<usize> = (0..compared.len()).collect();
        let front = points.front(&all);
        let best = points.best(&front, self.of.preference);
        let why = why(&points, &front, best, most, self.of.preference);
        let there = |at: &usize| compared.get(*at).copied();
        let (front, chosen) = (front.iter().filter_map(there).collect(), best.as_ref().and_then(there));
        let program = chosen.and_then(|place| self.candidates.get(place)).map(|best| best.program.clone());
        let (found, stopped_by) = match ended {
            Ok(end) => (Ok(program.unwrap_or(fallback)), end),
            Err(error) => (Err(error), None),
        };
        let optimized = Optimized { stopped_by, ..self.study.end(found).await? };
        let candidates = self.candidates.into_iter().map(|candidate| weighed(self.of, candidate)).collect();
        Ok(MultiObjectiveResult { optimized, candidates, front, chosen, why })
    }
}

fn weighed(of: &MultiObjective, candidate: Candidate) -> Weighed {
    let examples = candidate.examples();
    let Candidate { program, model, measured } = candidate;
    let stats = measured.as_ref().and_then(Measured::stats);
    let values = measured
        .iter()
        .flat_map(|measured| of.objectives.iter().map(|objective| (objective.name.clone(), objective.of(measured))));
    Weighed { program, model, examples, objectives: values.collect(), stats }
}

fn why(points: &Points, front: &[usize], best: Option<usize>, examples: usize, preference: Preference) -> String {
    let Some(best) = best else { return "nothing was measured before the budget was spent".to_owned() };
    let by = match preference {
        Preference::Weights => "the greatest sum by the weights",
        Preference::Knee => "the one nearest to the best by every objective",
    };
    let limits = match (points.objectives.iter().any(|objective| objective.limit.is_some()), points.excess(best)) {
        (false, _) => "",
        (true, 0.0) => ", of those that keep to all limits",
        (true, _) => ", of those that are least beyond the limits: none keeps to all of them",
    };
    let compared = points.values.len();
    format!("{by}{limits}; {} of {compared} candidates on {examples} examples are not beaten", front.len())
}
