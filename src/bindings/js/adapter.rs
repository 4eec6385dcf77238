//! Adapters by their names.

use std::rc::Rc;

use super::model::Model;
use super::options::Options;
use crate::adapter::{Adapter, AdapterOptions, TwoStepAdapter, named};
use crate::error::Result;
use crate::value::{Map, Value};

/// The adapter in the option `adapter`: a name, or
/// `{adapter, useNativeFunctionCalling?, parallelToolCalls?, useJsonAdapterFallback?}`. For `twoStep` a model is given, which finds
/// the fields.
pub(super) fn read(options: &Options, extraction_model: Option<Model>) -> Result<Rc<dyn Adapter>> {
    let own = match options.value("adapter") {
        Some(Value::Dict(own)) => own.clone(),
        Some(name) => Map::from_iter([("adapter".to_owned(), name.clone())]),
        None => Map::new(),
    };
    let own = Options::of(Value::Dict(own))?;
    let name = own.text("adapter")?.unwrap_or("chat");
    if let Some(Model { model }) = extraction_model.filter(|_| name == "twoStep") {
        return Ok(Rc::new(TwoStepAdapter::new(model)));
    }
    let options = AdapterOptions {
        native_function_calling: own.flag("useNativeFunctionCalling")?,
        parallel_tool_calls: own.flag("parallelToolCalls")?,
        json_fallback: own.flag("useJsonAdapterFallback")?,
    };
    named(name, options)
}
