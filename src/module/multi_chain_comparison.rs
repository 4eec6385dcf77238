//! `MultiChainComparison`: several answers, compared by the model that gives the last one.

use futures_core::future::LocalBoxFuture;
use serde_json::json;

use super::{Module, Predict, SubModule};
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::python::{str_of, strip};
use crate::run::Run;
use crate::signature::{Field, Signature, Type};
use crate::value::{Custom, Map, Value};

/// The input that holds the attempts.
const COMPLETIONS: &str = "completions";

/// Shows a model `m` attempts at an answer, each with its reasoning, and asks for the answer that follows from all of them:
/// DSPy 3.4.1's `MultiChainComparison`.
///
/// The attempts are completions, of a [`ChainOfThought`](super::ChainOfThought) with the parameter `n` for instance. They come in as the input
/// `completions`, a list of dicts, or through [`compare`](Self::compare).
pub struct MultiChainComparison {
    pub predict: Predict,
    m: usize,
    /// The output that an attempt is known by: the last one of the signature.
    answer: String,
}

impl MultiChainComparison {
    /// Compares `m` attempts at the outputs of `signature`, at the temperature 0.7.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when the signature has no output or cannot take the attempts as inputs.
    pub fn new(signature: &Signature, m: usize) -> Result<Self> {
        let answer = signature.outputs().last().ok_or_else(|| {
            Error::new(ErrorKind::Signature, "the signature has no output to compare").with_python_class("ValueError")
        })?;
        let answer = answer.name.clone();
        let rationale = Field::output("rationale", Type::Str)
            .with_prefix("Accurate Reasoning: Thank you everyone. Let's now holistically")
            .with_desc("${corrected reasoning}");
        let attempts = (1..=m).map(|number| {
            Field::input(attempt_name(number), Type::Str)
                .with_prefix(format!("Student Attempt #{number}:"))
                .with_desc("${reasoning attempt}")
        });
        let fields = std::iter::once(rationale).chain(signature.fields.iter().cloned()).chain(attempts).collect();
        let signature = Signature::from_fields(fields, Some(&signature.instructions))?;
        let mut predict = Predict::of_kind("multi_chain_comparison", signature);
        predict.set_config(serde_json::Map::from_iter([("temperature".to_owned(), json!(0.7))]));
        Ok(Self { predict, m, answer })
    }

    /// Compares attempts. Of a text only the first line counts.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there are not `m` attempts, or one lacks its reasoning or its answer; and what
    /// [`Predict::ask`] fails with.
    pub async fn compare(&self, run: &Run, attempts: &[Map], mut inputs: Example) -> Result<Prediction> {
        let told: Vec<String> = attempts.iter().map(|attempt| self.tell(attempt)).collect::<Result<_>>()?;
        if told.len() != self.m {
            let message = format!(
                "The number of attempts ({}) doesn't match the expected number M ({}). Please set the correct value for \
                 M when initializing MultiChainComparison.",
                told.len(),
                self.m
            );
            return Err(refused(message, "AssertionError"));
        }
        for (number, told) in (1..).zip(told) {
            inputs.fields.entry(attempt_name(number)).or_insert(told.into());
        }
        self.predict.ask(run, inputs).await
    }

    fn tell(&self, attempt: &Map) -> Result<String> {
        let rationale = attempt.get("rationale").or_else(|| attempt.get("reasoning")).and_then(text);
        let rationale = rationale
            .ok_or_else(|| refused("an attempt has no `rationale` or `reasoning` that is a text", "AttributeError"))?;
        let answer = attempt.get(&self.answer);
        let answer = answer.ok_or_else(|| refused(format!("an attempt has no `{}`", self.answer), "KeyError"))?;
        let (rationale, answer) = (first_line(rationale), str_of(answer));
        let answer = first_line(&answer);
        Ok(format!("«I'm trying to {rationale} I'm not sure but my prediction is {answer}»"))
    }
}

impl Module for MultiChainComparison {
    fn call<'a>(&'a self, run: &'a Run, mut inputs: Example) -> LocalBoxFuture<'a, Result<Prediction>> {
        Box::pin(async move {
            let attempts = match inputs.fields.shift_remove(COMPLETIONS) {
                Some(Value::List(attempts)) => attempts,
                _ => return Err(refused("the attempts to compare are not given as a list", "TypeError")),
            };
            let attempt = |attempt| match attempt {
                Value::Dict(attempt) => Ok(attempt),
                _ => Err(refused("an attempt is not a dict", "AttributeError")),
            };
            self.compare(run, &attempts.into_iter().map(attempt).collect::<Result<Vec<_>>>()?, inputs).await
        })
    }

    fn predictors(&self) -> Vec<(String, &Predict)> {
        vec![("predict".to_owned(), &self.predict)]
    }

    fn predictors_mut(&mut self) -> Vec<(String, &mut Predict)> {
        vec![("predict".to_owned(), &mut self.predict)]
    }

    fn sub_modules(&self) -> Vec<SubModule> {
        SubModule::tree("MultiChainComparison", &[("predict", &self.predict)])
    }
}

fn attempt_name(number: usize) -> String {
    format!("reasoning_attempt_{number}")
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Str(text) => Some(text),
        Value::Custom(custom) => match custom.as_ref() {
            Custom::Reasoning(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn first_line(text: &str) -> &str {
    strip(strip(text).split('\n').next().unwrap_or_default())
}

fn refused(message: impl Into<String>, class: &'static str) -> Error {
    Error::new(ErrorKind::Input, message)
        .at_field(COMPLETIONS)
        .with_hint("give the completions of a `ChainOfThought` of the same signature")
        .with_python_class(class)
}
