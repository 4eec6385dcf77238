//! Metrics: how good a prediction is.
//!
//! They are those of DSPy 3.4.1 (`dspy.evaluate.metrics`, `dspy.evaluate.auto_evaluation`, `dspy.majority`), to the last bit.
//!
//! ```
//! use lakelet::{Example, Prediction, metric};
//! let example = Example::new().with("answer", "The Eiffel Tower");
//! let prediction = Prediction::from(Example::new().with("answer", "eiffel tower!").fields);
//! assert!(metric::answer_exact_match(&example, &prediction, 1.0)?);
//! # Ok::<(), lakelet::Error>(())
//! ```

mod answer;
mod judge;
mod majority;
mod overlap;
mod program;
mod scored;
mod text;

pub use answer::{answer_exact_match, answer_passage_match};
pub use judge::{CompleteAndGrounded, SemanticF1, semantic_f1_score};
pub use majority::majority;
pub use overlap::{exact_match, f1, hot_pot_f1, precision_score};
pub use program::Judge;
pub use scored::{Metric, NamedCall};
pub(crate) use scored::{is_true, number};
pub use text::{dpr_normalize, normalize_text};

use crate::error::{Error, ErrorKind, Result};
use crate::python::class_of;
use crate::value::{Map, Value};

/// A field that a metric reads.
fn field<'a>(fields: &'a Map, name: &str) -> Result<&'a Value> {
    fields.get(name).ok_or_else(|| {
        Error::new(ErrorKind::Input, format!("the metric reads a field `{name}`, and there is none"))
            .at_field(name)
            .with_python_class("AttributeError")
    })
}

/// A value that a metric compares as text.
fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| {
        Error::new(ErrorKind::Input, format!("a metric compares texts, and got {}", class_of(value)))
            .with_python_class("TypeError")
    })
}

fn value_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Input, message).with_python_class("ValueError")
}
