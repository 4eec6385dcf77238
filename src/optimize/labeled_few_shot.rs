//! `LabeledFewShot`: examples as demos.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::{Estimate, Optimized, Optimizer, Training, sample};
use crate::error::Result;
use crate::example::Example;
use crate::module::{Module, Variant};
use crate::python::Random;
use crate::run::Run;

/// Shows every predictor `k` of the examples: DSPy 3.4.1's `LabeledFewShot`, with the examples that DSPy draws.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::optimize::LabeledFewShot;
/// use lakelet::{Example, Module, Predict, Signature};
/// let student: Rc<dyn Module> = Rc::new(Predict::new(Signature::parse("question -> answer")?));
/// let trainset = [("2+2?", "4"), ("3+3?", "6")]
///     .map(|(question, answer)| Example::new().with("question", question).with("answer", answer));
/// let taught = LabeledFewShot::default().teach(&student, &trainset)?;
/// assert_eq!(taught.predictors()[0].1.demos().len(), 2);
/// # Ok::<(), lakelet::Error>(())
/// ```
pub struct LabeledFewShot {
    /// How many examples at most.
    pub k: usize,
    /// Whether they are drawn at random; else they are the first ones.
    pub sample: bool,
}

impl Default for LabeledFewShot {
    fn default() -> Self {
        Self { k: 16, sample: true }
    }
}

impl LabeledFewShot {
    /// The program with demos. Without examples it has none.
    ///
    /// # Errors
    /// None in practice: no more is drawn than there is.
    pub fn teach(&self, student: &Rc<dyn Module>, trainset: &[Example]) -> Result<Variant> {
        let mut taught = Variant::reset_copy_of(student);
        let mut random = Random::new(0);
        for (_, predict) in taught.predictors_mut() {
            predict.set_demos(match self.sample {
                true => sample(&mut random, trainset, self.k)?,
                false => trainset.iter().take(self.k).cloned().collect(),
            });
        }
        Ok(taught)
    }
}

impl Optimizer for LabeledFewShot {
    fn compile<'a>(&'a self, _run: &'a Run, training: Training<'a>) -> LocalBoxFuture<'a, Result<Optimized>> {
        Box::pin(async move { Ok(self.teach(&training.student, training.trainset)?.into()) })
    }

    fn estimate(&self, _: &Training) -> Estimate {
        Estimate::default()
    }
}
