//! Adapters by their names.

use std::rc::Rc;

use super::{Adapter, BamlAdapter, ChatAdapter, JsonAdapter, XmlAdapter};
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::offer;

/// The names of the adapters that need nothing but options.
const NAMES: [&str; 4] = ["chat", "json", "xml", "baml"];

/// How an adapter differs from DSPy's of the same name; `None` leaves a setting as it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdapterOptions {
    /// Tools go to the endpoint as tools, and calls of earlier turns as calls, where the endpoint can take them.
    pub native_function_calling: Option<bool>,
    /// Whether the endpoint may ask for several calls at once.
    pub parallel_tool_calls: Option<bool>,
    /// Whether a reply of `chat` or `xml` that cannot be read is asked for once more as JSON.
    pub json_fallback: Option<bool>,
}

/// The adapter of a name, `chat`, `json`, `xml` or `baml`; DSPy's names, `ChatAdapter` for instance, are known too.
///
/// ```
/// use lakelet::adapter::{AdapterOptions, named};
/// assert_eq!(named("xml", AdapterOptions::default())?.name(), "XMLAdapter");
/// assert_eq!(named("BAMLAdapter", AdapterOptions::default())?.name(), "BAMLAdapter");
/// # Ok::<(), lakelet::Error>(())
/// ```
///
/// # Errors
/// [`Config`](ErrorKind::Config), for a name that is not known; it names the field `adapter`.
pub fn named(name: &str, options: AdapterOptions) -> Result<Rc<dyn Adapter>> {
    let AdapterOptions { native_function_calling, parallel_tool_calls, json_fallback } = options;
    let native = |default| native_function_calling.unwrap_or(default);
    let json = JsonAdapter { native_function_calling: native(true), parallel_tool_calls };
    let native_function_calling = native(false);
    let json_fallback = json_fallback.unwrap_or(true);
    Ok(match name {
        "chat" | "ChatAdapter" => Rc::new(ChatAdapter { native_function_calling, parallel_tool_calls, json_fallback }),
        "xml" | "XMLAdapter" => Rc::new(XmlAdapter { native_function_calling, parallel_tool_calls, json_fallback }),
        "json" | "JSONAdapter" => Rc::new(json),
        "baml" | "BAMLAdapter" => Rc::new(BamlAdapter { json }),
        other => {
            return Err(Error::new(ErrorKind::Config, format!("there is no adapter `{other}`"))
                .at_field("adapter")
                .with_hint(offer(other, NAMES)));
        }
    })
}
