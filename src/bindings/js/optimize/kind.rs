//! Optimizers that tell more than what they found.

use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::found::Found;
use crate::error::Result;
use crate::optimize::{DatabricksOptimizedOptimizer, MultiObjective, Optimizer, Training};
use crate::run::Run;

/// An optimizer, by what it tells.
#[derive(Clone)]
pub(super) enum Kind {
    Plain(Rc<dyn Optimizer>),
    Serving(Rc<DatabricksOptimizedOptimizer>),
    MultiObjective(Rc<MultiObjective>),
}

impl Kind {
    pub fn optimizer(&self) -> Rc<dyn Optimizer> {
        match self {
            Self::Plain(optimizer) => Rc::clone(optimizer),
            Self::Serving(optimizer) => Rc::clone(optimizer) as Rc<dyn Optimizer>,
            Self::MultiObjective(optimizer) => Rc::clone(optimizer) as Rc<dyn Optimizer>,
        }
    }

    /// Beside what all tell: `{serving}`, what a call comes to; `{front, why}`, the candidates that no other one beats, whose programs stand
    /// behind the others, and why one was chosen.
    pub async fn find(&self, run: &Run, training: Training<'_>) -> Result<Found> {
        match self {
            Self::Plain(optimizer) => Ok(Found::of(optimizer.compile(run, training).await?, [], Vec::new())),
            Self::Serving(optimizer) => {
                let (optimized, stats) = optimizer.optimize_for_serving(run, training).await?;
                let serving = stats.map(|stats| stats.named().into_iter().collect::<Json>());
                Ok(Found::of(optimized, [("serving", json!(serving))], Vec::new()))
            }
            Self::MultiObjective(optimizer) => {
                let found = optimizer.search(run, training).await?;
                let front: Vec<_> = found.front.iter().filter_map(|place| found.candidates.get(*place)).collect();
                let told = front
                    .iter()
                    .map(|it| json!({"model": it.model, "examples": it.examples, "objectives": it.objectives.clone().into_iter().collect::<Json>()}));
                let told = [("front", told.collect()), ("why", found.why.into())];
                Ok(Found::of(found.optimized, told, front.iter().map(|it| it.program.clone()).collect()))
            }
        }
    }
}
