//! Modules by their names.

use std::rc::Rc;

use js_sys::Function;

use super::inner::Inner;
use super::knn::Nearest;
use super::model::Model;
use super::options::Options;
use super::program::demos;
use super::reward::JsReward;
use super::{adapter, tool};
use crate::adapter::Adapter;
use crate::error::{Error, ErrorKind, Result};
use crate::metric::{CompleteAndGrounded, SemanticF1};
use crate::module::{
    BestOfN, ChainOfThought, Module, MultiChainComparison, Predict, ReAct, ReActV2, Refine, Retrieve, Tries,
};
use crate::signature::Signature;

/// What its predictors are told: `{adapter?, model?, config?, demos?}`; agents take `{tools, maxIters?}` as well, and the functions
/// that do the tools; `multiChainComparison` takes `{m?}`.
pub(super) fn asking(
    kind: &str,
    signature: &Signature,
    functions: Vec<Function>,
    extraction_model: Option<Model>,
    length: usize,
) -> Result<Rc<dyn Module>> {
    let options = Options::read(length)?;
    let adapter = adapter::read(&options, extraction_model)?;
    let count =
        |name: &str, default: usize| Ok::<_, Error>(options.count(name)?.map_or(default, |count| count as usize));
    Ok(match kind {
        "predict" => configured(Predict::new(signature.clone()), adapter, &options)?,
        "chainOfThought" => configured(ChainOfThought::new(signature)?, adapter, &options)?,
        "multiChainComparison" => configured(MultiChainComparison::new(signature, count("m", 3)?)?, adapter, &options)?,
        "react" => {
            let mut agent = ReAct::new(signature, tool::read(&options, functions)?)?;
            agent.max_iters = count("maxIters", agent.max_iters)?;
            configured(agent, adapter, &options)?
        }
        "reactV2" => {
            let mut agent = ReActV2::new(signature, tool::read(&options, functions)?)?;
            agent.max_iters = count("maxIters", agent.max_iters)?;
            configured(agent, adapter, &options)?
        }
        other => return Err(unknown(other)),
    })
}

/// `bestOfN` and `refine`: one part, the reward, and `{n, threshold, failCount?, adapter?, programCode?, rewardCode?}`. The judges
/// `semanticF1` and `completeAndGrounded`: `{threshold?, decompositional?}` and what predictors are told. `retrieve`: `{k?, rm?}`. `knn`: see [`Nearest`].
pub(super) fn around(
    kind: &str,
    parts: Vec<Inner>,
    functions: Vec<Function>,
    extraction_model: Option<Model>,
    length: usize,
) -> Result<Rc<dyn Module>> {
    let options = Options::read(length)?;
    Ok(match kind {
        "bestOfN" => {
            let mut best = tried(parts, functions, &options, |part, n, reward, threshold| {
                Ok(BestOfN::new(part, n, reward, threshold))
            })?;
            fail_count(&mut best.tries, &options)?;
            Rc::new(best)
        }
        "refine" => {
            let mut refine = tried(parts, functions, &options, Refine::new)?;
            fail_count(&mut refine.tries, &options)?;
            refine.adviser.set_adapter(adapter::read(&options, extraction_model)?);
            refine.program_code = options.text("programCode")?.map(str::to_owned);
            if let Some(code) = options.text("rewardCode")? {
                refine.reward_code = code.to_owned();
            }
            Rc::new(refine)
        }
        "semanticF1" => {
            let mut judge = SemanticF1::new(options.flag("decompositional")?.unwrap_or_default())?;
            judge.threshold = options.number("threshold")?.unwrap_or(judge.threshold);
            configured(judge, adapter::read(&options, extraction_model)?, &options)?
        }
        "completeAndGrounded" => {
            let mut judge = CompleteAndGrounded::new()?;
            judge.threshold = options.number("threshold")?.unwrap_or(judge.threshold);
            configured(judge, adapter::read(&options, extraction_model)?, &options)?
        }
        "retrieve" => {
            let retrieve = Retrieve::new(options.count("k")?.unwrap_or(3));
            Rc::new(match options.text("rm")? {
                Some(name) => retrieve.with_retriever(name),
                None => retrieve,
            })
        }
        "knn" => {
            let vectorizer = functions.into_iter().next();
            let vectorizer = vectorizer.ok_or_else(|| Error::new(ErrorKind::Config, "there is no vectorizer"))?;
            Rc::new(Nearest::new(&options, vectorizer)?)
        }
        other => return Err(unknown(other)),
    })
}

type Reward = Rc<dyn crate::module::Reward>;

fn tried<M>(
    parts: Vec<Inner>,
    functions: Vec<Function>,
    options: &Options,
    make: impl FnOnce(Box<dyn Module>, usize, Reward, f64) -> Result<M>,
) -> Result<M> {
    let (Some(part), Some(reward)) = (parts.into_iter().next(), functions.into_iter().next()) else {
        return Err(Error::new(ErrorKind::Config, "there is nothing to try"));
    };
    let n = options.count("n")?.unwrap_or_default() as usize;
    let threshold = options.number("threshold")?.unwrap_or_default();
    make(Box::new(part), n, Rc::new(JsReward(reward)), threshold)
}

fn fail_count(tries: &mut Tries, options: &Options) -> Result<()> {
    if let Some(count) = options.count("failCount")? {
        tries.fail_count = count as usize;
    }
    Ok(())
}

fn configured<M: Module + 'static>(
    mut module: M,
    adapter: Rc<dyn Adapter>,
    options: &Options,
) -> Result<Rc<dyn Module>> {
    for (_, predictor) in module.predictors_mut() {
        predictor.set_adapter(Rc::clone(&adapter));
        predictor.set_model(options.text("model")?.map(str::to_owned));
        if let Some(config) = options.json("config")? {
            predictor.set_config(config);
        }
        if options.value("demos").is_some() {
            predictor.set_demos(demos(options)?);
        }
    }
    Ok(Rc::new(module))
}

fn unknown(kind: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("no module is called {kind}"))
}
