//! Modules: what can be called with an [`Example`] and answers with a [`Prediction`].

mod best_of_n;
mod chain_of_thought;
mod composite;
mod knn;
mod multi_chain_comparison;
mod parallel;
mod predict;
mod program_of_thought;
mod react;
mod react_v2;
mod refine;
mod retrieve;
mod reward;
mod sub_modules;
mod tool_use;
mod tries;
mod variant;

pub use best_of_n::BestOfN;
pub use chain_of_thought::ChainOfThought;
pub use composite::{Composite, Slot};
pub use knn::Knn;
pub use multi_chain_comparison::MultiChainComparison;
pub use parallel::Parallel;
pub use predict::{Call, Choices, NOT_FOUND, Piece, Predict, Template, TemplateField, TemplateMessage};
pub use program_of_thought::ProgramOfThought;
pub use react::ReAct;
pub use react_v2::ReActV2;
pub use refine::{Refine, describe_modules};
pub(crate) use refine::{describe_program, dump};
pub use retrieve::Retrieve;
pub use reward::Reward;
pub use sub_modules::SubModule;
pub use tries::Tries;
pub use variant::Variant;

use futures_core::future::LocalBoxFuture;

use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::run::Run;

/// A program, or a part of one.
pub trait Module {
    /// Runs the module. Dropping the future cancels it.
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>>;

    /// The predictors inside, under the paths that DSPy's `named_predictors()` gives them: `self` for a bare [`Predict`],
    /// `predict` for a bare [`ChainOfThought`], `complex_query.predict` for one inside a program.
    fn predictors(&self) -> Vec<(String, &Predict)>;

    /// The same, to be changed: demos, instructions, model.
    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)>;

    /// The module as `self` and the modules inside, breadth first, as DSPy's `named_sub_modules()` lists them.
    fn sub_modules(&self) -> Vec<SubModule> {
        SubModule::tree("Module", &[])
    }

    /// Whether an optimizer made it: DSPy's `_compiled`. Such a program can teach, but is not optimized again.
    fn is_compiled(&self) -> bool {
        false
    }

    /// The retrievers inside that DSPy takes for parameters, under their paths.
    fn retrieves(&self) -> Vec<(String, &Retrieve)> {
        Vec::new()
    }
}

/// The path of a predictor that is the whole program.
pub(crate) const ROOT: &str = "self";

/// Predictors under the paths that they have in a program of which their module is the part `part`; an empty one is the whole.
pub(crate) fn at_path<P>(part: &str, predictors: Vec<(String, P)>) -> Vec<(String, P)> {
    let path = |name: String| match (part, name.as_str()) {
        ("", _) => name,
        (_, ROOT) => part.to_owned(),
        _ => [part, ".", &name].concat(),
    };
    predictors.into_iter().map(|(name, predict)| (path(name), predict)).collect()
}

/// The predictors of a module as they are in a run, where others may stand in for them.
pub(crate) fn acting<'a>(run: &'a Run, module: &'a dyn Module) -> Vec<(String, &'a Predict)> {
    let act = |predict: &'a Predict| run.stand_in(predict.id()).unwrap_or(predict);
    module.predictors().into_iter().map(|(path, predict)| (path, act(predict))).collect()
}

/// Runs the work of a module that calls others, inside a span of its own.
pub(crate) async fn recorded(
    run: &Run,
    kind: &'static str,
    inputs: Example,
    work: impl AsyncFnOnce(&Run, &Example) -> Result<Prediction>,
) -> Result<Prediction> {
    let span = run.open_span(kind);
    span.given(inputs.fields.clone());
    match run.in_time(work(&run.inside(&span), &inputs)).await {
        Ok(prediction) => {
            let prediction = Prediction { usage: span.usage(), ..prediction };
            span.done(prediction.fields.clone());
            Ok(prediction)
        }
        Err(error) => {
            let error = run.located(error);
            span.failed(error.clone());
            Err(error)
        }
    }
}
