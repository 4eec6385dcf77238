//! Lists, tuples, sets and dicts.

use super::equal::{distinct_keys, distinct_values, is_hashable};
use super::validate::Validator;
use crate::literal::dict_of;
use crate::python::repr;
use crate::signature::Type;
use crate::value::{Map, Value};

impl Validator {
    pub(super) fn check_list(&mut self, value: &Value, item: Option<&Type>) -> Option<Value> {
        let items = match value {
            Value::List(items) => items,
            Value::Tuple(items) | Value::Set(items) => self.lax(items)?,
            _ => return self.fail("list_type"),
        };
        match item {
            // A list of anything is what it is, even for a union.
            None | Some(Type::Any) => Some(Value::List(items.clone())),
            Some(item) => self.check_items(items, item).map(Value::List),
        }
    }

    pub(super) fn check_tuple_of(&mut self, value: &Value, item: &Type) -> Option<Value> {
        let items = self.tuple_items(value)?;
        self.check_items(items, item).map(Value::Tuple)
    }

    pub(super) fn check_tuple(&mut self, value: &Value, types: &[Type]) -> Option<Value> {
        let items = self.tuple_items(value)?;
        if items.len() > types.len() {
            return self.fail("too_long");
        }
        let mut valid = Some(Vec::with_capacity(types.len()));
        for (index, ty) in types.iter().enumerate() {
            let checked = self.inside(
                || index.to_string(),
                |validator| match items.get(index) {
                    Some(item) => validator.check(item, ty),
                    None => validator.fail("missing"),
                },
            );
            valid = push(valid, checked);
        }
        valid.map(Value::Tuple)
    }

    fn tuple_items<'a>(&mut self, value: &'a Value) -> Option<&'a [Value]> {
        match value {
            Value::Tuple(items) => Some(items),
            Value::List(items) | Value::Set(items) => self.lax(items),
            _ => self.fail("tuple_type"),
        }
    }

    pub(super) fn check_set(&mut self, value: &Value, item: Option<&Type>, kind: &'static str) -> Option<Value> {
        let items = match value {
            Value::Set(items) => items,
            Value::List(items) | Value::Tuple(items) => self.lax(items)?,
            _ => return self.fail(kind),
        };
        let mut all = Some(Vec::with_capacity(items.len()));
        for (index, value) in items.iter().enumerate() {
            let checked = self.inside(
                || index.to_string(),
                |validator| {
                    let checked = validator.check(value, item.unwrap_or(&Type::Any))?;
                    if is_hashable(&checked) { Some(checked) } else { validator.fail("set_item_not_hashable") }
                },
            );
            all = push(all, checked);
        }
        all.map(|items| Value::Set(distinct_values(items)))
    }

    fn check_items(&mut self, items: &[Value], ty: &Type) -> Option<Vec<Value>> {
        let mut valid = Some(Vec::with_capacity(items.len()));
        for (index, item) in items.iter().enumerate() {
            let checked = self.check_part(item, ty, || index.to_string());
            valid = push(valid, checked);
        }
        valid
    }

    pub(super) fn check_dict(&mut self, value: &Value, types: Option<&(Type, Type)>) -> Option<Value> {
        let plain = match value {
            Value::Dict(map) => Some(map),
            Value::MixedDict(_) => None,
            _ => return self.fail("dict_type"),
        };
        let (key_type, value_type) = types.map_or((&Type::Any, &Type::Any), |types| (&types.0, &types.1));
        if let (Some(map), Type::Str | Type::Any) = (plain, key_type) {
            // Keys that are text already stay themselves.
            if *key_type == Type::Any && !map.is_empty() {
                self.strict(())?;
            }
            let mut valid = Some(Map::with_capacity(map.len()));
            for (key, value) in map {
                let checked = self.check_part(value, value_type, || key.clone());
                valid = valid.zip(checked).map(|(mut map, value)| {
                    map.insert(key.clone(), value);
                    map
                });
            }
            return valid.map(Value::Dict);
        }
        let mut valid = Some(Vec::new());
        for (key, value) in pairs_of(value) {
            let new_key = self
                .inside(|| key_label(&key), |validator| validator.check_part(&key, key_type, || "[key]".to_owned()));
            let new_value = self.check_part(value, value_type, || key_label(&key));
            valid = push(valid, new_key.zip(new_value));
        }
        Some(dict_of(distinct_keys(valid?)))
    }
}

fn push<T>(list: Option<Vec<T>>, item: Option<T>) -> Option<Vec<T>> {
    list.zip(item).map(|(mut list, item)| {
        list.push(item);
        list
    })
}

fn pairs_of(dict: &Value) -> Vec<(Value, &Value)> {
    match dict {
        Value::Dict(map) => map.iter().map(|(key, value)| (Value::from(key.as_str()), value)).collect(),
        Value::MixedDict(pairs) => pairs.iter().map(|(key, value)| (key.clone(), value)).collect(),
        _ => Vec::new(),
    }
}

/// A key as places show it.
fn key_label(key: &Value) -> String {
    match key {
        Value::Str(text) => text.clone(),
        Value::Bool(truth) => u8::from(*truth).to_string(),
        other => repr(other),
    }
}
