//! A search under way.

use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::bucket::{Batch, Bucket};
use super::pool::Pool;
use super::strategy::{Strategist, Strategy};
use super::trajectory::{Attempt, Trajectory, evaluate, sample};
use super::{Simba, SimbaCandidate, SimbaTrials};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::Evaluation;
use crate::example::Example;
use crate::module::{Module, Variant};
use crate::optimize::{Study, Training};
use crate::python::{NumpyRandom, Random};
use crate::run::Run;
use crate::sort::sort_by;

pub(super) struct Search<'a, 'b> {
    options: &'a Simba,
    study: &'a mut Study<'b>,
    run: &'b Run,
    trainset: &'a [Example],
    pool: Pool,
    /// The student, and the best program of each step.
    winners: Vec<Rc<Variant>>,
    /// The best mean score of a program on its batch.
    highest: f64,
    random: Random,
    /// How many demos are dropped is drawn with it.
    drops: NumpyRandom,
}

impl<'a, 'b> Search<'a, 'b> {
    pub fn new(options: &'a Simba, study: &'a mut Study<'b>, training: &Training<'a>) -> Self {
        let student = Rc::new(Variant::copy_of(&training.student));
        Self {
            options,
            run: study.run(),
            study,
            trainset: training.trainset,
            pool: Pool::new(Rc::clone(&student)),
            winners: vec![student],
            highest: f64::NEG_INFINITY,
            random: Random::new(options.seed.into()),
            drops: NumpyRandom::new(options.seed),
        }
    }

    pub async fn go(mut self) -> Result<SimbaTrials> {
        let strategist = Strategist::new(self.options, self.run)?;
        let size = self.options.bsize;
        let mut order: Vec<usize> = (0..self.trainset.len()).collect();
        self.random.shuffle(&mut order);
        let mut next = 0;
        for _ in 0..self.options.max_steps {
            if next + size > order.len() {
                self.random.shuffle(&mut order);
                next = 0;
            }
            let places = order.get(next..next + size).unwrap_or_default();
            let examples: Vec<&Example> = places.iter().filter_map(|place| self.trainset.get(*place)).collect();
            next += size;
            self.step(&strategist, &examples).await?;
        }
        self.finish().await
    }

    /// Tries programs on a batch, makes new ones from that, and scores those on the same batch.
    async fn step(&mut self, strategist: &Strategist<'_>, examples: &[&'a Example]) -> Result<()> {
        let batch = Batch::new(self.trajectories(examples).await?, examples.len());
        let mut programs = Vec::new();
        for bucket in &batch.buckets {
            if let Some(program) = self.program_from(strategist, bucket, &batch).await? {
                programs.push(Rc::new(program));
            }
            if programs.len() > self.options.num_candidates {
                break;
            }
        }
        let mut best: Option<(f64, Rc<Variant>)> = None;
        for program in programs {
            let evaluation = evaluate(self.options, self.run, &program, examples.iter().copied()).await?;
            self.study.tell(&program, &evaluation, &[]).await;
            let score = mean(&evaluation);
            if best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, Rc::clone(&program)));
            }
            self.pool.add(program, score);
        }
        if let Some((score, program)) = best {
            if score > self.highest {
                self.highest = score;
                self.study.leads(&program);
            }
            self.winners.push(program);
        }
        Ok(())
    }

    /// Calls programs that are picked by their scores, every example with every model.
    async fn trajectories(&mut self, examples: &[&'a Example]) -> Result<Vec<Trajectory<'a>>> {
        let best = self.pool.best(self.options.num_candidates);
        let mut attempts = Vec::new();
        for (teacher, settings) in self.models() {
            for example in examples {
                let picked = self.pool.pick(&mut self.random, &best, self.options.temperature_for_sampling)?;
                let Some(program) = self.pool.program(picked) else { continue };
                let program = match teacher {
                    Some(teacher) => Rc::new(asking(program, teacher)),
                    None => Rc::clone(program),
                };
                attempts.push(Attempt { program, example, settings: settings.clone() });
            }
        }
        sample(self.options, self.run, attempts.into_iter()).await
    }

    /// The model that the programs ask as often as each example is tried, every time with another rollout id; the first one may be the
    /// teacher's: DSPy's `prepare_models_for_resampling`.
    fn models(&self) -> Vec<(Option<&'a str>, serde_json::Map<String, Json>)> {
        let first = self.run.lm_settings().get("rollout_id").and_then(Json::as_i64).unwrap_or_default();
        let mut models = Vec::new();
        for id in (first..).take(self.options.num_candidates) {
            let teacher = self.options.teacher_model.as_deref().filter(|_| id == first);
            let mut settings = serde_json::Map::from_iter([("rollout_id".to_owned(), json!(id))]);
            if teacher.is_none() {
                settings.insert("temperature".to_owned(), json!(1.0));
            }
            models.push((teacher, settings));
        }
        models
    }

    /// A program that is picked by the scores, without some of its demos, and with what the bucket shows. `None` when that fails.
    async fn program_from(
        &mut self,
        strategist: &Strategist<'_>,
        bucket: &Bucket<'_>,
        batch: &Batch<'_>,
    ) -> Result<Option<Variant>> {
        let best = self.pool.best(self.options.num_candidates);
        let picked = self.pool.pick(&mut self.random, &best, self.options.temperature_for_candidates)?;
        let Some(mut program) = self.pool.program(picked).map(|program| (**program).clone()) else { return Ok(None) };
        self.drop_demos(&mut program);
        let Some(strategy) = self.random.choice(Strategy::all(self.options.max_demos)) else { return Ok(None) };
        match strategist.apply(*strategy, &mut program, bucket, batch).await {
            Ok(()) => Ok(Some(program)),
            Err(error) if error.kind().ends_the_work() => Err(error),
            Err(error) => {
                self.run.goes_on("SIMBA: a strategy failed, and makes no candidate", &error);
                Ok(None)
            }
        }
    }

    /// Drops demos at random, of all predictors those in the same places; one at least where there are as many as allowed.
    fn drop_demos(&mut self, program: &mut Variant) {
        let most = if self.options.max_demos > 0 { self.options.max_demos } else { 3 };
        let count = program.predictors().iter().map(|(_, predict)| predict.demos().len()).max().unwrap_or_default();
        let drawn = self.drops.poisson(count as f64 / most as f64);
        let drops = usize::try_from(drawn).unwrap_or(count).max(usize::from(count >= most)).min(count);
        let dropped: Vec<usize> = (0..drops).map(|_| self.random.randrange(count as u64) as usize).collect();
        if dropped.is_empty() {
            return;
        }
        for (_, predict) in program.predictors_mut() {
            let demos = predict.demos().iter().enumerate().filter(|(place, _)| !dropped.contains(place));
            let demos = demos.map(|(_, demo)| demo.clone()).collect();
            predict.set_demos(demos);
        }
    }

    /// Scores the student and up to as many winners as there are candidates in a step, evenly spread over the steps, on all examples.
    async fn finish(self) -> Result<SimbaTrials> {
        let last = self.winners.len().saturating_sub(1);
        let mut places: Vec<usize> = (0..=self.options.num_candidates)
            .map(|number| (number as f64 * last as f64 / self.options.num_candidates as f64).round_ties_even() as usize)
            .collect();
        places.dedup();
        let mut candidates = Vec::new();
        for program in places.into_iter().filter_map(|place| self.winners.get(place)) {
            let evaluation = evaluate(self.options, self.run, program, self.trainset.iter()).await?;
            self.study.scored(program, &evaluation).await;
            candidates.push(SimbaCandidate { score: mean(&evaluation), program: Variant::clone(program) });
        }
        let mut trial_logs = vec![None; self.options.max_steps];
        for (log, candidate) in trial_logs.iter_mut().zip(candidates.iter().skip(1)) {
            *log = Some(candidate.score);
        }
        sort_by(&mut candidates, |a, b| b.score.total_cmp(&a.score));
        let program = candidates.first().map(|best| best.program.clone());
        let program = program.ok_or_else(|| Error::new(ErrorKind::Input, "no program was tried"))?;
        Ok(SimbaTrials { program, candidate_programs: candidates, trial_logs })
    }
}

/// The program, with all its predictors asking that model.
fn asking(program: &Variant, model: &str) -> Variant {
    let mut program = program.clone();
    for (_, predict) in program.predictors_mut() {
        predict.set_model(Some(model.to_owned()));
    }
    program
}

fn mean(evaluation: &Evaluation) -> f64 {
    evaluation.points().iter().sum::<f64>() / evaluation.done() as f64
}
