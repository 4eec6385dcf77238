//! Models and typed dicts.

use std::rc::Rc;

use super::validate::Validator;
use crate::signature::{ModelField, ModelType};
use crate::value::{Map, Value};

impl Validator {
    pub(super) fn check_model(&mut self, value: &Value, model: &Rc<ModelType>) -> Option<Value> {
        let given = match value {
            Value::Dict(given) => given,
            // Keys that are not text name no field.
            Value::MixedDict(pairs) => {
                let named = pairs.iter().filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone())));
                return self.check_model(&Value::Dict(named.collect()), model);
            }
            Value::Model(other, _) if other == model => return Some(value.clone()),
            _ => return self.fail(if model.typed_dict { "dict_type" } else { "model_type" }),
        };
        self.models.push(model.clone());
        let fields = self.check_fields(given, model);
        self.models.pop();
        if model.typed_dict {
            return fields.map(Value::Dict);
        }
        self.strict(Value::Model(model.clone(), fields?))
    }

    pub(super) fn check_fields(&mut self, given: &Map, model: &ModelType) -> Option<Map> {
        let mut fields = Map::with_capacity(model.fields.len());
        let mut valid = true;
        let mut set = 0;
        for field in &model.fields {
            let key = self.key_of(field, given);
            let checked = match (given.get(key), &field.default) {
                (Some(value), _) => {
                    set += 1;
                    self.inside(|| key.to_owned(), |validator| validator.check_field(value, field))
                }
                (None, Some(default)) => Some(default.clone()),
                (None, None) => self.inside(|| key.to_owned(), |validator| validator.fail("missing")),
            };
            match checked {
                Some(value) => _ = fields.insert(field.name.clone(), value),
                None => valid = false,
            }
        }
        let forbid = model.extra.as_deref() == Some("forbid");
        if forbid || model.extra.as_deref() == Some("allow") {
            for (key, value) in given {
                if model.fields.iter().any(|field| self.key_of(field, given) == key) {
                    continue;
                }
                if forbid {
                    self.inside::<()>(|| key.clone(), |validator| validator.fail("extra_forbidden"));
                    valid = false;
                } else {
                    fields.insert(key.clone(), value.clone());
                }
            }
        }
        self.add_fields_set(Some(set));
        valid.then_some(fields)
    }

    fn check_field(&mut self, value: &Value, field: &ModelField) -> Option<Value> {
        // A list that is too long is told before its items are looked at.
        if let Value::List(items) = value
            && super::constraint::too_many(items.len(), &field.constraints)
        {
            return self.fail("too_long");
        }
        let checked = self.check(value, &field.ty)?;
        match super::constraint::broken(&checked, &field.constraints) {
            Some(kind) => self.fail(kind),
            None => Some(checked),
        }
    }

    /// The key that a field is given by.
    fn key_of<'a>(&self, field: &'a ModelField, given: &Map) -> &'a str {
        let alias = field.alias.as_deref().unwrap_or(&field.name);
        let is_by_name = self.by_name && !given.contains_key(alias) && given.contains_key(&field.name);
        if is_by_name { &field.name } else { alias }
    }
}
