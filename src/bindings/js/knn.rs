//! The examples that are nearest to a question, by vectors that JavaScript gives.

use std::cell::OnceCell;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use js_sys::Function;
use serde_json::Value as Json;
use wasm_bindgen::prelude::*;

use super::errors::answered;
use super::options::Options;
use super::program::example;
use crate::embed::EmbeddingModel;
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::json;
use crate::module::{Knn, Module, Predict};
use crate::run::Run;
use crate::value::{Map, Value};

/// A module that gives the nearest examples as `examples`. The training set is embedded with the first call.
pub(super) struct Nearest {
    k: usize,
    trainset: Vec<Example>,
    vectorizer: Rc<Vectorizer>,
    made: OnceCell<Knn>,
}

impl Nearest {
    /// `{k, trainset, inputs}`: the inputs are the fields of an example that are compared.
    pub fn new(options: &Options, vectorizer: Function) -> Result<Self> {
        let inputs = options.texts("inputs")?;
        let trainset = options.list("trainset")?.iter().map(|it| Ok(example(it)?.with_inputs(&inputs)));
        Ok(Self {
            k: options.count("k")?.unwrap_or_default() as usize,
            trainset: trainset.collect::<Result<_>>()?,
            vectorizer: Rc::new(Vectorizer(vectorizer)),
            made: OnceCell::new(),
        })
    }

    async fn knn(&self, run: &Run) -> Result<&Knn> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let knn = Knn::new(run, self.k, self.trainset.clone(), Rc::clone(&self.vectorizer) as Rc<_>).await?;
        Ok(self.made.get_or_init(|| knn))
    }
}

impl Module for Nearest {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(async move {
            let nearest = self.knn(run).await?.nearest(run, &inputs).await?;
            let nearest = nearest.into_iter().map(|example| Value::Dict(example.fields.clone())).collect();
            Ok(Map::from_iter([("examples".to_owned(), Value::List(nearest))]).into())
        })
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        Vec::new()
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        Vec::new()
    }
}

/// A function from the JSON text of texts to a promise of the JSON text of their vectors.
struct Vectorizer(Function);

impl EmbeddingModel for Vectorizer {
    fn embed<'a>(&'a self, texts: &'a [String], _: Option<f64>) -> LocalBoxFuture<'a, Result<Vec<Vec<f64>>>> {
        let called = self.0.call1(&JsValue::NULL, &json::text(&texts.into()).into());
        Box::pin(async move {
            let answer = answered(called).await?.as_string().unwrap_or_default();
            let vector = |json: &Json| json.as_array()?.iter().map(Json::as_f64).collect();
            let vectors = json::read(answer).ok().and_then(|json| json.as_array()?.iter().map(vector).collect());
            vectors.ok_or_else(|| {
                Error::new(ErrorKind::Protocol, "the vectorizer gave no vectors")
                    .with_hint("return a list of numbers for each text")
            })
        })
    }
}
