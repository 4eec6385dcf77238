//! [`BamlAdapter`]: the JSON adapter with types written as BAML writes them.

mod types;

use serde_json::Value as Json;

use super::chat::{write_header, write_section};
use super::jsonable::{JsonStyle, write_json};
use super::template::{self, Template};
use super::{Adapter, FieldStream, JsonAdapter};
use crate::error::Result;
use crate::example::Example;
use crate::lm::{Capabilities, Message};
use crate::signature::{Field, Signature, Type};
use crate::value::{Custom, Map, Value};

/// DSPy's name of the adapter.
const NAME: &str = "BAMLAdapter";

/// The adapter for deep models: like [`JsonAdapter`], but types stand in a short notation instead of as JSON Schema. DSPy's
/// `BAMLAdapter`. JSONAdapter reads its replies, and most errors bear that name.
///
/// ```
/// use lakelet::adapter::{Adapter, BamlAdapter};
/// use lakelet::lm::Content;
/// use lakelet::{Example, Signature};
///
/// let signature = Signature::parse("question -> scores: dict[str, int | None]")?;
/// let prefix = BamlAdapter::default().prefix(&signature, &[])?;
/// let Content::Text(system) = &prefix[0].content else { panic!("text") };
/// assert!(system.contains("Output field `scores` should be of type: dict[string, int or null]\n"));
/// # Ok::<(), lakelet::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BamlAdapter {
    /// What it shares with the JSON adapter.
    pub json: JsonAdapter,
}

impl BamlAdapter {
    /// A type as the system message shows it.
    ///
    /// # Errors
    /// [`Signature`](crate::ErrorKind::Signature), when a model comes twice in it, be it in itself or side by side.
    pub fn type_text(ty: &Type) -> Result<String> {
        types::text(ty)
    }
}

impl Adapter for BamlAdapter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn native_function_calling(&self) -> bool {
        self.json.native_function_calling
    }

    fn parallel_tool_calls(&self) -> Option<bool> {
        self.json.parallel_tool_calls
    }

    fn prefix(&self, signature: &Signature, demos: &[Example]) -> Result<Vec<Message>> {
        template::prefix(self, signature, demos)
    }

    fn turns(&self, signature: &Signature, inputs: &Example) -> Result<Vec<Message>> {
        template::turns(self, signature, inputs)
    }

    fn inputs_text(&self, values: &Map) -> Result<String> {
        template::inputs_text(self, values)
    }

    fn response_format(&self, signature: &Signature, model: Capabilities) -> Result<Option<Json>> {
        self.json.response_format(signature, model)
    }

    fn parse(&self, signature: &Signature, reply: &str) -> Result<Map> {
        self.json.parse_for(NAME, signature, reply)
    }

    fn stream(&self, signature: &Signature) -> Box<dyn FieldStream> {
        self.json.stream(signature)
    }
}

impl Template for BamlAdapter {
    fn native_function_calling(&self) -> bool {
        self.json.native_function_calling
    }

    fn write_structure(&self, out: &mut String, signature: &Signature) -> Result<()> {
        out.push_str(
            "All interactions will be structured in the following way, with the appropriate values filled in.\n\n",
        );
        for field in signature.inputs() {
            write_header(out, &field.name);
            out.push_str("\n{");
            out.push_str(&field.name);
            out.push_str("}\n\n");
        }
        for field in signature.outputs() {
            write_header(out, &field.name);
            out.push_str("\nOutput field `");
            out.push_str(&field.name);
            out.push_str("` should be of type: ");
            out.push_str(&types::text(&field.ty).map_err(|error| error.at_field(&field.name))?);
            out.push_str("\n\n");
        }
        write_header(out, "completed");
        Ok(())
    }

    fn write_input(&self, out: &mut String, field: &Field, value: &Value) -> Result<()> {
        match value {
            Value::Model(ty, _) if !ty.typed_dict => {}
            Value::Custom(custom) if !matches!(**custom, Custom::Example(..)) => {}
            _ => return write_section(out, field, value),
        }
        write_header(out, &field.name);
        out.push('\n');
        write_json(out, value, JsonStyle::Model);
        Ok(())
    }

    fn write_reminder(&self, out: &mut String, outputs: &[&Field]) -> Result<()> {
        self.json.write_reminder(out, outputs)
    }

    fn write_reply(&self, out: &mut String, outputs: &[&Field], values: &Map, missing: &Value) -> Result<()> {
        self.json.write_reply(out, outputs, values, missing)
    }
}
