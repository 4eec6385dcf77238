//! `Variant`: a program with predictors of its own.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::{Module, Predict, Retrieve, SubModule};
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::run::{Run, StandIn};
use crate::state::Keepsakes;

/// A program whose predictors are copies, so that demos, instructions and models can change without changing the program:
/// what DSPy gets from `deepcopy()` and `reset_copy()`.
///
/// What the program does is not copied: a call runs the program itself, and whenever it asks one of its predictors, the copy
/// answers. So there may be many variants of a program, and calls of them side by side.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::module::{Module, Variant};
/// use lakelet::{Example, Predict, Signature};
/// let program: Rc<dyn Module> = Rc::new(Predict::new(Signature::parse("question -> answer")?));
/// let mut variant = Variant::copy_of(&program);
/// for (_, predict) in variant.predictors_mut() {
///     predict.set_demos(vec![Example::new().with("question", "2+2?").with("answer", "4")]);
/// }
/// assert_eq!(variant.predictors()[0].1.demos().len(), 1);
/// assert!(program.predictors()[0].1.demos().is_empty());
/// # Ok::<(), lakelet::Error>(())
/// ```
#[derive(Clone)]
pub struct Variant {
    program: Rc<dyn Module>,
    predictors: Vec<(Rc<str>, Rc<Predict>)>,
    /// Whether an optimizer made it.
    pub compiled: bool,
}

impl Variant {
    /// The program as it is: DSPy's `program.deepcopy()`.
    pub fn copy_of(program: &Rc<dyn Module>) -> Self {
        let predictors =
            program.predictors().into_iter().map(|(path, predict)| (path.into(), Rc::new(predict.clone())));
        Self { program: Rc::clone(program), predictors: predictors.collect(), compiled: program.is_compiled() }
    }

    /// The program without what predictors have learned: no demos and no models of their own. DSPy's `program.reset_copy()`.
    pub fn reset_copy_of(program: &Rc<dyn Module>) -> Self {
        let mut copy = Self::copy_of(program);
        for (_, predict) in copy.predictors_mut() {
            predict.set_demos(Vec::new());
            predict.set_model(None);
            predict.set_keepsakes(Keepsakes::default());
        }
        copy
    }

    /// The predictors, to be put into the program itself.
    pub fn into_predictors(self) -> Vec<Predict> {
        self.predictors.into_iter().map(|(_, predict)| Rc::unwrap_or_clone(predict)).collect()
    }
}

impl Module for Variant {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        let originals = self.program.predictors().into_iter().map(|(_, predict)| predict.id());
        let stand_ins = originals.zip(&self.predictors).map(|(of, (path, copy))| StandIn {
            of,
            path: Rc::clone(path),
            predict: Rc::clone(copy),
        });
        let run = run.clone().with_stand_ins(stand_ins);
        Box::pin(async move { self.program.call(&run, inputs).await })
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        self.predictors.iter().map(|(path, predict)| (path.to_string(), &**predict)).collect()
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        self.predictors.iter_mut().map(|(path, predict)| (path.to_string(), Rc::make_mut(predict))).collect()
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        self.program.sub_modules()
    }

    fn is_compiled(&self) -> bool {
        self.compiled
    }

    fn retrieves(&self) -> Vec<(String, &Retrieve)> {
        self.program.retrieves()
    }
}
