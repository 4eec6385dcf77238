//! `Predict`: one signature, one model call.

mod ask;
mod call;
mod choices;
mod decision;
mod inputs;
mod outputs;
mod plan;
mod prepared;
mod template;
mod thinking;

pub use call::Call;
pub use choices::{Choices, NOT_FOUND};
pub use template::{Piece, Template, TemplateField, TemplateMessage};

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use serde_json::Value as Json;

use decision::Decisions;
use prepared::Shelf;

use super::{Module, ROOT, SubModule};
use crate::adapter::{Adapter, ChatAdapter};
use crate::error::Result;
use crate::example::{Example, Prediction};
use crate::lm::Prompt;
use crate::run::Run;
use crate::signature::Signature;
use crate::state::Keepsakes;

/// Asks a model for the outputs of a signature, as DSPy 3.4's `Predict` does.
///
/// ```
/// use lakelet::{Example, Predict, Signature};
/// let predict = Predict::new(Signature::parse("question -> answer")?);
/// let prompt = predict.prompt(&Example::new().with("question", "2+2?"))?;
/// assert!(prompt.prefix.starts_with(r#"{"role":"system","content":"Your input fields are:"#));
/// assert!(prompt.tail.starts_with(r###"{"role":"user","content":"[[ ## question ## ]]\n2+2?"###));
/// # Ok::<(), lakelet::Error>(())
/// ```
///
/// What stays the same from call to call (system message and demos) is rendered once and kept until the signature, the
/// demos or the adapter change.
///
/// What the endpoint does natively (tools, reasoning) leaves the prompt, where the adapter and the endpoint allow it. A
/// reply that the adapter cannot read is asked for once more through its [`fallback`](Adapter::fallback), but not when the
/// caller has seen part of the reply. Errors of the model's service are never answered by a second try here.
#[derive(Clone)]
pub struct Predict {
    kind: &'static str,
    signature: Signature,
    demos: Vec<Example>,
    config: serde_json::Map<String, Json>,
    decision_settings: serde_json::Map<String, Json>,
    /// Its replies are not what the caller wants, but what the outputs follow from.
    asks_for_evidence: bool,
    model: Option<String>,
    keepsakes: Keepsakes,
    adapter: Rc<dyn Adapter>,
    fallback: Option<Rc<dyn Adapter>>,
    shelf: Shelf,
}

impl Predict {
    /// A predictor without demos that speaks DSPy's `ChatAdapter` format with the run's first model.
    pub fn new(signature: Signature) -> Self {
        Self::of_kind("predict", signature)
    }

    pub(super) fn of_kind(kind: &'static str, signature: Signature) -> Self {
        let adapter: Rc<dyn Adapter> = Rc::new(ChatAdapter::default());
        Self {
            kind,
            signature,
            demos: Vec::new(),
            config: serde_json::Map::new(),
            decision_settings: serde_json::Map::new(),
            asks_for_evidence: false,
            model: None,
            keepsakes: Keepsakes::default(),
            fallback: adapter.fallback(),
            adapter,
            shelf: Shelf::default(),
        }
    }

    /// Tells the predictor from every other one, for as long as it stays where it is.
    pub fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// What is given and what is asked for.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Sets what is given and what is asked for.
    pub fn set_signature(&mut self, signature: Signature) {
        self.signature = signature;
        self.shelf = Shelf::default();
    }

    /// The solved examples that every prompt shows.
    pub fn demos(&self) -> &[Example] {
        &self.demos
    }

    /// Sets the solved examples that every prompt shows.
    pub fn set_demos(&mut self, demos: Vec<Example>) {
        self.demos = demos;
        self.shelf = Shelf::default();
    }

    /// Parameters of every request, by their wire names: `temperature`, `max_tokens`, `n` ...
    pub fn config(&self) -> &serde_json::Map<String, Json> {
        &self.config
    }

    /// Sets the parameters of every request.
    pub fn set_config(&mut self, config: serde_json::Map<String, Json>) {
        self.config = config;
    }

    /// Where the lines are drawn for outputs that are decided by probabilities: DSPy's `predict.fields`.
    pub fn decision_settings(&self) -> &serde_json::Map<String, Json> {
        &self.decision_settings
    }

    /// Sets where the lines are drawn, by the names of outputs: `threshold` for a `bool` or `Noul`, `weights` for a `Literal` or
    /// `Choice`, `cuts` for a `Score`; `instructions` and `criteria` in the place of what field and type say. A `bool` or a
    /// `Literal` with settings is asked for as a probability.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config), when they do not fit the outputs.
    pub fn set_decision_settings(&mut self, settings: serde_json::Map<String, Json>) -> Result<()> {
        Decisions::of(&self.signature, &settings)?;
        self.decision_settings = settings;
        Ok(())
    }

    /// The name of the model to ask; `None` for the run's first one.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Sets the name of the model to ask.
    pub fn set_model(&mut self, model: Option<String>) {
        self.model = model;
    }

    /// What DSPy saves with a predictor beside signature and demos: the model that it was tuned for, for instance.
    pub fn keepsakes(&self) -> &Keepsakes {
        &self.keepsakes
    }

    /// Sets what is saved with the predictor.
    pub fn set_keepsakes(&mut self, keepsakes: Keepsakes) {
        self.keepsakes = keepsakes;
    }

    /// How the signature becomes messages, and replies become fields.
    pub fn adapter(&self) -> &Rc<dyn Adapter> {
        &self.adapter
    }

    /// Sets how the signature becomes messages, and replies become fields.
    pub fn set_adapter(&mut self, adapter: Rc<dyn Adapter>) {
        self.fallback = adapter.fallback();
        self.adapter = adapter;
        self.shelf = Shelf::default();
    }

    /// The messages that a call with these inputs would send to an endpoint that does nothing natively.
    ///
    /// # Errors
    /// What the adapter says of a signature, a demo or an input that it cannot put into words.
    pub fn prompt(&self, inputs: &Example) -> Result<Prompt> {
        self.prepared(&*self.adapter, &[])?.prompt(&*self.adapter, inputs)
    }

    /// The messages that every such call begins with, system message and demos: JSON objects joined by commas, the
    /// [`Prompt::prefix`] of all calls.
    ///
    /// # Errors
    /// As [`Predict::prompt`].
    pub fn prefix(&self) -> Result<Rc<str>> {
        Ok(Rc::clone(&self.prepared(&*self.adapter, &[])?.prefix))
    }
}

impl Module for Predict {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(self.ask(run, inputs))
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        vec![(ROOT.to_owned(), self)]
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        vec![(ROOT.to_owned(), self)]
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        SubModule::tree("Predict", &[])
    }
}
