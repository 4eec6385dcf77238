//! Options on their way in: an object in the buffer, written by the package's own code.

use std::cell::RefCell;

use indexmap::{IndexMap, IndexSet};
use serde_json::Value as Json;

use super::values;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::report;
use crate::run::Price;
use crate::value::{Map, Value};

/// The members of an options object. A member of the wrong type is an error that names it.
pub(super) struct Options {
    members: Map,
    /// The names that were asked for.
    asked: RefCell<IndexSet<String>>,
}

impl Options {
    /// Reads the object that was written into the first `length` bytes of the buffer.
    pub fn read(length: usize) -> Result<Self> {
        values::record(length).map(Self::from)
    }

    /// The options in a value.
    pub fn of(value: Value) -> Result<Self> {
        match value {
            Value::Dict(members) => Ok(Self::from(members)),
            _ => Err(Error::new(ErrorKind::Config, "the options are not an object")),
        }
    }

    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        self.typed(name, "text", Value::as_str)
    }

    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        self.typed(name, "true or false", Value::as_bool)
    }

    pub fn number(&self, name: &str) -> Result<Option<f64>> {
        self.typed(name, "a number", |value| match value {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        })
    }

    pub fn integer(&self, name: &str) -> Result<Option<i64>> {
        self.typed(name, "a whole number", |value| if let Value::Int(number) = value { Some(*number) } else { None })
    }

    pub fn count(&self, name: &str) -> Result<Option<u32>> {
        self.integer(name)?.map(|number| u32::try_from(number).map_err(|_| wrong(name, "0 or more"))).transpose()
    }

    /// A whole number that may be large.
    pub fn size(&self, name: &str) -> Result<Option<u64>> {
        self.integer(name)?.map(|number| u64::try_from(number).map_err(|_| wrong(name, "0 or more"))).transpose()
    }

    #[cfg(feature = "optimize")]
    pub fn integers(&self, name: &str) -> Result<Vec<i64>> {
        let number = |value: &Value| if let Value::Int(number) = value { Some(*number) } else { None };
        let numbers = self.list(name)?.iter().map(number).collect::<Option<_>>();
        numbers.ok_or_else(|| wrong(name, "a list of whole numbers"))
    }

    pub fn texts(&self, name: &str) -> Result<Vec<&str>> {
        let texts = self.list(name)?.iter().map(Value::as_str).collect::<Option<_>>();
        texts.ok_or_else(|| wrong(name, "a list of texts"))
    }

    pub fn list(&self, name: &str) -> Result<&[Value]> {
        let list = self.typed(name, "a list", |value| if let Value::List(items) = value { Some(items) } else { None });
        Ok(list?.map(Vec::as_slice).unwrap_or_default())
    }

    pub fn object(&self, name: &str) -> Result<Option<&Map>> {
        self.typed(name, "an object", |value| if let Value::Dict(members) = value { Some(members) } else { None })
    }

    /// What a million tokens of models cost, by their names: `{input, output}`.
    pub fn prices(&self, name: &str) -> Result<IndexMap<String, Price>> {
        let mut prices = IndexMap::new();
        for (model, price) in self.object(name)?.into_iter().flatten() {
            let price = Self::of(price.clone()).map_err(|error| error.at_field(name))?;
            let number = |name| Ok::<_, Error>(price.number(name)?.unwrap_or_default());
            prices.insert(model.clone(), Price { input: number("input")?, output: number("output")? });
        }
        Ok(prices)
    }

    /// An object as it goes out in requests.
    pub fn json(&self, name: &str) -> Result<Option<serde_json::Map<String, Json>>> {
        Ok(self.object(name)?.map(to_json))
    }

    /// Any value; `None` when there is none.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.asked.borrow_mut().insert(name.to_owned());
        self.members.get(name)
    }

    /// Refuses members that nobody has asked for, with the nearest one that was asked for, save for those of `own`, which users never give.
    #[cfg(feature = "optimize")]
    pub fn no_others(&self, own: &[&str]) -> Result<()> {
        let asked = self.asked.borrow();
        let is_known = |name: &str| asked.contains(name) || own.contains(&name);
        let Some(other) = self.members.keys().find(|name| !is_known(name)) else { return Ok(()) };
        let known = asked.iter().map(String::as_str).filter(|name| !own.contains(name));
        Err(Error::new(ErrorKind::Config, format!("there is no option `{other}`"))
            .at_field(other)
            .with_hint(crate::nearest::offer(other, known)))
    }

    /// All members as they go out in requests.
    pub fn into_json(self) -> serde_json::Map<String, Json> {
        to_json(&self.members)
    }

    fn typed<'a, T>(&'a self, name: &str, what: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Result<Option<T>> {
        match self.value(name) {
            None | Some(Value::None) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| wrong(name, what)),
        }
    }
}

impl From<Map> for Options {
    fn from(members: Map) -> Self {
        Self { members, asked: RefCell::default() }
    }
}

fn wrong(name: &str, what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the option `{name}` must be {what}")).at_field(name)
}

/// Values as JSON.
fn to_json(members: &Map) -> serde_json::Map<String, Json> {
    match json::read(report::object(members)) {
        Ok(Json::Object(members)) => members,
        _ => serde_json::Map::new(),
    }
}
