//! What two texts have in common, word by word.

use indexmap::IndexMap;

use super::{normalize_text, text, value_error};
use crate::error::Result;
use crate::python::class_of;
use crate::value::Value;

/// DSPy's `EM`: whether the prediction is one of the answers, both [normalised](normalize_text).
///
/// # Errors
/// [`Input`](crate::ErrorKind::Input), when `answers` is no list, or an empty one.
pub fn exact_match(prediction: &str, answers: &Value) -> Result<bool> {
    let prediction = normalize_text(prediction);
    let matches = references(answers)?.iter().map(|answer| Ok(prediction == normalize_text(text(answer)?)));
    matches.collect::<Result<Vec<_>>>().map(|matches| matches.contains(&true))
}

/// DSPy's `F1`: the harmonic mean of precision and recall, for the answer that it is highest for. Where no word is in
/// common the score is the integer 0, else a float.
///
/// # Errors
/// As [`exact_match`].
pub fn f1(prediction: &str, answers: &Value) -> Result<Value> {
    let prediction = normalize_text(prediction);
    best(answers, |answer| Overlap::of(&prediction, answer).f1())
}

/// DSPy's `HotPotF1`: as [`f1`], but `yes`, `no` and `noanswer` score 0 against everything else.
///
/// # Errors
/// As [`exact_match`].
pub fn hot_pot_f1(prediction: &str, answers: &Value) -> Result<Value> {
    let prediction = normalize_text(prediction);
    let is_verdict = |text: &str| matches!(text, "yes" | "no" | "noanswer");
    best(answers, |answer| {
        let differs = prediction != answer && (is_verdict(&prediction) || is_verdict(answer));
        if differs { None } else { Overlap::of(&prediction, answer).f1() }
    })
}

/// The part of the prediction's words that is in the answer; the integer 0 where none is.
pub fn precision_score(prediction: &str, answer: &str) -> Value {
    score(Overlap::of(&normalize_text(prediction), &normalize_text(answer)).precision())
}

/// The list of answers to compare with.
fn references(answers: &Value) -> Result<&[Value]> {
    match answers {
        Value::List(answers) if answers.is_empty() => {
            Err(value_error("max() arg is an empty sequence").with_hint("give at least one answer to compare with"))
        }
        Value::List(answers) => Ok(answers),
        other => Err(value_error(format!("`answers_list` must be a list, got <class '{}'>", class_of(other)))),
    }
}

/// The highest score of all answers.
fn best(answers: &Value, score_of: impl Fn(&str) -> Option<f64>) -> Result<Value> {
    let mut best = None;
    for answer in references(answers)? {
        best = score_of(&normalize_text(text(answer)?)).filter(|score| best.is_none_or(|best| *score > best)).or(best);
    }
    Ok(score(best))
}

/// A score as Python has it, where nothing in common is the integer 0.
fn score(score: Option<f64>) -> Value {
    score.map_or(Value::Int(0), Value::Float)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

/// How many words two normalised texts have, and have in common.
struct Overlap {
    prediction: usize,
    answer: usize,
    common: usize,
}

impl Overlap {
    /// Of texts that are [normalised](normalize_text).
    fn of(prediction: &str, answer: &str) -> Self {
        let mut left: IndexMap<&str, usize> = IndexMap::new();
        for word in words(answer) {
            *left.entry(word).or_default() += 1;
        }
        let common = words(prediction).filter(|word| match left.get_mut(word) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        });
        Self { common: common.count(), prediction: words(prediction).count(), answer: words(answer).count() }
    }

    fn precision(&self) -> Option<f64> {
        (self.common > 0).then(|| self.common as f64 / self.prediction as f64)
    }

    fn f1(&self) -> Option<f64> {
        let precision = self.precision()?;
        let recall = self.common as f64 / self.answer as f64;
        Some((2.0 * precision * recall) / (precision + recall))
    }
}
