//! Broken JSON read as `json_repair` 0.64.6 reads it, which DSPy 3.4 hands every reply to.
//!
//! Valid JSON takes a fast path ([`reader`]). Anything else goes to a forgiving descent over the text that knows only where it
//! stands: in an object's key, in an object's value, or in an array. Its rules are those of json_repair, because a reply must
//! give the same fields here and in Python; each is told where it is applied.
//!
//! The reading never fails, never panics, and takes linear time: looking ahead draws on a budget that no honest text uses up,
//! and nesting beyond [`MAX_DEPTH`] gives the same as a text without any value, `""`.

mod array;
mod cursor;
mod delimiter;
mod escape;
mod lookahead;
mod object;
mod parenthesis;
mod scalar;
mod string;
mod top;

pub(crate) use top::is_falsy;

use crate::json::reader::{self, MAX_DEPTH};
use crate::value::Value;

/// Reads text that should be JSON; `""` when no value is found.
///
/// ```
/// use lakelet::{Value, json_repair};
/// let value = json_repair::loads("Sure! {answer: 'Paris', score: 1_000,");
/// let Value::Dict(fields) = value else { panic!("a dict") };
/// assert_eq!(fields["answer"], Value::from("Paris"));
/// assert_eq!(fields["score"], Value::Int(1000));
/// ```
pub fn loads(text: &str) -> Value {
    match reader::loads(text) {
        Ok(value) => value,
        Err(_) => top::repair(text).unwrap_or_else(|Unreadable| Value::Str(String::new())),
    }
}

/// Reads valid JSON, as Python's `json.loads` does.
pub(crate) fn valid(text: &str) -> Option<Value> {
    reader::loads(text).ok()
}

/// The text nests too deeply, or is of the kind that makes json_repair itself fail.
#[derive(Debug)]
struct Unreadable;

type Read<T> = Result<T, Unreadable>;

/// Where in a container the text is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Key,
    Member,
    Array,
}
