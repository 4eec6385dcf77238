//! What a search comes to before it starts: calls, tokens, dollars.

use super::{Estimate, Training};
use crate::error::Result;
use crate::example::Example;
use crate::module::Predict;
use crate::run::Price;
use crate::value::Value;

/// Characters that make a token, roughly, in English text.
const CHARACTERS: usize = 4;

/// What is assumed of a search that has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assumptions {
    /// How many demos a prompt shows, beside those that the program has.
    pub demos: usize,
    /// Tokens of the text of an output that the examples do not hold, such as a reasoning, and of an input that another step gives.
    pub unknown_tokens: usize,
    /// Tokens of a prompt for a proposal.
    pub proposal_prompt_tokens: usize,
    /// Tokens of a proposal.
    pub proposal_tokens: usize,
}

impl Default for Assumptions {
    /// The demos of BootstrapFewShot, a paragraph for what is unknown, and pages for a prompt that shows programs and data.
    fn default() -> Self {
        Self { demos: 16, unknown_tokens: 200, proposal_prompt_tokens: 4000, proposal_tokens: 500 }
    }
}

/// What a search comes to in calls of models and in tokens: an estimate, which is meant to be too high rather than too low.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    pub model_calls: usize,
    pub prompt_tokens: usize,
    pub completion_tokens: usize,
}

impl Forecast {
    /// US dollars, when one model answers all calls: take the dearest one, when there are several.
    pub fn dollars(self, price: Price) -> f64 {
        (price.input * self.prompt_tokens as f64 + price.output * self.completion_tokens as f64) / 1e6
    }
}

impl Estimate {
    /// The estimate in tokens. Each call of the program is taken to ask each predictor once, with the longest example of the trainset
    /// as input and as every demo; four characters are a token. Not in it: calls of the metric, replies that are asked for once
    /// more, and steps that a program repeats.
    ///
    /// ```
    /// use std::rc::Rc;
    /// use lakelet::optimize::{Assumptions, BootstrapFewShot, Optimizer, Training};
    /// use lakelet::run::Price;
    /// use lakelet::{Example, Predict, Signature};
    /// let student = Rc::new(Predict::new(Signature::parse("question -> answer")?));
    /// let trainset = [Example::new().with("question", "2+2?").with("answer", "4").with_inputs(&["question"])];
    /// let training = Training::new(student, &trainset);
    /// let forecast = BootstrapFewShot::default().estimate(&training).forecast(&training, Assumptions::default())?;
    /// assert_eq!(forecast.model_calls, 1);
    /// assert!(forecast.dollars(Price { input: 0.5, output: 1.5 }) < 0.01);
    /// # Ok::<(), lakelet::Error>(())
    /// ```
    ///
    /// # Errors
    /// What [`Predict::prompt`] fails with.
    pub fn forecast(self, training: &Training, assumptions: Assumptions) -> Result<Forecast> {
        let mut forecast = Forecast {
            model_calls: self.proposals,
            prompt_tokens: self.proposals * assumptions.proposal_prompt_tokens,
            completion_tokens: self.proposals * assumptions.proposal_tokens,
        };
        for (_, predict) in training.student.predictors() {
            let (prompt, answer) = longest(predict, training.trainset, assumptions)?;
            forecast.model_calls += self.program_calls;
            forecast.prompt_tokens += self.program_calls * prompt.div_ceil(CHARACTERS);
            forecast.completion_tokens += self.program_calls * answer.div_ceil(CHARACTERS);
        }
        Ok(forecast)
    }
}

/// Characters of the longest prompt, and of the longest answer, of a predictor.
fn longest(predict: &Predict, trainset: &[Example], assumptions: Assumptions) -> Result<(usize, usize)> {
    let unknown = Value::from("x".repeat(CHARACTERS * assumptions.unknown_tokens).as_str());
    let mut most = (0, 0);
    for example in trainset {
        let filled = whole(predict, example, &unknown);
        let mut shown = predict.clone();
        shown.set_demos(vec![filled.clone()]);
        let one = characters(&shown, &filled)?;
        shown.set_demos(vec![filled.clone(), filled.clone()]);
        let demo = characters(&shown, &filled)?.saturating_sub(one); // with its frame, input and answer
        let own = characters(predict, &filled)?;
        most = (most.0.max(own + assumptions.demos * demo), most.1.max(demo));
    }
    Ok(most)
}

/// The fields of a predictor as an example has them; those that it lacks are unknown.
fn whole(predict: &Predict, example: &Example, unknown: &Value) -> Example {
    let signature = predict.signature();
    signature.inputs().chain(signature.outputs()).fold(Example::new(), |filled, field| {
        filled.with(&field.name, example.get(&field.name).unwrap_or(unknown).clone())
    })
}

fn characters(predict: &Predict, inputs: &Example) -> Result<usize> {
    let given =
        predict.signature().inputs().filter_map(|field| Some((field.name.clone(), inputs.get(&field.name)?.clone())));
    let given = given.fold(Example::new(), |all, (name, value)| all.with(&name, value));
    let prompt = predict.prompt(&given)?;
    Ok(prompt.prefix.chars().count() + prompt.tail.chars().count())
}
