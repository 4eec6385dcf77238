//! A program, as the doors hold it.

use std::rc::Rc;

use crate::error::{Error, ErrorKind, Result};
use crate::example::Example;
use crate::module::Module;
use crate::pipeline::{Outcome, Pipeline};
use crate::run::Run;

/// A module; a pipeline is one that can tell more of itself.
#[derive(Clone)]
pub(super) enum Loaded {
    Module(Rc<dyn Module>),
    Pipeline(Rc<Pipeline>),
}

impl Loaded {
    pub fn module(&self) -> &dyn Module {
        match self {
            Self::Module(module) => &**module,
            Self::Pipeline(pipeline) => &**pipeline,
        }
    }

    /// The program, to be changed.
    ///
    /// # Errors
    /// [`State`](ErrorKind::State) while it runs.
    pub fn module_mut(&mut self) -> Result<&mut (dyn Module + 'static)> {
        let module: Option<&mut (dyn Module + 'static)> = match self {
            Self::Module(module) => Rc::get_mut(module),
            Self::Pipeline(pipeline) => Rc::get_mut(pipeline).map(|pipeline| pipeline as &mut (dyn Module + 'static)),
        };
        module.ok_or_else(|| {
            Error::new(ErrorKind::State, "the program is running")
                .with_hint("wait for its calls to end, or make another one")
        })
    }

    /// Runs the program, as long as it may take.
    ///
    /// # Errors
    /// What it fails with, or [`Deadline`](ErrorKind::Deadline).
    pub async fn call(&self, run: &Run, inputs: Example) -> Result<Outcome> {
        match self {
            Self::Module(module) => {
                let prediction = run.in_time(module.call(run, inputs)).await?;
                Ok(Outcome { prediction, stopped_by: None })
            }
            Self::Pipeline(pipeline) => run.in_time(pipeline.run(run, inputs)).await,
        }
    }
}
