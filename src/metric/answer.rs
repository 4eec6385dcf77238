//! Answers against the answers of examples.

use super::{dpr_normalize, exact_match, f1, field, normalize_text, text, value_error};
use crate::error::{Error, ErrorKind, Result};
use crate::example::{Example, Prediction};
use crate::python::class_of;
use crate::value::Value;

/// Whether `prediction.answer` is `example.answer`, or one of them when that is a list. With `frac` below 1 an
/// [F1](super::f1) of at least `frac` is enough.
///
/// # Errors
/// [`Input`](ErrorKind::Input), when an answer is missing or of another type.
pub fn answer_exact_match(example: &Example, prediction: &Prediction, frac: f64) -> Result<bool> {
    let answers = Value::List(answers(example)?);
    let prediction = text(field(&prediction.fields, "answer")?)?;
    if frac >= 1.0 {
        return exact_match(prediction, &answers);
    }
    Ok(match f1(prediction, &answers)? {
        Value::Float(score) => score >= frac,
        _ => frac <= 0.0,
    })
}

/// Whether a passage of `prediction.context` holds `example.answer`, or one of them when that is a list, as a run of
/// [tokens](dpr_normalize).
///
/// # Errors
/// As [`answer_exact_match`].
pub fn answer_passage_match(example: &Example, prediction: &Prediction) -> Result<bool> {
    let answers = answers(example)?;
    let context = field(&prediction.fields, "context")?;
    let characters: Vec<Value>;
    let passages = match context {
        Value::List(passages) | Value::Tuple(passages) | Value::Set(passages) => passages,
        Value::Str(text) => {
            characters = text.chars().map(|c| c.to_string().into()).collect();
            &characters
        }
        other => {
            let message = format!("`context` must be a list of passages, and is {}", class_of(other));
            return Err(Error::new(ErrorKind::Input, message).at_field("context").with_python_class("TypeError"));
        }
    };
    if passages.is_empty() {
        return Ok(false); // the answers, whatever they are, are not looked at
    }
    let wanted = answers.iter().map(|answer| Ok(searchable(text(answer)?))).collect::<Result<Vec<_>>>()?;
    for passage in passages {
        let passage = searchable(text(passage)?);
        if wanted.iter().any(|answer| passage.contains(answer)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The tokens of a text with a space before and behind each, so that a run of tokens is a part of the text. No token holds
/// a space.
fn searchable(text: &str) -> String {
    let mut out = " ".to_owned();
    for token in dpr_normalize(&normalize_text(text)) {
        out.push_str(&token);
        out.push(' ');
    }
    out
}

fn answers(example: &Example) -> Result<Vec<Value>> {
    match field(&example.fields, "answer")? {
        Value::List(answers) => Ok(answers.clone()),
        Value::Str(answer) => Ok(vec![answer.as_str().into()]),
        other => Err(value_error(format!("Invalid answer type: <class '{}'>", class_of(other))).at_field("answer")),
    }
}
