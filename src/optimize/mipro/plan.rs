//! How much a search tries, and on which examples.

use super::super::dataset_summary::MAX_BATCHES;
use super::super::{Estimate, Training, sample};
use super::MiproV2;
use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::python::Random;

/// The size of a validation set up to which `auto` scores on all of it at once.
const MIN_MINIBATCH_SIZE: usize = 50;

/// What a search comes to.
pub struct Plan<'a> {
    pub trainset: &'a [Example],
    pub valset: Vec<Example>,
    pub num_trials: usize,
    /// The size of parts of the validation set, if combinations are scored on parts.
    pub minibatch: Option<usize>,
    pub num_instructions: usize,
    pub num_demo_sets: usize,
}

impl<'a> Plan<'a> {
    /// Draws the validation set, where `auto` takes a part.
    pub fn of(options: &MiproV2, training: &Training<'a>, random: &mut Random) -> Result<Self> {
        let trials = |candidates| num_trials(options, training, candidates);
        let (candidates, num_trials) = match (options.auto, options.num_candidates, options.num_trials) {
            (Some(auto), None, None) => (auto.candidates(), trials(auto.candidates())),
            (None, Some(candidates @ 1..), Some(trials)) => (candidates, trials),
            (None, Some(candidates @ 1..), None) => {
                let message = format!(
                    "If auto is None, num_trials must also be provided. Given num_candidates={candidates}, we'd recommend setting \
                     num_trials to ~{}.",
                    trials(candidates)
                );
                return Err(refused("num_trials", &message));
            }
            (None, Some(0), _) => {
                return Err(refused("num_candidates", "num_candidates must be at least 1: there is nothing to choose"));
            }
            (None, None, _) => {
                return Err(refused("num_candidates", "If auto is None, num_candidates must also be provided."));
            }
            (Some(_), _, _) => {
                let message = "If auto is not None, num_candidates and num_trials cannot be set, since they would be overridden \
                               by the auto settings. Please either set auto to None, or do not specify num_candidates and \
                               num_trials.";
                return Err(refused("auto", message));
            }
        };
        let (trainset, valset) = sets(training)?;
        let (valset, minibatch) = match options.auto {
            Some(auto) => {
                let valset = sample(random, valset, auto.valset_size())?;
                let is_large = valset.len() > MIN_MINIBATCH_SIZE;
                (valset, is_large)
            }
            None => (valset.to_vec(), options.minibatch),
        };
        let minibatch = minibatch.then_some(options.minibatch_size);
        if minibatch.is_some_and(|size| size > valset.len()) {
            let message =
                format!("Minibatch size cannot exceed the size of the valset. Valset size: {}.", valset.len());
            return Err(refused("minibatch_size", &message).with_hint("make it smaller, or turn `minibatch` off"));
        }
        if minibatch == Some(0) {
            return Err(refused("minibatch_size", "a part of 0 examples scores nothing"));
        }
        if minibatch.is_some() && options.minibatch_full_eval_steps == 0 {
            let error = Error::new(ErrorKind::Input, "minibatch_full_eval_steps must be at least 1");
            return Err(error.at_field("minibatch_full_eval_steps").with_python_class("ZeroDivisionError"));
        }
        let halved = options.auto.is_some() && !options.is_zero_shot();
        let num_instructions = if halved { candidates / 2 } else { candidates };
        Ok(Self { trainset, valset, num_trials, minibatch, num_instructions, num_demo_sets: candidates })
    }

    pub fn estimate(&self, options: &MiproV2, training: &Training) -> Estimate {
        let whole = self.valset.len();
        let tried = match self.minibatch {
            Some(size) => size * self.num_trials + whole * self.num_trials.div_ceil(options.minibatch_full_eval_steps),
            None => whole * self.num_trials,
        };
        let not_bootstrapped = if options.max_labeled_demos > 0 { 2 } else { 1 };
        let bootstrapped = self.num_demo_sets.saturating_sub(not_bootstrapped) * self.trainset.len();
        let batches = self.trainset.len().div_ceil(options.view_data_batch_size.max(1)).min(MAX_BATCHES + 1);
        let instructions = training.student.predictors().len() * self.num_instructions;
        Estimate {
            program_calls: bootstrapped + whole + tried,
            proposals: if options.data_aware_proposer { batches + 1 } else { 0 }
                + if options.program_aware_proposer { 3 * instructions } else { instructions },
        }
    }
}

/// DSPy's formula for the number of trials.
fn num_trials(options: &MiproV2, training: &Training, candidates: usize) -> usize {
    let predictors = training.student.predictors().len();
    let choices = if options.is_zero_shot() { predictors } else { 2 * predictors };
    let candidates = candidates as f64;
    (2.0 * choices as f64 * candidates.log2()).max(1.5 * candidates) as usize
}

/// What is learned from, and what is scored on: of one set, the first fifth and the rest.
fn sets<'a>(training: &Training<'a>) -> Result<(&'a [Example], &'a [Example])> {
    let trainset = training.trainset;
    let refused = |field, message| Err(refused(field, message));
    match (trainset.len(), training.valset) {
        (0, _) => refused("trainset", "Trainset cannot be empty."),
        (_, Some([])) => refused("valset", "Validation set must have at least 1 example."),
        (_, Some(valset)) => Ok((trainset, valset)),
        (1, None) => refused("trainset", "Trainset must have at least 2 examples if no valset specified."),
        (size, None) => {
            let scored_on = ((size as f64 * 0.8) as usize).clamp(1, 1000);
            Ok(trainset.split_at(size - scored_on))
        }
    }
}

fn refused(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Input, message).at_field(field).with_python_class("ValueError")
}
