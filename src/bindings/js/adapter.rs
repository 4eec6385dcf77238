//! Adapters by their names.

use std::rc::Rc;

use super::options::Options;
use crate::adapter::{Adapter, BamlAdapter, ChatAdapter, JsonAdapter, XmlAdapter};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Map, Value};

/// The adapter in the option `adapter`: a name, or
/// `{adapter, useNativeFunctionCalling?, parallelToolCalls?, useJsonAdapterFallback?}`.
pub(super) fn read(options: &Options) -> Result<Rc<dyn Adapter>> {
    let own = match options.value("adapter") {
        Some(Value::Dict(own)) => own.clone(),
        Some(name) => Map::from_iter([("adapter".to_owned(), name.clone())]),
        None => Map::new(),
    };
    let own = Options::of(Value::Dict(own))?;
    let native = |default| Ok::<_, Error>(own.flag("useNativeFunctionCalling")?.unwrap_or(default));
    let parallel_tool_calls = own.flag("parallelToolCalls")?;
    let json_fallback = own.flag("useJsonAdapterFallback")?.unwrap_or(true);
    let json = || Ok::<_, Error>(JsonAdapter { native_function_calling: native(true)?, parallel_tool_calls });
    Ok(match own.text("adapter")?.unwrap_or("chat") {
        "chat" => Rc::new(ChatAdapter { native_function_calling: native(false)?, parallel_tool_calls, json_fallback }),
        "xml" => Rc::new(XmlAdapter { native_function_calling: native(false)?, parallel_tool_calls, json_fallback }),
        "json" => Rc::new(json()?),
        "baml" => Rc::new(BamlAdapter { json: json()? }),
        other => {
            return Err(Error::new(ErrorKind::Config, format!("the adapter `{other}` is not known"))
                .at_field("adapter")
                .with_hint("use `chat`, `json`, `xml` or `baml`"));
        }
    })
}
