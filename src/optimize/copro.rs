//! `COPRO`: instructions that a model writes, from what earlier ones scored.

mod prompter;

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use indexmap::IndexMap;

use prompter::Prompter;

use super::{Estimate, Optimized, Optimizer, Study, Training};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::Evaluate;
use crate::example::Example;
use crate::metric::Metric;
use crate::module::{Module, Variant};
use crate::python::strip;
use crate::run::Run;

/// Lets a model propose instructions and the prefix of the last output, scores them on all examples, and shows the model what they
/// scored, for better ones: DSPy 3.4.1's `COPRO`.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::metric::answer_exact_match;
/// use lakelet::optimize::{Copro, Optimizer, Training};
/// use lakelet::run::{Run, Span};
/// use lakelet::{Example, Module, Prediction};
/// # async fn example(student: Rc<dyn Module>, trainset: &[Example], run: &Run) -> lakelet::Result<()> {
/// let metric = |example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>| {
///     Ok(answer_exact_match(example, prediction, 1.0)?.into())
/// };
/// let optimizer = Copro { breadth: 4, ..Copro::new(Rc::new(metric)) };
/// let program = optimizer.compile(run, Training::new(student, trainset)).await?.program;
/// # Ok(()) }
/// ```
pub struct Copro {
    pub metric: Rc<dyn Metric>,
    /// The model that proposes; `None` for the run's first one.
    pub prompt_model: Option<String>,
    /// How many proposals there are each time, at least two.
    pub breadth: usize,
    /// How many times there are proposals.
    pub depth: usize,
    /// The temperature of proposals.
    pub init_temperature: f64,
    /// How proposals are evaluated.
    pub evaluate: Evaluate,
}

/// What a search with [`Copro`] came to.
pub struct Attempts {
    /// The best first; of equals the earlier one.
    pub candidates: Vec<Attempt>,
    /// How many evaluations there were.
    pub total_calls: usize,
}

/// A proposal that was tried.
#[derive(Clone)]
pub struct Attempt {
    pub instruction: String,
    pub prefix: String,
    pub score: f64,
    /// In which round of proposals it scored so, from 0 on.
    pub depth: usize,
    /// The program as it was scored.
    pub program: Variant,
}

/// An instruction, and the prefix of the last output.
type Proposal = (String, String);

impl Copro {
    /// DSPy's defaults.
    pub fn new(metric: Rc<dyn Metric>) -> Self {
        let (breadth, depth, init_temperature) = (10, 3, 1.4);
        Self { metric, prompt_model: None, breadth, depth, init_temperature, evaluate: Evaluate::default() }
    }

    /// All that was tried.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when breadth or depth leave nothing to try; what the model that proposes and [`Evaluate`] fail
    /// with.
    pub async fn search(&self, study: &mut Study<'_>, training: Training<'_>) -> Result<Attempts> {
        self.check()?;
        let prompter = Prompter::new(self, study.run())?;
        let mut search = Search {
            study,
            trainset: training.trainset,
            program: Variant::copy_of(&training.student),
            tried: Vec::new(),
            total_calls: 0,
        };
        let mut latest = Vec::new();
        for (_, predict) in search.program.predictors() {
            latest.push(prompter.begin(predict).await?);
            search.tried.push(IndexMap::new());
        }
        let mut all = latest.clone();
        for depth in 0..self.depth {
            // When one predictor has changed, proposals for another one may score differently.
            let proposals = if all.len() > 1 { &all } else { &latest };
            for (place, proposals) in proposals.iter().enumerate() {
                search.score(place, proposals, depth).await?;
            }
            if depth + 1 < self.depth {
                latest.clear();
                for tried in &search.tried {
                    latest.push(prompter.improve(tried).await?);
                }
                for (all, new) in all.iter_mut().zip(&latest) {
                    all.extend(new.iter().cloned());
                }
            }
        }
        Ok(search.finish())
    }

    /// A study for a [`search`](Copro::search).
    pub fn study<'a>(&'a self, run: &'a Run, training: &Training) -> Study<'a> {
        Study::new("COPRO", run, self.evaluate, &*self.metric, training)
    }

    fn check(&self) -> Result<()> {
        let refused =
            |field, message| Error::new(ErrorKind::Input, message).at_field(field).with_python_class("ValueError");
        if self.breadth <= 1 {
            return Err(refused("breadth", "Breadth must be greater than 1"));
        }
        if self.depth == 0 {
            return Err(refused("depth", "a depth of 0 tries nothing"));
        }
        Ok(())
    }
}

impl Optimizer for Copro {
    /// # Errors
    /// As [`search`](Copro::search).
    fn compile<'a>(&'a self, run: &'a Run, training: Training<'a>) -> LocalBoxFuture<'a, Result<Optimized>> {
        Box::pin(async move {
            let mut study = self.study(run, &training);
            let found = self.search(&mut study, training).await;
            let best = found.map(|found| found.candidates.into_iter().next().map(|best| best.program));
            let nothing = || {
                Error::new(ErrorKind::Input, "the program has no predictor whose instructions could change")
                    .at_field("student")
            };
            study.end(best.and_then(|best| best.ok_or_else(nothing))).await
        })
    }

    /// Of several predictors all proposals are scored again at each depth.
    fn estimate(&self, training: &Training) -> Estimate {
        let predictors = training.student.predictors().len();
        let rounds = if predictors > 1 { self.depth * (self.depth + 1) / 2 } else { self.depth };
        Estimate {
            program_calls: predictors * rounds * self.breadth * training.trainset.len(),
            proposals: predictors * self.depth,
        }
    }
}

/// A search under way.
struct Search<'a, 'b> {
    study: &'a mut Study<'b>,
    trainset: &'a [Example],
    program: Variant,
    /// For each predictor.
    tried: Vec<IndexMap<Proposal, Attempt>>,
    total_calls: usize,
}

impl Search<'_, '_> {
    /// Tries proposals for a predictor, and leaves it with the best of all.
    async fn score(&mut self, place: usize, proposals: &[Proposal], depth: usize) -> Result<()> {
        for (instruction, prefix) in proposals {
            let proposal = (cleaned(instruction), cleaned(prefix));
            self.put(place, &proposal)?;
            let score = self.study.score(&self.program, self.trainset).await?.score;
            self.total_calls += 1;
            let Some(tried) = self.tried.get_mut(place) else { continue };
            if tried.get(&proposal).is_none_or(|before| before.score < score) {
                let (instruction, prefix) = proposal.clone();
                tried.insert(proposal, Attempt { instruction, prefix, score, depth, program: self.program.clone() });
            }
        }
        let mut best: Option<&Attempt> = None;
        for attempt in self.tried.get(place).into_iter().flat_map(IndexMap::values) {
            best = Some(best.filter(|best| best.score >= attempt.score).unwrap_or(attempt));
        }
        match best.map(|best| (best.instruction.clone(), best.prefix.clone())) {
            Some(best) => self.put(place, &best),
            None => Ok(()),
        }
    }

    fn put(&mut self, place: usize, (instruction, prefix): &Proposal) -> Result<()> {
        if let Some((_, predict)) = self.program.predictors_mut().into_iter().nth(place) {
            let mut signature = predict.signature().with_instructions(instruction)?;
            if let Some(last) = signature.fields.last().map(|field| field.name.clone()) {
                signature = signature.with_updated_field(&last, |field| field.prefix = prefix.as_str().into())?;
            }
            predict.set_signature(signature);
        }
        Ok(())
    }

    fn finish(self) -> Attempts {
        let mut candidates: Vec<Attempt> = self.tried.into_iter().flat_map(IndexMap::into_values).collect();
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
        Attempts { candidates, total_calls: self.total_calls }
    }
}

fn cleaned(text: &str) -> String {
    strip(text.trim_matches('"')).to_owned()
}
