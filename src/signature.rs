//! Signatures: what a predictor is given and what it gives back, as DSPy 3.4 defines them.

mod build;
mod decision;
mod describe;
mod edit;
mod grammar;
mod names;
mod registry;
mod resolve;
mod response;
mod schema;
mod special;
mod state;
mod types;

pub use decision::{Decision, DecisionKind};
pub use names::infer_prefix;
pub use registry::Types;
pub use response::strict_schema;
pub(crate) use special::{citation, tool_call};
pub use types::{EnumType, ModelField, ModelType, Special, Type};

use std::rc::Rc;

use crate::value::Value;

/// Whether a field is given or produced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    Input,
    Output,
}

/// A field of a signature.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: String,
    pub io: Io,
    pub ty: Type,
    /// `${name}` (which prompts render as nothing) unless given.
    pub desc: String,
    /// Never in a prompt, but saved with a program: `Refined Query:`.
    pub prefix: String,
    /// The text of the constraints, `greater than or equal to: 0` for instance.
    pub constraints: Option<String>,
    /// The value that stands in for an absent one.
    pub default: Option<Value>,
    /// No type was written, so it is `str`.
    pub type_undefined: bool,
}

/// What a predictor is given, what it gives back, and how it is told to.
///
/// ```
/// use lakelet::Signature;
/// # fn main() -> lakelet::Result<()> {
/// let signature = Signature::parse("context: list[str], question -> answer, confidence: float")?;
/// assert_eq!(signature.inputs().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["context", "question"]);
/// assert_eq!(
///     &*signature.instructions,
///     "Given the fields `context`, `question`, produce the fields `answer`, `confidence`."
/// );
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    pub instructions: Rc<str>,
    /// All inputs, then all outputs.
    pub fields: Rc<[Field]>,
}

impl Signature {
    /// The inputs, in order.
    pub fn inputs(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|f| f.io == Io::Input)
    }

    /// The outputs, in order.
    pub fn outputs(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|f| f.io == Io::Output)
    }

    /// A field by name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}
