//! A search under way.

use std::rc::Rc;

use super::{Optimized, Scored, Training};
use crate::error::{ErrorKind, Result};
use crate::evaluate::{Evaluate, Evaluation};
use crate::example::Example;
use crate::metric::Metric;
use crate::module::{Module, Variant};
use crate::observe::{Observer, Trial};
use crate::run::{Event, Run};

/// A search for a better program: scores candidates, tells the training's observer of them, and knows the best one so far.
///
/// Optimizers score through a study and end with it, so that what is spent, seen and kept is the same for all of them.
pub struct Study<'a> {
    optimizer: &'static str,
    run: &'a Run,
    evaluate: Evaluate,
    metric: &'a dyn Metric,
    observer: Option<Rc<dyn Observer>>,
    student: Rc<dyn Module>,
    trials: usize,
    candidates: Vec<Scored>,
    /// The most promising program, while none was scored on all the examples.
    leader: Option<Variant>,
}

impl<'a> Study<'a> {
    /// A search of the optimizer with that DSPy name, which scores with the metric.
    pub fn new(
        optimizer: &'static str,
        run: &'a Run,
        evaluate: Evaluate,
        metric: &'a dyn Metric,
        training: &Training,
    ) -> Self {
        let (observer, student) = (training.observer.clone(), Rc::clone(&training.student));
        Self { optimizer, run, evaluate, metric, observer, student, trials: 0, candidates: Vec::new(), leader: None }
    }

    /// The run that the search is made in.
    pub fn run(&self) -> &'a Run {
        self.run
    }

    /// How many candidates were scored.
    pub fn trials(&self) -> usize {
        self.trials
    }

    /// Scores a candidate on all the examples that programs are compared on.
    ///
    /// # Errors
    /// What [`Evaluate`] fails with, and what ended it before its end.
    pub async fn score(&mut self, program: &Variant, valset: &[Example]) -> Result<Evaluation> {
        let evaluation = self.score_part(program, valset).await?;
        self.candidates.push(Scored { program: program.clone(), score: evaluation.score });
        Ok(evaluation)
    }

    /// Scores a candidate on some examples: it does not become the best one by that.
    ///
    /// # Errors
    /// As [`score`](Study::score).
    pub async fn score_part(&mut self, program: &Variant, examples: &[Example]) -> Result<Evaluation> {
        let evaluation = self.evaluate.run(self.run, program, examples, self.metric, |_| ()).await?;
        if let Some(end) = &evaluation.stopped_by {
            return Err(end.clone());
        }
        self.tell(program, &evaluation, &[]).await;
        Ok(evaluation)
    }

    /// Takes in a candidate that was scored on all the examples in another way than by [`score`](Study::score).
    pub async fn scored(&mut self, program: &Variant, evaluation: &Evaluation) {
        self.weighed(program, evaluation, &[]).await;
    }

    /// The same, with what it comes to by other measures than the metric.
    pub async fn weighed(&mut self, program: &Variant, evaluation: &Evaluation, objectives: &[(String, f64)]) {
        self.tell(program, evaluation, objectives).await;
        self.candidates.push(Scored { program: program.clone(), score: evaluation.score });
    }

    /// Says which program did best on parts of the examples.
    pub fn leads(&mut self, program: &Variant) {
        self.leader = Some(program.clone());
    }

    /// What comes of the search: what it found or, when the [budget](crate::run::Budget) was spent before, the best so far. Where nothing
    /// was scored on all the examples yet, that is the program that [leads](Study::leads), or else the student as it was.
    ///
    /// # Errors
    /// What else the search failed with.
    pub async fn end(mut self, found: Result<Variant>) -> Result<Optimized> {
        self.candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
        let ended = match found {
            Ok(program) => Ok((program, None)),
            Err(end) if end.kind() == ErrorKind::Budget => {
                let best = self.candidates.first().map(|best| best.program.clone()).or_else(|| self.leader.take());
                Ok((best.unwrap_or_else(|| Variant::copy_of(&self.student)), Some(end)))
            }
            Err(error) => Err(error),
        };
        if let Some(observer) = &self.observer {
            let told = match &ended {
                Ok((program, _)) => Ok(program as &dyn Module),
                Err(error) => Err(error),
            };
            self.warn(observer.optimized(told).await);
        }
        let (program, stopped_by) = ended?;
        Ok(Optimized { program, candidates: self.candidates, stopped_by })
    }

    /// Tells of a candidate that was scored on some examples.
    pub(super) async fn tell(&mut self, program: &Variant, evaluation: &Evaluation, objectives: &[(String, f64)]) {
        let (optimizer, number) = (self.optimizer, self.trials);
        self.trials += 1;
        self.run.tell(Event::Status(format!("{optimizer}: candidate {number} scored {} %", evaluation.score)));
        if let Some(observer) = &self.observer {
            self.warn(observer.tried(Trial { optimizer, number, program, evaluation, objectives }).await);
        }
    }

    /// An observer that fails stops nothing.
    fn warn(&self, told: Result<()>) {
        if let Err(error) = told {
            let message = format!("the observer of the search failed: {error}");
            self.run.tell(Event::Warning { id: 0, step: self.optimizer.into(), message });
        }
    }
}
