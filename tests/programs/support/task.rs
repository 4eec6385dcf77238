//! The task that searches are tried on: to say "right" to every question.

use std::rc::Rc;

use lakelet::lm::{ChatRequest, ChatResponse, Completion};
use lakelet::metric::answer_exact_match;
use lakelet::module::{ChainOfThought, Composite};
use lakelet::run::Span;
use lakelet::{Example, Module, Predict, Prediction, Result, Signature, Value};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::script::chat;

/// A question, and the answer that is wanted.
pub fn example(question: &str) -> Example {
    Example::new().with("question", question).with("answer", "right").with_inputs(&["question"])
}

/// The metric: whether the answer is the one that is wanted.
pub fn exact(example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>) -> Result<Value> {
    Ok(answer_exact_match(example, prediction, 1.0)?.into())
}

/// A program of one predictor.
pub fn one() -> Box<dyn Module> {
    Box::new(Predict::new(Signature::parse("question -> answer").unwrap()))
}

/// A program of two predictors, of which the second one is given what the first one says.
pub fn two() -> Box<dyn Module> {
    let mut program = Composite::default();
    let plan = program.add(Box::new(Predict::new(Signature::parse("question -> query").unwrap())));
    let solve = ChainOfThought::new(&Signature::parse("question, query -> answer").unwrap()).unwrap();
    let solve = program.add(Box::new(solve));
    program.set("plan", plan);
    program.set("solve", solve);
    Box::new(program.with_forward(move |program, run, inputs| {
        Box::pin(async move {
            let planned = program.part(plan)?.call(run, inputs.clone()).await?;
            let query = planned.get("query").cloned().unwrap_or(Value::None);
            program.part(solve)?.call(run, inputs.with("query", query)).await
        })
    }))
}

/// A request as models see it whose answers follow from it.
pub struct Asked {
    /// The contents of all messages.
    pub text: String,
    /// The rollout id and the temperature, as recordings have them.
    pub rollout: String,
    pub temperature: String,
}

impl Asked {
    pub fn of(request: &ChatRequest) -> Self {
        let (prefix, tail) = (&request.prompt.prefix, &request.prompt.tail);
        let messages = format!("[{prefix}{}{tail}]", if prefix.is_empty() { "" } else { "," });
        let messages: Vec<Json> = serde_json::from_str(&messages).unwrap();
        let shown = |value: Option<&Json>| value.map_or("-".to_owned(), Json::to_string);
        Self {
            text: messages.iter().filter_map(|message| message["content"].as_str()).collect::<Vec<_>>().join("\n"),
            rollout: shown(request.rollout_id.as_ref()),
            temperature: shown(request.options.get("temperature")),
        }
    }

    /// The fields that are asked for.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let asked = self.text.rsplit('\n').next().unwrap_or_default().split("[[ ## ").skip(1);
        asked.filter_map(|rest| rest.split(" ## ]]").next()).filter(|name| *name != "completed")
    }
}

/// An answer of these fields.
pub fn answer_of(fields: &[(&str, String)]) -> ChatResponse {
    let text = chat(&fields.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>());
    ChatResponse {
        completions: vec![Completion { text: Some(text), ..Completion::default() }],
        ..ChatResponse::default()
    }
}

/// SHA-256 in hexadecimal digits.
pub fn sha(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
