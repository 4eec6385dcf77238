//! `Retrieve`: passages for a query.

use std::cell::Cell;

use futures_core::future::LocalBoxFuture;

use super::{Module, Predict, ROOT, SubModule, recorded};
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::retrieve::Query;
use crate::run::Run;
use crate::value::{Map, Value};

/// Asks the run's retriever for passages: DSPy 3.4.1's `Retrieve`.
///
/// It takes `query` and maybe `k`, and gives `passages`, their texts. DSPy counts it among a program's parameters, so that
/// `k` is loaded with a program's state; DSPy cannot save a program that holds one.
pub struct Retrieve {
    k: Cell<u32>,
    retriever: Option<String>,
}

impl Retrieve {
    /// Finds `k` passages; DSPy's own default is 3.
    pub fn new(k: u32) -> Self {
        Self { k: Cell::new(k), retriever: None }
    }

    /// Asks the retriever of that name, not the run's first one.
    pub fn with_retriever(mut self, name: &str) -> Self {
        self.retriever = Some(name.to_owned());
        self
    }

    /// How many passages are asked for, where a call does not say.
    pub fn k(&self) -> u32 {
        self.k.get()
    }

    /// Sets how many passages are asked for.
    pub fn set_k(&self, k: u32) {
        self.k.set(k);
    }

    async fn search(&self, run: &Run, inputs: &Map) -> Result<Prediction> {
        let missing = || Error::new(ErrorKind::Input, "the text to look for is missing").at_field("query");
        let text = inputs.get("query").and_then(Value::as_str).ok_or_else(missing)?.to_owned();
        let k = match inputs.get("k") {
            None | Some(Value::None) => self.k(),
            Some(Value::Int(k)) => u32::try_from(*k).unwrap_or(0),
            Some(_) => return Err(Error::new(ErrorKind::Input, "must be a whole number").at_field("k")),
        };
        let query = Query { text: Some(text), k: Some(k), deadline_ms: run.deadline_ms(), ..Query::default() };
        let found = run.retriever(self.retriever.as_deref())?.retrieve(query).await?;
        let passages = found.into_iter().map(|passage| passage.text).collect::<Vec<_>>();
        Ok(Example::new().with("passages", passages).fields.into())
    }
}

impl Module for Retrieve {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(recorded(run, "retrieve", inputs, async |run, inputs| self.search(run, &inputs.fields).await))
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        Vec::new()
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        Vec::new()
    }

    /// None: to DSPy it is a parameter and no module.
    fn sub_modules(&self) -> Vec<SubModule> {
        Vec::new()
    }

    fn retrieves(&self) -> Vec<(String, &Retrieve)> {
        vec![(ROOT.to_owned(), self)]
    }
}
