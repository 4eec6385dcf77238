//! What is asked of the JSON Schema of a field.

use serde_json::Value as Json;

/// A schema, and the one that holds its definitions.
#[derive(Clone, Copy)]
pub(super) struct Schema<'a> {
    pub json: &'a Json,
    pub root: &'a Json,
}

impl<'a> Schema<'a> {
    pub fn whole(root: &'a Json) -> Self {
        Self { json: root, root }
    }

    /// Another one with the same definitions.
    pub fn with(self, json: &'a Json) -> Self {
        Self { json, ..self }
    }

    /// The name of the definition that it refers to.
    pub fn reference(self) -> Option<&'a str> {
        Some(self.json.get("$ref")?.as_str()?.rsplit_once('/')?.1)
    }

    /// The definition that it refers to, else itself.
    pub fn resolved(self) -> Self {
        let definition = self.reference().and_then(|name| self.root.get("$defs")?.get(name));
        definition.map_or(self, |definition| self.with(definition))
    }

    /// The members, when it is a union.
    pub fn choices(self) -> Option<&'a [Json]> {
        self.json.get("anyOf")?.as_array().map(Vec::as_slice)
    }

    pub fn has_type(self, name: &str) -> bool {
        has_type(self.json, name)
    }

    /// The schema of the items of a list.
    pub fn items(self) -> Self {
        self.with(self.json.get("items").unwrap_or(&Json::Null))
    }
}

pub(super) fn has_type(schema: &Json, name: &str) -> bool {
    schema.get("type").is_some_and(|ty| ty == name)
}
