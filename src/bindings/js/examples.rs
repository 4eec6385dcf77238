//! Examples on their way in: all at once, or one by one.

use futures_core::Stream;
use futures_util::stream;
use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::callback;
use super::errors::{answered, from_thrown};
use super::options::Options;
use super::program::example;
use crate::error::{Error, Result};
use crate::evaluate::complete_row;
use crate::example::Example;
use crate::value::Value;

/// The examples in an option, which names the fields that programs are given as `inputs`; they may lack what is `optional`.
pub(super) fn examples(options: &Options, name: &str) -> Result<Vec<Example>> {
    let inputs = Inputs::of(options)?;
    let row = |row: &Value| Ok(inputs.within(example(row).map_err(|error| error.at_field(name))?));
    options.list(name)?.iter().map(row).collect()
}

struct Inputs {
    needed: Vec<String>,
    optional: Vec<String>,
}

impl Inputs {
    fn of(options: &Options) -> Result<Self> {
        let texts = |name| Ok::<_, Error>(options.texts(name)?.into_iter().map(str::to_owned).collect());
        Ok(Self { needed: texts("inputs")?, optional: texts("optional")? })
    }

    fn within(&self, example: Example) -> Example {
        let given = self.optional.iter().filter(|name| example.get(name).is_some());
        let names: Vec<&str> = self.needed.iter().chain(given).map(String::as_str).collect();
        example.with_inputs(&names)
    }
}

/// Examples that a function gives. It is called with their places, from 0 on, for a function that writes the example and tells its length,
/// or for `undefined` at the end; or for a promise of that.
pub(super) struct Devset {
    example: Function,
    inputs: Inputs,
}

impl Devset {
    pub fn of(example: Function, options: &Options) -> Result<Self> {
        Ok(Self { example, inputs: Inputs::of(options)? })
    }

    /// Makes sure that so many examples, which the function gives at once, can be evaluated.
    pub fn check(&self, total: usize) -> Result<()> {
        for place in 0..total {
            if let Some(example) = self.read(&self.ask(place)?)? {
                complete_row("devset", place, &example)?;
            }
        }
        Ok(())
    }

    pub fn stream(&self) -> impl Stream<Item = Result<Example>> {
        stream::try_unfold(0, async |place| {
            let mut answer = self.ask(place)?;
            if !(answer.is_function() || answer.is_undefined()) {
                answer = answered(Ok(answer)).await?;
            }
            Ok(self.read(&answer)?.map(|example| (example, place + 1)))
        })
    }

    fn ask(&self, place: usize) -> Result<JsValue> {
        self.example.call1(&JsValue::NULL, &JsValue::from_f64(place as f64)).map_err(|thrown| from_thrown(&thrown))
    }

    fn read(&self, answer: &JsValue) -> Result<Option<Example>> {
        if answer.is_undefined() {
            return Ok(None);
        }
        Ok(Some(self.inputs.within(Example::from(callback::record(answer)?))))
    }
}
