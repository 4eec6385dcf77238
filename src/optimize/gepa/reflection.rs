//! What a model reflects on: what predictors were given, what they made of it, and what the metric says of that.

use std::rc::Rc;

use indexmap::IndexMap;

use super::Gepa;
use super::rollout::{End, Rollout, Trajectory};
use crate::adapter::{Adapter, ChatAdapter};
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::lm::Content;
use crate::metric::NamedCall;
use crate::module::{Module, Predict, Variant};
use crate::python::{Random, repr, str_of};
use crate::run::{Run, Span};
use crate::signature::Signature;
use crate::value::{Custom, Map, Value};

/// One call of a predictor among those that a rollout made.
enum Looked<'a> {
    Call(&'a Rc<Span>, &'a Prediction),
    Unread(&'a str),
}

/// For each of the predictors examples with `Inputs`, `Generated Outputs` and `Feedback`; none for predictors that have none.
///
/// # Errors
/// [`Input`](ErrorKind::Input), when there are no examples at all; what the metric fails with.
pub(super) async fn examples(
    options: &Gepa,
    run: &Run,
    program: &Variant,
    rollouts: &[Rollout<'_>],
    components: &[String],
    random: &mut Random,
) -> Result<IndexMap<String, Vec<Map>>> {
    let predictors = program.predictors();
    let mut all = IndexMap::new();
    for name in components {
        let Some((_, predict)) = predictors.iter().find(|(path, _)| path == name) else { continue };
        // DSPy knows a predictor's calls by what it asks for.
        let alike = predictors.iter().filter(|(_, other)| other.signature().equals(predict.signature()));
        let alike: Vec<usize> = alike.map(|(_, other)| other.id()).collect();
        let mut examples = Vec::new();
        for rollout in rollouts {
            let Some(trajectory) = &rollout.trajectory else { continue };
            let Some(looked) = look(options, trajectory, &alike, random) else { continue };
            examples.push(match looked {
                Looked::Call(call, prediction) => {
                    let (example, trace) = (rollout.example, &trajectory.trace);
                    let call_of = NamedCall { predictor: name, span: call };
                    let score = options.metric.feedback(run, example, prediction, trace, call_of).await?;
                    Map::from_iter([
                        ("Inputs".to_owned(), Value::Dict(shown(&call.inputs)?)),
                        ("Generated Outputs".to_owned(), Value::Dict(call.outputs.clone())),
                        ("Feedback".to_owned(), feedback(&score)?),
                    ])
                }
                Looked::Unread(reply) => failure(predict, rollout.example, reply)?,
            });
        }
        if !examples.is_empty() {
            all.insert(name.clone(), examples);
        }
    }
    if all.is_empty() {
        return Err(Error::new(ErrorKind::Input, "No valid predictions found for any module."));
    }
    Ok(all)
}

/// The call to look at: the one that failed, or one of those that did not.
fn look<'a>(options: &Gepa, trajectory: &'a Trajectory, alike: &[usize], random: &mut Random) -> Option<Looked<'a>> {
    match &trajectory.end {
        End::Prediction(prediction) => {
            let of_predictor = |span: &&Rc<Span>| span.predictor.is_some_and(|id| alike.contains(&id));
            let calls: Vec<&Rc<Span>> = trajectory.trace.iter().filter(of_predictor).collect();
            // Python draws nothing from nothing.
            let call = if calls.is_empty() { None } else { random.choice(&calls).copied() };
            call.map(|call| Looked::Call(call, prediction))
        }
        End::Unread { predictor, reply } => {
            (options.add_format_failure_as_feedback && alike.contains(predictor)).then_some(Looked::Unread(reply))
        }
    }
}

/// Inputs with a conversation first, as `Context`.
fn shown(inputs: &Map) -> Result<Map> {
    let is_history = |value: &Value| matches!(value, Value::Custom(custom) if matches!(**custom, Custom::History(_)));
    let (histories, mut rest): (Vec<_>, Map) = (
        inputs.iter().filter(|(_, value)| is_history(value)).collect(),
        inputs
            .iter()
            .filter(|(_, value)| !is_history(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    );
    match histories[..] {
        [] => {}
        [(_, history)] => _ = rest.shift_insert(0, "Context".to_owned(), history.clone()),
        _ => {
            let message = "a predictor with two conversations cannot be reflected on";
            return Err(Error::new(ErrorKind::Input, message).with_python_class("AssertionError"));
        }
    }
    Ok(rest)
}

/// What the metric says in words; else the score in words.
fn feedback(score: &Value) -> Result<Value> {
    let in_words = |score: &str| Value::from(format!("This trajectory got a score of {score}."));
    let Value::Dict(prediction) = score else { return Ok(in_words(&str_of(score))) };
    let Some(feedback) = prediction.get("feedback") else {
        let fields = prediction.iter().map(|(name, value)| format!("{name}={}", repr(value)));
        return Ok(in_words(&format!("Prediction(\n    {}\n)", fields.collect::<Vec<_>>().join(",\n    "))));
    };
    let Some(score) = prediction.get("score") else {
        let error = Error::new(ErrorKind::Input, "a metric gave feedback without a score").at_field("score");
        return Err(error.with_hint("give a dict with a `score` and `feedback`").with_python_class("KeyError"));
    };
    Ok(if *feedback == Value::None { in_words(&str_of(score)) } else { feedback.clone() })
}

/// A reply that could not be read, and what a reply must look like. Of the inputs DSPy knows those of the program alone.
fn failure(predict: &Predict, example: &Example, reply: &str) -> Result<Map> {
    let inputs = example.inputs().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let outputs = [
        "Couldn't parse the output as per the expected output format. The model's raw response was:\n```\n",
        reply,
        "\n```\n\n",
    ];
    let feedback = ["Your output failed to parse. Follow this structure:\n", &structure(predict.signature())?].concat();
    Ok(Map::from_iter([
        ("Inputs".to_owned(), Value::Dict(shown(&inputs)?)),
        ("Generated Outputs".to_owned(), outputs.concat().into()),
        ("Feedback".to_owned(), feedback.into()),
    ]))
}

/// The messages of a call without inputs.
fn structure(signature: &Signature) -> Result<String> {
    let adapter = ChatAdapter::default();
    let mut messages = adapter.prefix(signature, &[])?;
    messages.extend(adapter.turns(signature, &Example::new())?);
    let mut text = String::new();
    for message in messages {
        if let Content::Text(content) = &message.content {
            [message.role, ": ", content, "\n"].iter().for_each(|piece| text.push_str(piece));
        }
    }
    Ok(text)
}
