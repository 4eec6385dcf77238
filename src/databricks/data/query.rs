//! A SQL query and the values of its parameters, and how names and texts stand in SQL.
//!
//! Source: <https://docs.databricks.com/sql/language-manual/sql-ref-parameter-marker>, `sql-ref-identifiers` and `data-types/string-type`
//! there.

use serde_json::{Value as Json, json};

use crate::databricks::names;
pub(super) use crate::databricks::names::identifier as quoted;
use crate::databricks::sql::Statement;
use crate::error::{Error, ErrorKind, Result};

/// What our own parameters begin with.
const OURS: &str = "lakelet_";

/// One SQL statement with the values of its named parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    pub text: String,
    pub parameters: Vec<Parameter>,
}

/// A value that a statement names: `:name`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    /// `STRING`, `BIGINT`, `DOUBLE` or `BOOLEAN`.
    pub type_name: &'static str,
    pub value: String,
}

impl Query {
    /// The statement as a warehouse runs it.
    pub fn statement(&self) -> Statement {
        let parameters = self.parameters.iter();
        parameters.fold(Statement::new(&self.text), |statement, Parameter { name, type_name, value }| {
            statement.typed_parameter(name, Some(type_name), Some(value))
        })
    }

    /// `{statement, parameters: [{name, type, value}]}`, as the Statement Execution API takes it.
    pub fn to_json(&self) -> Json {
        let parameter = |it: &Parameter| json!({"name": it.name, "type": it.type_name, "value": it.value});
        json!({"statement": self.text, "parameters": self.parameters.iter().map(parameter).collect::<Vec<_>>()})
    }
}

/// The parameters of a statement while it is put together.
#[derive(Default)]
pub(super) struct Parameters(Vec<Parameter>);

impl Parameters {
    /// The query of a text that names these parameters.
    pub fn query(self, text: String) -> Query {
        Query { text, parameters: self.0 }
    }

    /// What stands for a text in the statement.
    pub fn text(&mut self, text: &str) -> String {
        self.add("STRING", text.to_owned())
    }

    /// What stands for a value in the statement: a text, a number or a boolean.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) at the field, for anything else.
    pub fn value(&mut self, value: &Json, field: &str) -> Result<String> {
        let (type_name, text) = typed(value, field)?;
        Ok(self.add(type_name, text))
    }

    /// Adds a parameter that an expression of the caller names.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) at the parameter, when the name is one of ours or has another value already.
    pub fn named(&mut self, name: &str, value: &Json) -> Result<()> {
        let (type_name, value) = typed(value, name)?;
        let parameter = Parameter { name: name.to_owned(), type_name, value };
        match self.0.iter().find(|known| known.name == name) {
            Some(known) if *known == parameter => return Ok(()),
            Some(_) => return Err(refused(name, "has two values", "Give one of the two another name.")),
            None if name.starts_with(OURS) => {
                return Err(refused(name, "has a name of ours", "Names that begin with `lakelet_` are taken."));
            }
            None => self.0.push(parameter),
        }
        Ok(())
    }

    fn add(&mut self, type_name: &'static str, value: String) -> String {
        let known = self.0.iter().find(|known| known.type_name == type_name && known.value == value);
        if let Some(known) = known.filter(|known| known.name.starts_with(OURS)) {
            return format!(":{}", known.name);
        }
        let name = format!("{OURS}{}", self.0.len());
        let marker = format!(":{name}");
        self.0.push(Parameter { name, type_name, value });
        marker
    }
}

fn typed(value: &Json, field: &str) -> Result<(&'static str, String)> {
    Ok(match value {
        Json::String(text) => ("STRING", text.clone()),
        Json::Bool(truth) => ("BOOLEAN", truth.to_string()),
        Json::Number(number) if number.is_i64() => ("BIGINT", number.to_string()),
        Json::Number(number) => ("DOUBLE", number.to_string()),
        Json::Null => {
            return Err(refused(field, "is null", "A comparison with null is true of no row: ask for `is null`."));
        }
        _ => return Err(refused(field, "is no single value", "Give a text, a number or a boolean.")),
    })
}

fn refused(field: &str, what: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Input, format!("the value of `{field}` {what}")).at_field(field).with_hint(hint)
}

/// A dotted name with each part in backticks: `a.b` is two parts, and a part that holds a dot is given in backticks.
///
/// # Errors
/// [`Input`](ErrorKind::Input) at the field, when a part is empty or a backtick has no end.
pub(super) fn path(name: &str, field: &str) -> Result<String> {
    let parts = names::split(name).ok_or_else(|| {
        let hint =
            "Give parts with dots between them, and backticks around a part that holds a dot: main.default.`a.b`.";
        Error::new(ErrorKind::Input, format!("`{field}` is no name: {name}")).at_field(field).with_hint(hint)
    })?;
    Ok(parts.iter().map(|part| quoted(part)).collect::<Vec<_>>().join("."))
}

/// A text as a SQL literal, for places where no parameter can stand.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A scalar or a list of scalars as a SQL literal; `None` for anything else.
pub(super) fn literal_of(value: &Json) -> Option<String> {
    Some(match value {
        Json::String(text) => literal(text),
        Json::Bool(truth) => truth.to_string(),
        Json::Number(number) => number.to_string(),
        Json::Array(items) if !items.iter().any(Json::is_array) => {
            format!("array({})", items.iter().map(literal_of).collect::<Option<Vec<_>>>()?.join(", "))
        }
        Json::Array(_) | Json::Null | Json::Object(_) => return None,
    })
}
