//! What most completions say.

use indexmap::IndexMap;

use super::{field, normalize_text, text, value_error};
use crate::error::Result;
use crate::example::Prediction;
use crate::value::Map;

/// The first completion of the value that most of them have in a field, both [normalised](normalize_text): DSPy's
/// `majority`. Of values that are equally frequent the earliest wins. Empty values count only when all are empty. Without a
/// name it is about the last field.
///
/// ```
/// use lakelet::{Example, metric::majority};
/// let completions = ["4", "5", "five", "5!"].map(|answer| Example::new().with("answer", answer).fields);
/// assert_eq!(majority(&completions, None)?.get("answer").and_then(|answer| answer.as_str()), Some("5"));
/// # Ok::<(), lakelet::Error>(())
/// ```
///
/// # Errors
/// [`Input`](crate::ErrorKind::Input), when there is no completion, or one lacks the field or has no text in it.
pub fn majority(completions: &[Map], name: Option<&str>) -> Result<Prediction> {
    let none = || value_error("there is no completion to choose from").with_python_class("IndexError");
    let last = || completions.first().and_then(|first| first.keys().last()).map(String::as_str);
    let name = name.or_else(last).ok_or_else(none)?;
    // For each value the completion that had it first, and how many have it.
    let mut votes: IndexMap<String, (&Map, usize)> = IndexMap::new();
    for completion in completions {
        votes.entry(normalize_text(text(field(completion, name)?)?)).or_insert((completion, 0)).1 += 1;
    }
    if votes.len() > 1 {
        votes.shift_remove("");
    }
    let mut best: Option<&(&Map, usize)> = None;
    for vote in votes.values() {
        best = Some(best.filter(|best| best.1 >= vote.1).unwrap_or(vote));
    }
    let (winner, _) = best.ok_or_else(none)?;
    Ok(Prediction::from((*winner).clone()))
}
