//! `KNNFewShot`: demos that are like the question.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::{BootstrapFewShot, Optimizer, Training};
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::module::{Knn, Module, Predict, Retrieve, SubModule, Variant};
use crate::run::Run;

/// Makes programs that look for demos anew at every call, among the examples that are most like the inputs: DSPy 3.4.1's
/// `KNNFewShot`.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::embed::EmbeddingModel;
/// use lakelet::module::Knn;
/// use lakelet::optimize::{BootstrapFewShot, KnnFewShot};
/// use lakelet::{Example, Module, Run};
/// # async fn example(student: Rc<dyn Module>, trainset: Vec<Example>, model: Rc<dyn EmbeddingModel>, run: &Run) -> lakelet::Result<()> {
/// let knn = Knn::new(run, 3, trainset, model).await?;
/// let program = KnnFewShot::new(knn, BootstrapFewShot::default()).compile(student, None);
/// program.call(run, Example::new().with("question", "What is the capital of Belgium?")).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct KnnFewShot {
    knn: Rc<Knn>,
    bootstrap: BootstrapFewShot,
}

impl KnnFewShot {
    /// Demos are bootstrapped from the neighbours that `knn` finds.
    pub fn new(knn: Knn, bootstrap: BootstrapFewShot) -> Self {
        Self { knn: Rc::new(knn), bootstrap }
    }

    /// The student, as a program that finds its own demos.
    pub fn compile(&self, student: Rc<dyn Module>, teacher: Option<Rc<dyn Module>>) -> NearestDemos {
        NearestDemos { shown: Variant::reset_copy_of(&student), optimizer: self.clone(), student, teacher }
    }
}

/// A program that shows its predictors the examples that are most like its inputs.
///
/// Its predictors are those of the student without their demos, as in DSPy; what changes them does not change calls.
pub struct NearestDemos {
    shown: Variant,
    optimizer: KnnFewShot,
    student: Rc<dyn Module>,
    teacher: Option<Rc<dyn Module>>,
}

impl Module for NearestDemos {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(async move {
            let KnnFewShot { knn, bootstrap } = &self.optimizer;
            let nearest: Vec<Example> = knn.nearest(run, &inputs).await?.into_iter().cloned().collect();
            let training = Training::new(Rc::clone(&self.student), &nearest);
            let taught = bootstrap.compile(run, Training { teacher: self.teacher.clone(), ..training }).await?;
            taught.program.call(run, inputs).await
        })
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        self.shown.predictors()
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        self.shown.predictors_mut()
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        self.shown.sub_modules()
    }

    fn retrieves(&self) -> Vec<(String, &Retrieve)> {
        self.shown.retrieves()
    }
}
