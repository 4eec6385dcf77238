//! Sets of demos to choose from.

use super::{BootstrapFewShot, LabeledFewShot, Optimizer, Training};
use crate::error::Result;
use crate::example::Example;
use crate::module::{Module, Variant};
use crate::python::Random;
use crate::run::Run;

/// Makes sets of demos for every predictor of a program: the `create_n_fewshot_demo_sets` of DSPy 3.4.1.
pub struct DemoSets {
    /// How the demos are found; sets of random size have no more than its `max_bootstrapped_demos`.
    pub bootstrap: BootstrapFewShot,
    /// How many sets there are.
    pub num_candidate_sets: usize,
    /// Whether the first set is empty, and the second one has examples as they are.
    pub include_non_bootstrapped: bool,
}

impl DemoSets {
    /// As many sets as are asked for, with an empty one and one of examples among them.
    pub fn new(bootstrap: BootstrapFewShot, num_candidate_sets: usize) -> Self {
        Self { bootstrap, num_candidate_sets, include_non_bootstrapped: true }
    }

    /// The sets of every predictor, in the order of the predictors.
    ///
    /// # Errors
    /// As those of [`BootstrapFewShot`].
    pub async fn create(
        &self,
        run: &Run,
        training: Training<'_>,
        random: &mut Random,
    ) -> Result<Vec<Vec<Vec<Example>>>> {
        let mut sets: Vec<Vec<Vec<Example>>> = training.student.predictors().iter().map(|_| Vec::new()).collect();
        for number in 0..self.num_candidate_sets {
            let program = self.program(run, &training, number, random).await?;
            for (sets, (_, predict)) in sets.iter_mut().zip(program.predictors()) {
                sets.push(predict.demos().to_vec());
            }
        }
        Ok(sets)
    }

    async fn program(&self, run: &Run, training: &Training<'_>, number: usize, random: &mut Random) -> Result<Variant> {
        let labels = LabeledFewShot { k: self.bootstrap.max_labeled_demos, ..LabeledFewShot::default() };
        match number {
            0 if self.include_non_bootstrapped => Ok(Variant::reset_copy_of(&training.student)),
            1 if self.include_non_bootstrapped && labels.k > 0 => labels.teach(&training.student, training.trainset),
            2 => Ok(self.bootstrap.compile(run, training.clone()).await?.program),
            _ => {
                let mut shuffled = training.trainset.to_vec();
                random.shuffle(&mut shuffled);
                let bootstrap = self.bootstrap.of_random_size(random)?;
                let training = Training { trainset: &shuffled, ..training.clone() };
                Ok(bootstrap.compile(run, training).await?.program)
            }
        }
    }
}
