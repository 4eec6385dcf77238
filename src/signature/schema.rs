//! Types as JSON Schema, with the names, titles and order of keys of pydantic 2.14 (validation mode).

mod parts;

use serde_json::{Map as JsonMap, Value as Json};

use parts::{constrain, definition_name, enumeration, formatted, refer, reference, refers_to, scalar, takes_title};
pub(super) use parts::{literal, object, plain, sorted, typed};

use super::grammar::DEPTH;
use super::types::{ModelField, ModelType, Special, Type};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::python::{cleandoc, strip, title};
use crate::value::Value;

impl Type {
    /// The JSON Schema of the type, as `pydantic.TypeAdapter(T).json_schema()` gives it. Keys are in alphabetical order but
    /// for the properties of an object, which keep theirs.
    ///
    /// # Errors
    /// [`Signature`](ErrorKind::Signature), when the type has none (`dspy.Tool`, a name that nothing was registered under).
    ///
    /// ```
    /// use lakelet::signature::{Type, Types};
    /// # fn main() -> lakelet::Result<()> {
    /// let schema = Type::parse("list[int] | None", &Types::new())?.json_schema()?;
    /// assert_eq!(schema.to_string(), r#"{"anyOf":[{"items":{"type":"integer"},"type":"array"},{"type":"null"}]}"#);
    /// # Ok(()) }
    /// ```
    pub fn json_schema(&self) -> Result<Json> {
        Builder::default().whole(self)
    }

    /// The same, with `by_alias=False`: properties have the names of the fields where these have aliases.
    pub(crate) fn schema_by_name(&self) -> Result<Json> {
        Builder { by_name: true, ..Builder::default() }.whole(self)
    }
}

/// Collects the definitions that a schema refers to.
#[derive(Default)]
pub(super) struct Builder {
    definitions: JsonMap<String, Json>,
    depth: usize,
    /// What the model around says of other keys: a `TypedDict` says the same.
    extra: Option<String>,
    /// Properties have the names of the fields, not their aliases.
    by_name: bool,
}

impl Builder {
    /// A builder for the properties of an object that has no others.
    pub(super) fn closed() -> Self {
        Self { extra: Some("forbid".to_owned()), ..Self::default() }
    }

    fn whole(mut self, ty: &Type) -> Result<Json> {
        let schema = self.schema(ty)?;
        Ok(sorted(self.finish(schema), ""))
    }

    /// The schema together with its definitions. A definition that is the whole schema, and that nothing else refers to,
    /// takes its place.
    fn finish(mut self, mut schema: JsonMap<String, Json>) -> Json {
        if let (1, Some(name)) = (schema.len(), reference(&schema).map(str::to_owned))
            && !self.definitions.values().any(|definition| refers_to(definition, &name))
            && let Some(Json::Object(definition)) = self.definitions.shift_remove(&name)
        {
            schema = definition;
        }
        self.with_definitions(schema)
    }

    /// The schema together with its definitions.
    pub(super) fn with_definitions(self, mut schema: JsonMap<String, Json>) -> Json {
        if !self.definitions.is_empty() {
            schema.insert("$defs".to_owned(), Json::Object(self.definitions));
        }
        Json::Object(schema)
    }

    /// The schema of a type, which may refer to definitions.
    pub(super) fn schema(&mut self, ty: &Type) -> Result<JsonMap<String, Json>> {
        if self.depth >= DEPTH {
            return Err(no_schema(&format!("a type that nests deeper than {DEPTH} levels")));
        }
        self.depth += 1;
        let schema = self.schema_of(ty);
        self.depth -= 1;
        schema
    }

    fn schema_of(&mut self, ty: &Type) -> Result<JsonMap<String, Json>> {
        Ok(match ty {
            Type::Any => JsonMap::new(),
            Type::Str | Type::Complex => typed("string"),
            Type::Int => typed("integer"),
            Type::Float => typed("number"),
            Type::Bool => typed("boolean"),
            Type::None => typed("null"),
            Type::Bytes => formatted("binary"),
            Type::Scalar(kind) => scalar(*kind),
            Type::List(item) => self.array(item.as_deref())?,
            Type::Tuple(None) => self.array(None)?,
            Type::TupleOf(item) => self.array(Some(item))?,
            Type::Set(item) | Type::FrozenSet(item) => {
                let mut schema = self.array(item.as_deref())?;
                schema.insert("uniqueItems".to_owned(), true.into());
                schema
            }
            Type::Tuple(Some(items)) => {
                let mut schema = typed("array");
                if !items.is_empty() {
                    let items = items.iter().map(|item| self.schema(item).map(Json::Object)).collect::<Result<_>>()?;
                    schema.insert("prefixItems".to_owned(), Json::Array(items));
                }
                schema.insert("minItems".to_owned(), items.len().into());
                schema.insert("maxItems".to_owned(), items.len().into());
                schema
            }
            Type::Dict(pair) => self.dict(pair.as_deref())?,
            Type::Union(members) => self.union(members)?,
            Type::Literal(values) => literal(values),
            Type::Enum(ty) => self.define(&ty.name, |_| Ok(enumeration(ty)))?,
            Type::Model(ty) => self.define(&ty.name, |builder| builder.model(ty))?,
            Type::ModelRef(name) if self.definitions.contains_key(&definition_name(name)) => refer(name),
            Type::ModelRef(name) => {
                return Err(no_schema(&format!("`{name}`"))
                    .with_hint(format!("Register a type under the name `{name}`."))
                    .with_python_class("PydanticUserError"));
            }
            Type::Special(special) => self.special(special)?,
            Type::JsonSchema(named) => self.given(&named.0, &named.1)?,
            Type::Alias(alias) => self.schema(&alias.1)?,
        })
    }

    fn array(&mut self, item: Option<&Type>) -> Result<JsonMap<String, Json>> {
        let mut schema = typed("array");
        schema.insert("items".to_owned(), Json::Object(item.map_or_else(|| Ok(JsonMap::new()), |ty| self.schema(ty))?));
        Ok(schema)
    }

    fn dict(&mut self, pair: Option<&(Type, Type)>) -> Result<JsonMap<String, Json>> {
        let mut schema = typed("object");
        let (mut keys, mut values) = match pair {
            Some((key, value)) => (self.schema(key)?, self.schema(value)?),
            None => Default::default(),
        };
        values.shift_remove("title");
        let values = if values.is_empty() { true.into() } else { Json::Object(values) };
        schema.insert("additionalProperties".to_owned(), values);
        // Keys are always texts in JSON; only what limits them further is told.
        keys.shift_remove("title");
        let limited = keys.len() > 1 && keys.get("type").is_some_and(|ty| ty == "string");
        if limited || reference(&keys).is_some() {
            keys.shift_remove("type");
            schema.insert("propertyNames".to_owned(), Json::Object(keys));
        }
        Ok(schema)
    }

    /// Alternatives, flat and each once; `None` comes last.
    fn union(&mut self, members: &[Type]) -> Result<JsonMap<String, Json>> {
        let mut flat: Vec<Json> = Vec::with_capacity(members.len());
        let mut push = |schema: Json| {
            if !flat.contains(&schema) {
                flat.push(schema);
            }
        };
        let is_null = |ty: &&Type| **ty == Type::None;
        for member in members.iter().filter(|ty| !is_null(ty)).chain(members.iter().find(is_null)) {
            let mut schema = self.schema(member)?;
            match (schema.len(), schema.shift_remove("anyOf")) {
                (1, Some(Json::Array(inner))) => inner.into_iter().for_each(&mut push),
                (_, Some(inner)) => {
                    schema.insert("anyOf".to_owned(), inner);
                    push(Json::Object(schema));
                }
                (_, None) => push(Json::Object(schema)),
            }
        }
        Ok(match (flat.pop(), flat.len()) {
            (Some(Json::Object(single)), 0) => single,
            (last, _) => {
                flat.extend(last);
                object("anyOf", flat)
            }
        })
    }

    /// Makes a definition, unless there is one of that name, and refers to it.
    fn define(
        &mut self,
        name: &str,
        make: impl FnOnce(&mut Self) -> Result<JsonMap<String, Json>>,
    ) -> Result<JsonMap<String, Json>> {
        let key = definition_name(name);
        if !self.definitions.contains_key(&key) {
            // The name stands before the definition does, so that a model can hold itself.
            self.definitions.insert(key.clone(), Json::Null);
            let definition = make(self)?;
            self.definitions.insert(key, Json::Object(definition));
        }
        Ok(refer(name))
    }

    fn model(&mut self, ty: &ModelType) -> Result<JsonMap<String, Json>> {
        let mut properties = JsonMap::new();
        let mut required = Vec::new();
        let extra = if ty.typed_dict && ty.extra.is_none() { self.extra.clone() } else { ty.extra.clone() };
        let outer = std::mem::replace(&mut self.extra, extra.clone());
        for field in &ty.fields {
            let key = field.alias.as_ref().filter(|_| !self.by_name).unwrap_or(&field.name);
            properties.insert(key.clone(), Json::Object(self.property(key, field)?));
            if field.default.is_none() {
                required.push(Json::from(key.as_str()));
            }
        }
        self.extra = outer;
        let mut schema = typed("object");
        schema.insert("title".to_owned(), ty.name.as_str().into());
        if let Some(doc) = ty.doc.as_deref().filter(|doc| !doc.is_empty()) {
            schema.insert("description".to_owned(), cleandoc(doc).into());
        }
        schema.insert("properties".to_owned(), Json::Object(properties));
        if !required.is_empty() {
            schema.insert("required".to_owned(), Json::Array(required));
        }
        match extra.as_deref() {
            Some("forbid") => _ = schema.insert("additionalProperties".to_owned(), false.into()),
            Some("allow") => _ = schema.insert("additionalProperties".to_owned(), true.into()),
            _ => {}
        }
        Ok(schema)
    }

    fn property(&mut self, key: &str, field: &ModelField) -> Result<JsonMap<String, Json>> {
        let mut schema = self.schema(&field.ty)?;
        for (name, value) in &field.constraints {
            constrain(&mut schema, name, value);
        }
        self.describe_property(&mut schema, key, &field.ty, field.title.as_deref(), field.default.as_ref());
        if let Some(description) = &field.description {
            schema.insert("description".to_owned(), description.as_str().into());
        }
        Ok(schema)
    }

    /// Adds what the holder of a property knows about it: title and default.
    pub(super) fn describe_property(
        &mut self,
        schema: &mut JsonMap<String, Json>,
        key: &str,
        ty: &Type,
        given_title: Option<&str>,
        default: Option<&Value>,
    ) {
        if let Some(default) = default {
            schema.insert("default".to_owned(), plain(default));
        }
        if let Some(given) = given_title {
            schema.insert("title".to_owned(), given.into());
        } else if takes_title(ty) && !schema.contains_key("title") {
            let words = title(key).replace('_', " ");
            schema.insert("title".to_owned(), strip(&words).into());
        }
    }

    fn special(&mut self, special: &Special) -> Result<JsonMap<String, Json>> {
        if let Special::Code(Some(_)) = special {
            let name = Type::Special(special.clone()).annotation_name();
            return self.define(&name, |_| {
                let mut schema = definition_of("Code")?;
                schema.shift_remove("description");
                schema.insert("title".to_owned(), name.as_str().into());
                Ok(schema)
            });
        }
        match special {
            Special::Tool => {
                return Err(no_schema("`dspy.Tool`").with_python_class("PydanticInvalidForJsonSchema"));
            }
            Special::ToolCalls => _ = self.define("ToolCall", |_| definition_of("ToolCall"))?,
            Special::Citations => _ = self.define("Citation", |_| definition_of("Citation"))?,
            Special::Decision(decision) => return self.define(decision.name(), |_| Ok(decision.schema())),
            _ => {}
        }
        self.define(special.name(), |_| definition_of(special.name()))
    }

    /// A schema of the user's own; its definitions move to the others.
    fn given(&mut self, type_name: &str, schema: &Json) -> Result<JsonMap<String, Json>> {
        let mut schema = schema.as_object().cloned().unwrap_or_default();
        if let Some(Json::Object(definitions)) = schema.shift_remove("$defs") {
            for (name, definition) in definitions {
                match self.definitions.get(&name) {
                    Some(other) if *other != definition => {
                        return Err(Error::new(
                            ErrorKind::Signature,
                            format!("the schema of `{type_name}` and another one define `{name}` differently"),
                        )
                        .with_hint(format!("Rename one `{name}` under `$defs`.")));
                    }
                    Some(_) => {}
                    None => _ = self.definitions.insert(name, definition),
                }
            }
        }
        Ok(schema)
    }
}

/// What Python says of one of DSPy's own types.
pub(super) fn docstring(name: &str) -> Option<String> {
    Some(definition_of(name).ok()?.get("description")?.as_str()?.to_owned())
}

/// The schemas of DSPy's own types, in which their Python docstrings are descriptions.
fn definition_of(name: &str) -> Result<JsonMap<String, Json>> {
    let mut all = json::read(include_str!("special.json")).unwrap_or_default();
    match all.get_mut(name).map(Json::take) {
        Some(Json::Object(schema)) => Ok(schema),
        _ => Err(no_schema(&format!("`dspy.{name}`"))),
    }
}

fn no_schema(what: &str) -> Error {
    Error::new(ErrorKind::Signature, format!("there is no JSON Schema for {what}"))
        .with_hint("Use a type that JSON can carry.")
        .with_python_class("PydanticUserError")
}
