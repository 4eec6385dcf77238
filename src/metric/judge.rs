//! Metrics that ask a model to judge.

use futures_core::future::LocalBoxFuture;

use super::field;
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::module::{ChainOfThought, Module, Predict, SubModule};
use crate::run::Run;
use crate::signature::{Field, Signature, Type};
use crate::value::{Map, Value};

/// The harmonic mean of two shares, each held to 0 ... 1.
pub fn semantic_f1_score(precision: f64, recall: f64) -> f64 {
    // As Python's `min` and `max` compare: what is not a number counts as 1.
    let share = |value: f64| if value < 1.0 { value.max(0.0) } else { 1.0 };
    let (precision, recall) = (share(precision), share(recall));
    if precision + recall == 0.0 { 0.0 } else { 2.0 * (precision * recall) / (precision + recall) }
}

const RECALL: &str = "fraction (out of 1.0) of ground truth covered by the system response";
const PRECISION: &str = "fraction (out of 1.0) of system response covered by the ground truth";
const TRUTH_IDEAS: &str = "enumeration of key ideas in the ground truth";
const RESPONSE_IDEAS: &str = "enumeration of key ideas in the system response";
const OVERLAP: &str = "discussion of the overlap between ground truth and system response";

/// How well a response covers the ground truth and is covered by it, as a model sees it: DSPy's `SemanticF1`.
///
/// As a module it takes `example` (with `question` and `response`), `pred` (with `response`) and maybe a `trace`, and gives
/// `score`; with a trace, whether the score reaches the threshold.
pub struct SemanticF1 {
    pub module: ChainOfThought,
    pub threshold: f64,
}

impl SemanticF1 {
    /// A judge with DSPy's threshold, 0.66. A decompositional one lets the model list key ideas first.
    ///
    /// # Errors
    /// None in practice: the signature is fixed.
    pub fn new(decompositional: bool) -> Result<Self> {
        let signature = if decompositional {
            judgement(
                "Compare a system's response to the ground truth to compute recall and precision of key ideas.\n\
                 You will first enumerate key ideas in each response, discuss their overlap, and then report recall and \
                 precision.",
                "ground_truth",
                &[
                    ("ground_truth_key_ideas", TRUTH_IDEAS),
                    ("system_response_key_ideas", RESPONSE_IDEAS),
                    ("discussion", OVERLAP),
                ],
                &[("recall", RECALL), ("precision", PRECISION)],
            )
        } else {
            judgement(
                "Compare a system's response to the ground truth to compute its recall and precision.\n\
                 If asked to reason, enumerate key ideas in each response, and whether they are present in the other \
                 response.",
                "ground_truth",
                &[],
                &[("recall", RECALL), ("precision", PRECISION)],
            )
        };
        Ok(Self { module: ChainOfThought::new(&signature?)?, threshold: 0.66 })
    }

    /// The score of a prediction, 0 ... 1.
    ///
    /// # Errors
    /// What the model call fails with, or [`Input`](ErrorKind::Input) when a field is missing.
    pub async fn score(&self, run: &Run, example: &Map, prediction: &Map) -> Result<f64> {
        let inputs = Example::new()
            .with("question", field(example, "question")?.clone())
            .with("ground_truth", field(example, "response")?.clone())
            .with("system_response", field(prediction, "response")?.clone());
        let judged = self.module.call(run, inputs).await?;
        Ok(semantic_f1_score(share(&judged, "precision")?, share(&judged, "recall")?))
    }
}

impl Module for SemanticF1 {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(async move {
            let score = self.score(run, given(&inputs, "example")?, given(&inputs, "pred")?).await?;
            Ok(verdict(score, self.threshold, &inputs))
        })
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        vec![("module.predict".to_owned(), &self.module.predict)]
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        vec![("module.predict".to_owned(), &mut self.module.predict)]
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        SubModule::tree("SemanticF1", &[("module", &self.module)])
    }
}

/// How complete a response is, and how well the retrieved context supports it, as a model sees it: DSPy's
/// `CompleteAndGrounded`.
///
/// As a module it takes what [`SemanticF1`] takes; `pred` has a `context` too.
pub struct CompleteAndGrounded {
    pub completeness_module: ChainOfThought,
    pub groundedness_module: ChainOfThought,
    pub threshold: f64,
}

impl CompleteAndGrounded {
    /// A judge with DSPy's threshold, 0.66.
    ///
    /// # Errors
    /// None in practice: the signatures are fixed.
    pub fn new() -> Result<Self> {
        let completeness = judgement(
            "Estimate the completeness of a system's responses, against the ground truth.\n\
             You will first enumerate key ideas in each response, discuss their overlap, and then report completeness.",
            "ground_truth",
            &[
                ("ground_truth_key_ideas", TRUTH_IDEAS),
                ("system_response_key_ideas", RESPONSE_IDEAS),
                ("discussion", OVERLAP),
            ],
            &[("completeness", RECALL)],
        );
        let groundedness = judgement(
            "Estimate the groundedness of a system's responses, against real retrieved documents written by people.\n\
             You will first enumerate whatever non-trivial or check-worthy claims are made in the system response, and \
             then\ndiscuss the extent to which some or all of them can be deduced from the retrieved context and basic \
             commonsense.",
            "retrieved_context",
            &[
                ("system_response_claims", "enumeration of non-trivial or check-worthy claims in the system response"),
                ("discussion", "discussion of how supported the claims are by the retrieved context"),
            ],
            &[("groundedness", "fraction (out of 1.0) of system response supported by the retrieved context")],
        );
        Ok(Self {
            completeness_module: ChainOfThought::new(&completeness?)?,
            groundedness_module: ChainOfThought::new(&groundedness?)?,
            threshold: 0.66,
        })
    }

    /// The score of a prediction, 0 ... 1.
    ///
    /// # Errors
    /// As [`SemanticF1::score`].
    pub async fn score(&self, run: &Run, example: &Map, prediction: &Map) -> Result<f64> {
        let asked = Example::new().with("question", field(example, "question")?.clone());
        let response = field(prediction, "response")?;
        let inputs = asked.clone().with("ground_truth", field(example, "response")?.clone());
        let complete = self.completeness_module.call(run, inputs.with("system_response", response.clone())).await?;
        let inputs = asked.with("retrieved_context", field(prediction, "context")?.clone());
        let grounded = self.groundedness_module.call(run, inputs.with("system_response", response.clone())).await?;
        Ok(semantic_f1_score(share(&grounded, "groundedness")?, share(&complete, "completeness")?))
    }
}

impl Module for CompleteAndGrounded {
    fn call<'a>(&'a self, run: &'a Run, inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(async move {
            let score = self.score(run, given(&inputs, "example")?, given(&inputs, "pred")?).await?;
            Ok(verdict(score, self.threshold, &inputs))
        })
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        vec![
            ("completeness_module.predict".to_owned(), &self.completeness_module.predict),
            ("groundedness_module.predict".to_owned(), &self.groundedness_module.predict),
        ]
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        vec![
            ("completeness_module.predict".to_owned(), &mut self.completeness_module.predict),
            ("groundedness_module.predict".to_owned(), &mut self.groundedness_module.predict),
        ]
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        let (completeness, groundedness) = (&self.completeness_module, &self.groundedness_module);
        let inside: [(&str, &dyn Module); 2] =
            [("completeness_module", completeness), ("groundedness_module", groundedness)];
        SubModule::tree("CompleteAndGrounded", &inside)
    }
}

/// The signature of a judge: a question, what the response is held against, the response; then texts, then shares.
fn judgement(doc: &str, against: &str, texts: &[(&str, &str)], shares: &[(&str, &str)]) -> Result<Signature> {
    let inputs = ["question", against, "system_response"].map(|name| Field::input(name, Type::Str));
    let output = |ty: &Type, (name, desc): &(&str, &str)| Field::output(*name, ty.clone()).with_desc(*desc);
    let texts = texts.iter().map(|text| output(&Type::Str, text));
    let shares = shares.iter().map(|share| output(&Type::Float, share));
    Signature::from_fields(inputs.into_iter().chain(texts).chain(shares).collect(), Some(doc))
}

/// A share that a judge gave.
fn share(judged: &Prediction, name: &str) -> Result<f64> {
    match judged.get(name) {
        Some(Value::Float(share)) => Ok(*share),
        _ => Err(Error::new(ErrorKind::Parse, "the judge gave no number").at_field(name)),
    }
}

/// The fields of an example or a prediction that is an input.
fn given<'a>(inputs: &'a Example, name: &str) -> Result<&'a Map> {
    match field(&inputs.fields, name)? {
        Value::Dict(fields) => Ok(fields),
        _ => Err(Error::new(ErrorKind::Input, "must hold the fields by their names").at_field(name)),
    }
}

fn verdict(score: f64, threshold: f64, inputs: &Example) -> Prediction {
    let traced = inputs.get("trace").is_some_and(|trace| *trace != Value::None);
    let score = if traced { Value::Bool(score >= threshold) } else { Value::Float(score) };
    Prediction::from(Map::from_iter([("score".to_owned(), score)]))
}
