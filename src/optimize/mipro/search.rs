//! The search for the instructions and demos that score best together.

use indexmap::IndexMap;

use super::super::{Choice, Study, Tpe, sample};
use super::MiproV2;
use super::plan::Plan;
use crate::error::{ErrorKind, Result};
use crate::example::Example;
use crate::module::{Module, Variant};
use crate::python::Random;

/// What a search with [`MiproV2`] came to.
pub struct MiproTrials {
    /// The best program that was scored on the whole validation set.
    pub program: Variant,
    /// What it scored there.
    pub score: f64,
    /// All that was scored, in the order of time; the first is the program as it was. DSPy's `trial_logs`.
    pub trials: Vec<MiproTrial>,
    /// For each predictor, the instructions to choose from; the first are those it had.
    pub instructions: Vec<Vec<String>>,
    /// For each predictor, the sets of demos to choose from; `None` where the program gets none.
    pub demo_sets: Option<Vec<Vec<Vec<Example>>>>,
}

/// A program that was scored.
#[derive(Clone)]
pub struct MiproTrial {
    /// For each predictor, which instructions it had.
    pub instructions: Vec<usize>,
    /// For each predictor, which set of demos it had; empty where the program gets none.
    pub demo_sets: Vec<usize>,
    pub score: f64,
    /// Whether it was scored on the whole validation set.
    pub full_eval: bool,
    /// How many examples were scored until then.
    pub total_eval_calls: usize,
    pub program: Variant,
}

/// What a combination scored on parts of the validation set.
struct Combination {
    scores: Vec<f64>,
    program: Variant,
    fully_evaluated: bool,
}

/// A search under way.
pub struct Search<'a, 'b> {
    options: &'a MiproV2,
    study: &'a mut Study<'b>,
    plan: &'a Plan<'a>,
    random: Random,
    tpe: Tpe,
    tried: IndexMap<Vec<usize>, Combination>,
    found: MiproTrials,
}

impl<'a, 'b> Search<'a, 'b> {
    pub fn new(
        options: &'a MiproV2,
        study: &'a mut Study<'b>,
        plan: &'a Plan<'a>,
        program: Variant,
        instructions: Vec<Vec<String>>,
        demo_sets: Option<Vec<Vec<Vec<Example>>>>,
        random: Random,
    ) -> Self {
        let mut space = Vec::new();
        for (place, instructions) in instructions.iter().enumerate() {
            space.push(Choice { name: format!("{place}_predictor_instruction"), options: instructions.len() });
            if let Some(sets) = demo_sets.as_ref().and_then(|sets| sets.get(place)) {
                space.push(Choice { name: format!("{place}_predictor_demos"), options: sets.len() });
            }
        }
        let tpe = Tpe::new(space, options.seed);
        let found = MiproTrials { program, score: 0.0, trials: Vec::new(), instructions, demo_sets };
        Self { options, study, plan, random, tpe, tried: IndexMap::new(), found }
    }

    pub async fn run(mut self) -> Result<MiproTrials> {
        let program = self.found.program.clone();
        let first = vec![0; self.found.instructions.len() * if self.found.demo_sets.is_some() { 2 } else { 1 }];
        self.found.score = self.score(&first, &program, None).await?;
        for trial in 1..=self.plan.num_trials {
            let point = self.tpe.ask();
            let candidate = self.candidate(&program, &point)?;
            let score = self.score(&point, &candidate, self.plan.minibatch).await?;
            if self.plan.minibatch.is_none() {
                self.keep(&candidate, score);
                continue;
            }
            let new = || Combination { scores: Vec::new(), program: candidate, fully_evaluated: false };
            self.tried.entry(point).or_insert_with(new).scores.push(score);
            if trial % self.options.minibatch_full_eval_steps == 0 || trial == self.plan.num_trials {
                self.evaluate_best().await?;
            }
        }
        Ok(self.found)
    }

    /// Scores the combination on all examples that did best on parts of them.
    async fn evaluate_best(&mut self) -> Result<()> {
        let mut best: Option<(f64, &Vec<usize>, &mut Combination)> = None;
        for (point, combination) in self.tried.iter_mut().filter(|(_, combination)| !combination.fully_evaluated) {
            let mean = combination.scores.iter().sum::<f64>() / combination.scores.len() as f64;
            if best.as_ref().is_none_or(|(most, ..)| mean > *most) {
                best = Some((mean, point, combination));
            }
        }
        let Some((_, point, combination)) = best else { return Ok(()) };
        combination.fully_evaluated = true;
        let (point, program) = (point.clone(), combination.program.clone());
        let score = self.score(&point, &program, None).await?;
        self.keep(&program, score);
        Ok(())
    }

    /// Scores a program, on a part of the examples or on all, and tells what tries the next one. As in DSPy, one that fails on too many
    /// examples scores 0.
    async fn score(&mut self, point: &[usize], program: &Variant, part: Option<usize>) -> Result<f64> {
        let valset = &self.plan.valset;
        let part = part.filter(|size| *size < valset.len());
        let evaluation = match part {
            Some(size) => self.study.score_part(program, &sample(&mut self.random, valset, size)?).await,
            None => self.study.score(program, valset).await,
        };
        let score = match evaluation {
            Ok(evaluation) => evaluation.score,
            Err(error) if error.kind() == ErrorKind::Cancelled => {
                self.study.run().goes_on("MIPROv2: a candidate failed and scores 0", &error);
                0.0
            }
            Err(error) => return Err(error),
        };
        self.tpe.tell(point.to_vec(), score);
        let (every, trials) = (if self.found.demo_sets.is_some() { 2 } else { 1 }, &mut self.found.trials);
        let before = trials.last().map_or(0, |trial| trial.total_eval_calls);
        trials.push(MiproTrial {
            instructions: point.iter().step_by(every).copied().collect(),
            demo_sets: if every == 2 { point.iter().skip(1).step_by(2).copied().collect() } else { Vec::new() },
            score,
            full_eval: part.is_none(),
            total_eval_calls: before + part.unwrap_or(valset.len()),
            program: program.clone(),
        });
        Ok(score)
    }

    fn keep(&mut self, program: &Variant, score: f64) {
        if score > self.found.score {
            self.found.score = score;
            self.found.program = program.clone();
        }
    }

    /// The program with the instructions and demos of a point.
    fn candidate(&self, program: &Variant, point: &[usize]) -> Result<Variant> {
        let mut candidate = program.clone();
        let mut options = point.iter();
        for (place, (_, predict)) in candidate.predictors_mut().into_iter().enumerate() {
            let instructions = self.found.instructions.get(place).zip(options.next());
            if let Some(instructions) = instructions.and_then(|(all, option)| all.get(*option)) {
                predict.set_signature(predict.signature().with_instructions(instructions)?);
            }
            let Some(sets) = &self.found.demo_sets else { continue };
            if let Some(demos) = sets.get(place).zip(options.next()).and_then(|(sets, option)| sets.get(*option)) {
                predict.set_demos(demos.clone());
            }
        }
        Ok(candidate)
    }
}
