//! Edits: each returns a new signature, as DSPy's do.

use super::{Field, Io, Signature};
use crate::error::{Error, ErrorKind, Result};
use crate::sort::sort_by;

impl Signature {
    /// The same fields with other instructions; empty ones bring DSPy's sentence back.
    pub fn with_instructions(&self, instructions: &str) -> Result<Self> {
        Self::from_fields(self.fields.to_vec(), Some(instructions))
    }

    /// The same fields, with more instructions behind a blank line.
    pub fn append_instructions(&self, more: &str) -> Result<Self> {
        self.with_instructions(&[&self.instructions, "\n\n", more].concat())
    }

    /// With a field in front of the inputs, or of the outputs.
    pub fn prepend(&self, field: Field) -> Result<Self> {
        self.insert(0, field)
    }

    /// With a field behind the inputs, or behind the outputs.
    pub fn append(&self, field: Field) -> Result<Self> {
        self.insert(-1, field)
    }

    /// With a field at a position among the inputs, or among the outputs; negative ones count from the end, so that -1 is
    /// behind the last. Of two fields with one name the later counts, in the place of the first.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when there is no such position.
    pub fn insert(&self, index: i64, field: Field) -> Result<Self> {
        let (start, count) = match field.io {
            Io::Input => (0, self.inputs().count()),
            Io::Output => (self.inputs().count(), self.outputs().count()),
        };
        let length = i64::try_from(count).unwrap_or(i64::MAX);
        let index = if index < 0 { index.saturating_add(length).saturating_add(1) } else { index };
        let position = usize::try_from(index).ok().filter(|position| *position <= count).ok_or_else(|| {
            let side = match field.io {
                Io::Input => "input",
                Io::Output => "output",
            };
            Error::new(
                ErrorKind::Signature,
                format!(
                    "Invalid index to insert: {index}, index must be in the range of [{}, {length}] for {side} fields, \
                     but received: {index}.",
                    length - 1
                ),
            )
            .with_hint(format!("Positions go from 0 to {length}, or from -1 back to {}.", -length - 1))
            .with_python_class("ValueError")
        })?;
        let mut fields = self.fields.to_vec();
        fields.insert(start + position, field);
        Self::from_fields(fields, Some(&self.instructions))
    }

    /// Without a field; a name that is not there changes nothing.
    pub fn delete(&self, name: &str) -> Result<Self> {
        let fields = self.fields.iter().filter(|field| field.name != name).cloned().collect();
        Self::from_fields(fields, Some(&self.instructions))
    }

    /// With one field changed.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when there is no field of that name.
    ///
    /// ```
    /// use lakelet::Signature;
    /// # fn main() -> lakelet::Result<()> {
    /// let signature = Signature::parse("question -> answer")?;
    /// let short = signature.with_updated_field("answer", |field| field.desc = "one word".into())?;
    /// assert_eq!(short.fields[1].desc, "one word");
    /// # Ok(()) }
    /// ```
    pub fn with_updated_field(&self, name: &str, change: impl FnOnce(&mut Field)) -> Result<Self> {
        let mut fields = self.fields.to_vec();
        let Some(field) = fields.iter_mut().find(|field| field.name == name) else {
            return Err(Error::new(ErrorKind::Signature, format!("the signature has no field `{name}`"))
                .with_hint(format!("Its fields are: {}.", self.to_text()))
                .with_python_class("KeyError"));
        };
        change(field);
        Self::from_fields(fields, Some(&self.instructions))
    }

    /// DSPy's comparison of signatures: instructions, names, sides, descriptions, prefixes and constraints, but neither
    /// types nor order.
    pub fn equals(&self, other: &Self) -> bool {
        let alike = |(field, twin): (&Field, &Field)| {
            field.name == twin.name
                && field.io == twin.io
                && field.desc == twin.desc
                && field.prefix == twin.prefix
                && field.constraints == twin.constraints
                && field.type_undefined == twin.type_undefined
        };
        self.instructions == other.instructions
            && self.fields.len() == other.fields.len()
            && self.by_name().into_iter().zip(other.by_name()).all(alike)
    }

    fn by_name(&self) -> Vec<&Field> {
        let mut fields: Vec<&Field> = self.fields.iter().collect();
        sort_by(&mut fields, |a, b| a.name.cmp(&b.name));
        fields
    }
}
