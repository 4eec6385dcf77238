//! Adapters.

use std::rc::Rc;

use super::Library;
use super::errors::{Result, outward};
use super::fields::{example, examples};
use super::wit::adapters;
use super::wit::signatures::SignatureBorrow;
use crate::adapter::{Adapter, AdapterOptions, named};
use crate::lm::write_messages;
use crate::report;
use crate::signature::Signature;

impl adapters::Guest for Library {
    fn format(
        adapter: adapters::Adapter,
        signature: SignatureBorrow<'_>,
        demos: String,
        inputs: String,
    ) -> Result<String> {
        format(adapter, signature.get(), &demos, &inputs).map_err(outward)
    }

    fn parse(adapter: adapters::Adapter, signature: SignatureBorrow<'_>, reply: String) -> Result<String> {
        let fields = inner(adapter).and_then(|adapter| adapter.parse(signature.get(), &reply)).map_err(outward)?;
        Ok(report::object(&fields))
    }
}

fn format(adapter: adapters::Adapter, signature: &Signature, demos: &str, inputs: &str) -> crate::Result<String> {
    let (adapter, demos, inputs) = (inner(adapter)?, examples("demos", demos)?, example("inputs", inputs)?);
    let mut messages = adapter.prefix(signature, &demos)?;
    messages.extend(adapter.turns(signature, &inputs)?);
    let mut array = String::from("[");
    write_messages(&messages, &mut array);
    array.push(']');
    Ok(array)
}

/// The adapter as the core has it.
pub(super) fn inner(adapter: adapters::Adapter) -> crate::Result<Rc<dyn Adapter>> {
    let name = match adapter {
        adapters::Adapter::Chat => "chat",
        adapters::Adapter::Json => "json",
        adapters::Adapter::Xml => "xml",
        adapters::Adapter::Baml => "baml",
    };
    named(name, AdapterOptions::default())
}
