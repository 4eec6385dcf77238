//! `Ensemble`: several programs as one.

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::{Error, ErrorKind, Result};
use crate::example::Prediction;
use crate::metric::majority;
use crate::module::{Composite, Module};
use crate::python::Random;

/// Makes one prediction of several.
pub type Reduce = dyn Fn(&[Prediction]) -> Result<Prediction>;

/// Makes a program of several, such as the candidates of a search: it calls them in turn and makes one prediction of theirs.
/// DSPy 3.4.1's `Ensemble`.
///
/// ```
/// use lakelet::optimize::Ensemble;
/// use lakelet::{Module, Predict, Signature};
/// let program = |_| -> lakelet::Result<Box<dyn Module>> { Ok(Box::new(Predict::new(Signature::parse("question -> answer")?))) };
/// let programs = (0..3).map(program).collect::<lakelet::Result<_>>()?;
/// let ensemble = Ensemble::default().compile(programs)?;
/// assert_eq!(ensemble.predictors()[2].0, "programs[2]");
/// # Ok::<(), lakelet::Error>(())
/// ```
pub struct Ensemble {
    /// How one prediction is made of several; [`majority`] of the last field unless it is set.
    pub reduce: Rc<Reduce>,
    /// How many programs are called, drawn anew at every call; `None` for all.
    pub size: Option<usize>,
    /// What the draws follow from. DSPy's own draws cannot be repeated.
    pub seed: i64,
}

impl Default for Ensemble {
    fn default() -> Self {
        let most = |predictions: &[Prediction]| {
            let fields: Vec<_> = predictions.iter().map(|prediction| prediction.fields.clone()).collect();
            majority(&fields, None)
        };
        Self { reduce: Rc::new(most), size: None, seed: 0 }
    }
}

impl Ensemble {
    /// The programs as one, which has them as the list `programs`.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there are fewer programs than are to be called, or none.
    pub fn compile(&self, programs: Vec<Box<dyn Module>>) -> Result<Composite> {
        let (reduce, count) = (Rc::clone(&self.reduce), programs.len());
        let size = self.size.unwrap_or(count);
        if size > count || size == 0 {
            return Err(Error::new(ErrorKind::Input, format!("{size} of {count} programs cannot be called"))
                .at_field("size")
                .with_hint("give as many programs as are to be called, and at least one")
                .with_python_class("ValueError"));
        }
        let random = self.size.map(|_| RefCell::new(Random::new(self.seed.into())));
        let mut ensemble = Composite::default();
        let mut slots = Vec::new();
        for program in programs {
            let is_compiled = program.is_compiled();
            let slot = ensemble.add(program);
            if is_compiled {
                ensemble.freeze(slot);
            }
            slots.push(slot);
        }
        let list = ensemble.list(slots.clone());
        ensemble.set("programs", list);
        Ok(ensemble.with_forward(move |ensemble, run, inputs| {
            let places = match &random {
                Some(random) => random.borrow_mut().sample(count, size),
                None => Ok((0..count).collect()),
            };
            let called =
                places.map(|places| places.into_iter().filter_map(|i| slots.get(i).copied()).collect::<Vec<_>>());
            let reduce = Rc::clone(&reduce);
            Box::pin(async move {
                let mut predictions = Vec::new();
                for slot in called? {
                    predictions.push(ensemble.part(slot)?.call(run, inputs.clone()).await?);
                }
                reduce(&predictions)
            })
        }))
    }
}
