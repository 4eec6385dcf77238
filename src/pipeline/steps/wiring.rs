//! Plain wiring: `literal`, `join` and `lookup`.

use super::only;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::reader::Reader;
use crate::pipeline::step::{Action, Draft, Want, WantKind, texts_type};
use crate::signature::Type;
use crate::value::{Map, Value};

/// `{"do": "literal", "value": ...}` gives `value`.
pub(in crate::pipeline) struct Literal {
    value: Value,
}

impl Literal {
    pub fn read(step: &Reader) -> Result<Draft> {
        only(step, &["value"])?;
        let value = Value::from(step.get("value").ok_or_else(|| step.missing("value"))?);
        let gives = vec![("value".to_owned(), type_of(&value))];
        Ok(Draft { action: Action::Literal(Self { value }), wants: Vec::new(), gives })
    }

    pub fn apply(&self) -> Map {
        Map::from([("value".to_owned(), self.value.clone())])
    }
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Str(_) => Type::Str,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Float(_) => Type::Float,
        Value::List(items) if items.iter().all(|item| item.as_str().is_some()) => texts_type(),
        Value::List(_) => Type::List(None),
        Value::Dict(_) => Type::Dict(None),
        _ => Type::Any,
    }
}

/// `{"do": "join", "values": ["retrieve.contexts"], "separator": "\n\n"}` gives `text`.
pub(in crate::pipeline) struct Join {
    separator: String,
}

impl Join {
    pub fn read(step: &Reader) -> Result<Draft> {
        only(step, &["values", "separator"])?;
        let separator = step.text("separator")?.unwrap_or("\n\n").to_owned();
        let values = step.texts("values")?.ok_or_else(|| step.missing("values"))?;
        let want = |(i, from): (usize, &&str)| Want::new(format!("values[{i}]"), from, WantKind::Texts);
        let wants = values.iter().enumerate().map(want).collect();
        Ok(Draft { action: Action::Join(Self { separator }), wants, gives: vec![("text".to_owned(), Type::Str)] })
    }

    pub fn apply(&self, given: &Map) -> Map {
        let texts: Vec<&str> = given.values().flat_map(texts).filter(|text| !text.is_empty()).collect();
        Map::from([("text".to_owned(), texts.join(&self.separator).into())])
    }
}

/// The texts of a `str` or a `list[str]`.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Str(text) => vec![text],
        Value::List(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// `{"do": "lookup", "rows": [{"when": {"region": "EU"}, "value": "..."}]}` gives `values`: those of all rows whose
/// conditions hold, in order.
pub(in crate::pipeline) struct Lookup {
    rows: Vec<Row>,
}

struct Row {
    /// An input's name, and the texts of which it must be one.
    when: Vec<(String, Vec<String>)>,
    value: String,
}

impl Lookup {
    pub fn read(step: &Reader) -> Result<Draft> {
        only(step, &["rows"])?;
        let mut rows = Vec::new();
        let mut wants: Vec<Want> = Vec::new();
        for row in step.objects("rows")? {
            row.only(&["when", "value"])?;
            let conditions = row.object("when")?;
            let mut when = Vec::new();
            for (name, _) in conditions.entries() {
                let allowed = conditions.texts(name)?.unwrap_or_default();
                when.push((name.to_owned(), allowed.into_iter().map(str::to_owned).collect()));
                if wants.iter().all(|want| want.argument != name) {
                    wants.push(Want::new(format!("rows.when.{name}"), name, WantKind::Declared).named(name));
                }
            }
            rows.push(Row { when, value: row.need_text("value")?.to_owned() });
        }
        if rows.is_empty() {
            return Err(step.missing("rows"));
        }
        Ok(Draft { action: Action::Lookup(Self { rows }), wants, gives: vec![("values".to_owned(), texts_type())] })
    }

    pub fn apply(&self, given: &Map) -> Result<Map> {
        if let Some((name, _)) = given.iter().find(|(_, value)| value.as_str().is_none()) {
            return Err(Error::new(ErrorKind::Input, "a table is searched by text").at_field(name));
        }
        let holds = |(name, allowed): &(String, Vec<String>)| {
            given.get(name).and_then(Value::as_str).is_some_and(|text| allowed.iter().any(|one| one == text))
        };
        let rows = self.rows.iter().filter(|row| row.when.iter().all(holds));
        Ok(Map::from([("values".to_owned(), Value::List(rows.map(|row| row.value.as_str().into()).collect()))]))
    }
}
