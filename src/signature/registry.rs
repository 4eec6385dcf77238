//! The types that a signature may name beyond Python's own.

use indexmap::IndexMap;

use super::types::Type;

/// Types by the names that signatures give them: models, enums, objects described by JSON Schema.
///
/// A name of one's own comes before Python's, as with `custom_types` of DSPy 3.4.1.
///
/// ```
/// use std::rc::Rc;
/// use lakelet::signature::{EnumType, Signature, Type, Types};
/// # fn main() -> lakelet::Result<()> {
/// let color = EnumType {
///     name: "Color".into(),
///     base: "Enum".into(),
///     members: vec![("RED".into(), "red".into()), ("GREEN".into(), "green".into())],
/// };
/// let mut types = Types::new();
/// types.insert("Color", Type::Enum(Rc::new(color)));
/// let signature = Signature::parse_with("flower -> colors: list[Color]", &types)?;
/// assert_eq!(signature.fields[1].ty.annotation_name(), "list[Color]");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Types {
    by_name: IndexMap<String, Type>,
}

impl Types {
    /// No names beyond Python's own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a type a name; a type that had the name before is forgotten.
    pub fn insert(&mut self, name: &str, ty: Type) {
        self.by_name.insert(name.to_owned(), ty);
    }

    /// The type of a name.
    pub fn get(&self, name: &str) -> Option<&Type> {
        if self.by_name.is_empty() { None } else { self.by_name.get(name) }
    }
}
