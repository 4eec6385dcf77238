//! What stays the same from call to call, rendered once.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use super::Predict;
use crate::adapter::Adapter;
use crate::error::Result;
use crate::example::Example;
use crate::json;
use crate::lm::{Capabilities, Prompt, write_messages};
use crate::signature::Signature;

/// What a predictor has prepared so far: once for each adapter, and for each choice of fields that left the prompt.
#[derive(Clone, Default)]
pub(super) struct Shelf(RefCell<Vec<Rc<Prepared>>>);

/// What one adapter makes of the signature and the demos.
pub(super) struct Prepared {
    adapter: &'static str,
    /// The fields that left the prompt.
    taken: Vec<String>,
    /// The signature without them.
    pub asked: Signature,
    pub prefix: Rc<str>,
    /// The `response_format` for the capabilities of the first model that was asked; models rarely change.
    response_format: OnceCell<(Capabilities, Option<Rc<str>>)>,
}

impl Predict {
    /// What an adapter makes of signature and demos when some fields leave the prompt.
    pub(super) fn prepared(&self, adapter: &dyn Adapter, taken: &[&str]) -> Result<Rc<Prepared>> {
        let is_same = |known: &&Rc<Prepared>| known.adapter == adapter.name() && known.taken == taken;
        if let Some(known) = self.shelf.0.borrow().iter().find(is_same) {
            return Ok(Rc::clone(known));
        }
        let asked = taken.iter().try_fold(self.signature.clone(), |asked, name| asked.delete(name))?;
        let mut prefix = String::new();
        write_messages(&adapter.prefix(&asked, &self.demos)?, &mut prefix);
        let prepared = Rc::new(Prepared {
            adapter: adapter.name(),
            taken: taken.iter().map(|name| (*name).to_owned()).collect(),
            asked,
            prefix: prefix.into(),
            response_format: OnceCell::new(),
        });
        self.shelf.0.borrow_mut().push(Rc::clone(&prepared));
        Ok(prepared)
    }
}

impl Prepared {
    /// The messages of a call.
    pub fn prompt(&self, adapter: &dyn Adapter, inputs: &Example) -> Result<Prompt> {
        let mut tail = String::new();
        write_messages(&adapter.turns(&self.asked, inputs)?, &mut tail);
        Ok(Prompt { prefix: Rc::clone(&self.prefix), tail })
    }

    /// The `response_format` for the predictor's own signature.
    pub fn response_format(
        &self,
        adapter: &dyn Adapter,
        signature: &Signature,
        capabilities: Capabilities,
    ) -> Result<Option<Rc<str>>> {
        match self.response_format.get() {
            Some((known, format)) if *known == capabilities => Ok(format.clone()),
            Some(_) => render_format(adapter, signature, capabilities),
            None => {
                let format = render_format(adapter, signature, capabilities)?;
                Ok(self.response_format.get_or_init(|| (capabilities, format)).1.clone())
            }
        }
    }
}

/// The JSON text of a `response_format`.
pub(super) fn render_format(
    adapter: &dyn Adapter,
    signature: &Signature,
    capabilities: Capabilities,
) -> Result<Option<Rc<str>>> {
    let format = adapter.response_format(signature, capabilities)?;
    Ok(format.map(|format| Rc::from(json::text(&format))))
}
