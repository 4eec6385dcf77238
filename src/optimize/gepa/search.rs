//! A search under way: gepa's engine, as DSPy sets it up.

use std::rc::Rc;

use indexmap::IndexMap;

use super::merge::Merges;
use super::minibatches::Minibatches;
use super::pool::{Known, Pool, Texts, sum};
use super::rollout::{Rollout, roll_out};
use super::{ComponentSelector, Gepa, Outcome, front, reflection};
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::module::{Module, Predict, Variant};
use crate::optimize::{Study, Training};
use crate::python::{NumberSet, Random};
use crate::run::{Event, Run};
use crate::sort::sort_by;

pub(super) struct Search<'a, 'b> {
    options: &'a Gepa,
    study: &'a mut Study<'b>,
    run: &'b Run,
    student: Rc<dyn Module>,
    trainset: &'a [Example],
    valset: &'a [Example],
    /// The number of metric calls from which on there is no further iteration.
    limit: usize,
    pool: Pool,
    minibatches: Minibatches,
    merges: Merges,
    /// How many merges are due, and how many were kept.
    merges_due: usize,
    merged: usize,
    /// Whether the iteration before found a candidate by reflection.
    has_found: bool,
    /// What candidates and minibatches are drawn with.
    random: Random,
    /// What the calls to reflect on are drawn with.
    looking: Random,
}

impl<'a, 'b> Search<'a, 'b> {
    pub(super) fn new(options: &'a Gepa, study: &'a mut Study<'b>, training: Training<'a>) -> Self {
        let random = Random::new(options.seed.into());
        Self {
            options,
            run: study.run(),
            study,
            trainset: training.trainset,
            valset: training.scored_on(),
            limit: options.metric_calls(&training),
            pool: Pool::new(options.track_best_outputs),
            minibatches: Minibatches::new(training.trainset.len(), options.minibatch_size()),
            merges: Merges::default(),
            merges_due: 0,
            merged: 0,
            has_found: false,
            random: random.clone(),
            looking: random,
            student: training.student,
        }
    }

    pub(super) async fn go(mut self) -> Result<Outcome> {
        self.run.tell(Event::Status(format!("GEPA: about {} metric calls", self.limit)));
        match self.iterate().await {
            Ok(()) => self.outcome(None),
            Err(end) if end.kind() == ErrorKind::Budget && !self.pool.candidates.is_empty() => self.outcome(Some(end)),
            Err(error) => Err(error),
        }
    }

    async fn iterate(&mut self) -> Result<()> {
        let text = |(path, predict): (String, &Predict)| (path, predict.signature().instructions.to_string());
        let texts = self.student.predictors().into_iter().map(text).collect();
        self.add(texts, Vec::new()).await?;
        for iteration in 0.. {
            if self.pool.metric_calls >= self.limit {
                break;
            }
            if !self.merge(iteration).await? {
                self.has_found = self.reflect(iteration).await?;
            }
        }
        Ok(())
    }

    /// Merges two candidates, if a merge is due. When two were merged, the iteration is over.
    async fn merge(&mut self, iteration: usize) -> Result<bool> {
        let is_due = self.options.use_merge && self.merges_due > 0 && self.has_found;
        self.has_found = false;
        if !is_due {
            return Ok(false);
        }
        let Some(merged) = self.merges.propose(&self.pool, &mut self.random)? else { return Ok(false) };
        let examples: Vec<&Example> = merged.examples.iter().filter_map(|place| self.valset.get(*place)).collect();
        let program = self.program(&merged.texts)?;
        let score = sum(self.roll_out(&program, &examples).await?.iter().map(|rollout| rollout.score));
        let before = merged.parents.map(|parent| {
            let scores = self.pool.candidates.get(parent).map(|parent| &parent.scores);
            sum(merged.examples.iter().filter_map(|place| scores?.get(*place).copied()))
        });
        if before.iter().all(|before| score >= *before) {
            self.add(merged.texts, merged.parents.to_vec()).await?;
            self.merges_due -= 1;
            self.merged += 1;
        } else {
            self.tell(iteration, &format!("the merged program is worse than one of both: {score}, not {before:?}"));
        }
        Ok(true)
    }

    /// Changes a candidate by reflection. Tells whether the new one does better on the minibatch, and was added.
    async fn reflect(&mut self, iteration: usize) -> Result<bool> {
        let (front, scores) = (self.pool.front(), self.pool.scores());
        let parent = front::select(self.options.candidate_selection, &front, &scores, &mut self.random);
        let places = self.minibatches.next(iteration, &mut self.random);
        let examples: Vec<&Example> = places.iter().filter_map(|place| self.trainset.get(*place)).collect();
        let Some((parent, mut texts)) =
            parent.and_then(|place| Some((place, self.pool.candidates.get(place)?.texts.clone())))
        else {
            return Ok(false);
        };
        let program = self.program(&texts)?;
        let rollouts = self.roll_out(&program, &examples).await?;
        if rollouts.iter().all(|rollout| rollout.trajectory.is_none()) {
            self.tell(iteration, "the program failed on all examples");
            return Ok(false);
        }
        if self.options.skip_perfect_score && rollouts.iter().all(|rollout| rollout.score >= self.options.perfect_score)
        {
            self.tell(iteration, "all scores are perfect");
            return Ok(false);
        }
        let components = self.components(parent);
        match self.propose((&texts, &program), &rollouts, &components).await {
            Ok(proposals) => texts.extend(proposals),
            Err(error) if error.kind().ends_the_work() => return Err(error),
            Err(error) => {
                self.run.goes_on(&format!("GEPA: iteration {}: no proposal", iteration + 1), &error);
                return Ok(false);
            }
        }
        let before = sum(rollouts.iter().map(|rollout| rollout.score));
        let program = self.program(&texts)?;
        let after = sum(self.roll_out(&program, &examples).await?.iter().map(|rollout| rollout.score));
        if after > before {
            self.tell(iteration, &format!("a better program: {after} on the minibatch, not {before}"));
            self.add(texts, vec![parent]).await?;
            self.merges_due += usize::from(self.merged < self.options.max_merge_invocations);
        }
        Ok(after > before)
    }

    /// The predictors that are changed.
    fn components(&mut self, candidate: usize) -> Vec<String> {
        let Some(Known { texts, next_predictor, .. }) = self.pool.candidates.get_mut(candidate) else {
            return Vec::new();
        };
        match self.options.component_selector {
            ComponentSelector::All => texts.keys().cloned().collect(),
            ComponentSelector::RoundRobin => {
                let place = *next_predictor;
                *next_predictor = (place + 1) % texts.len().max(1);
                texts.get_index(place).map(|(name, _)| name.clone()).into_iter().collect()
            }
        }
    }

    /// New texts for predictors of a candidate. A model that fails is asked once more.
    async fn propose(
        &mut self,
        (texts, program): (&Texts, &Variant),
        rollouts: &[Rollout<'_>],
        components: &[String],
    ) -> Result<IndexMap<String, String>> {
        let apart = self.run.apart();
        let examples = reflection::examples(self.options, &apart, program, rollouts, components, &mut self.looking);
        let examples = self.run.in_time(examples).await;
        self.run.add_usage_of(&apart);
        let examples = examples?;
        let apart = self.run.apart().with_model(self.options.reflection_model.as_deref());
        let proposer = &self.options.proposer;
        let mut proposals = self.run.in_time(proposer.call(&apart, texts, &examples, components)).await;
        if proposals.as_ref().is_err_and(|error| !error.kind().ends_the_work()) {
            proposals = self.run.in_time(proposer.call(&apart, texts, &examples, components)).await;
        }
        self.run.add_usage_of(&apart);
        proposals
    }

    async fn roll_out<'e>(&mut self, program: &Variant, examples: &[&'e Example]) -> Result<Vec<Rollout<'e>>> {
        let rollouts = roll_out(self.options, self.run, program, examples).await?;
        self.pool.metric_calls += rollouts.len();
        Ok(rollouts)
    }

    /// Scores a candidate on the validation set, and adds it.
    async fn add(&mut self, texts: Texts, parents: Vec<usize>) -> Result<()> {
        let program = self.program(&texts)?;
        let evaluation = self.study.score(&program, self.valset).await?;
        self.pool.add(texts, parents, &evaluation)
    }

    /// The program with other instructions.
    fn program(&self, texts: &Texts) -> Result<Variant> {
        let mut program = Variant::copy_of(&self.student);
        for (path, predict) in program.predictors_mut() {
            if let Some(text) = texts.get(&path) {
                predict.set_signature(predict.signature().with_instructions(text)?);
            }
        }
        Ok(program)
    }

    fn tell(&self, iteration: usize, what: &str) {
        self.run.tell(Event::Status(format!("GEPA: iteration {}: {what}", iteration + 1)));
    }

    fn outcome(self, stopped_by: Option<Error>) -> Result<Outcome> {
        let known = &self.pool.candidates;
        let sorted = |best: &NumberSet| {
            let mut best: Vec<usize> = best.iter().collect();
            sort_by(&mut best, usize::cmp);
            best
        };
        let objectives = &self.pool.objectives;
        Ok(Outcome {
            candidates: known.iter().map(|known| self.program(&known.texts)).collect::<Result<_>>()?,
            parents: known.iter().map(|known| known.parents.clone()).collect(),
            val_aggregate_scores: self.pool.scores(),
            val_subscores: known.iter().map(|known| known.scores.clone()).collect(),
            per_val_instance_best_candidates: self.pool.front.iter().map(|(_, best)| sorted(best)).collect(),
            discovery_eval_counts: known.iter().map(|known| known.discovered_at).collect(),
            val_aggregate_subscores: known.iter().map(|known| known.objectives.clone()).collect(),
            per_objective_best_candidates: objectives
                .iter()
                .map(|(name, (_, best))| (name.clone(), sorted(best)))
                .collect(),
            objective_pareto_front: objectives.iter().map(|(name, (score, _))| (name.clone(), *score)).collect(),
            total_metric_calls: self.pool.metric_calls,
            num_full_val_evals: self.pool.full_evaluations,
            seed: self.options.seed,
            best_outputs_valset: self.pool.best_outputs,
            stopped_by,
        })
    }
}
