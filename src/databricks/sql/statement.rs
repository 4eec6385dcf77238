//! A statement, and what is sent with it.

use serde_json::{Map, Value as Json, json};

/// One SQL statement with its named parameters (`:name`).
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    text: String,
    parameters: Vec<Json>,
    options: Map<String, Json>,
}

impl Statement {
    /// A statement; several, parted by `;`, are refused by the service.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), parameters: Vec::new(), options: Map::new() }
    }

    /// Gives a parameter, as a text.
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push(json!({"name": name, "value": value}));
        self
    }

    /// Gives a parameter of a type, `INT` for instance, by the text of its value; `None` is `NULL`.
    pub fn typed_parameter(mut self, name: &str, type_name: Option<&str>, value: Option<&str>) -> Self {
        let members = [("name", Some(name)), ("value", value), ("type", type_name)];
        let members = members.into_iter().filter_map(|(member, text)| Some((member.to_owned(), text?.into())));
        self.parameters.push(Json::Object(members.collect()));
        self
    }

    /// The catalog and schema that names without their own are looked for in.
    pub fn within(self, catalog: &str, schema: &str) -> Self {
        self.option("catalog", catalog.into()).option("schema", schema.into())
    }

    /// Sets another member of the request: `row_limit`, `byte_limit`, `wait_timeout` (`"30s"`), `on_wait_timeout`, `query_tags` ...
    pub fn option(mut self, name: &str, value: Json) -> Self {
        self.options.insert(name.to_owned(), value);
        self
    }

    /// Sets a member unless it is set.
    pub(super) fn or_option(mut self, name: &str, value: &str) -> Self {
        self.options.entry(name).or_insert_with(|| value.into());
        self
    }

    pub(super) fn body(&self, warehouse_id: &str) -> Json {
        let mut body = self.options.clone();
        body.insert("statement".to_owned(), self.text.as_str().into());
        body.insert("warehouse_id".to_owned(), warehouse_id.into());
        if !self.parameters.is_empty() {
            body.insert("parameters".to_owned(), self.parameters.clone().into());
        }
        Json::Object(body)
    }
}
