//! Values that are still being written.

use std::rc::Rc;

use crate::coerce::validate;
use crate::json_repair;
use crate::signature::{ModelType, Type};
use crate::value::{Map, Value};

/// A list or object that is being written as JSON, and what is sure of it.
///
/// What is told of it only grows: a list gets longer, an object gets members, a text in them gets longer. Numbers and the like
/// count once they are complete. Where the text leaves valid JSON or the type, nothing more is told.
#[derive(Default)]
pub(super) struct Growth {
    /// How much of the text has been looked at.
    seen: usize,
    /// The end of the text that is sure to stay as it is, once what is open there is closed.
    sure: usize,
    /// The brackets that are open, as the ones that close them.
    open: Vec<char>,
    quoted: bool,
    /// The next string is a key, or the one that is open.
    is_key: bool,
    /// Characters that an escape needs yet.
    escape: usize,
    /// Nothing is told before the text has this length. It grows with the text, so that the whole costs linear time.
    next: usize,
    told: Option<Value>,
    broken: bool,
}

impl Growth {
    /// What is sure now and was not before; `text` is all of the value so far.
    pub(super) fn look(&mut self, text: &str, ty: &Type) -> Option<Value> {
        if self.broken {
            return None;
        }
        let sure = self.sure;
        self.scan(text);
        if self.sure == sure || self.sure < self.next {
            return None;
        }
        let grown = self.read(text, ty).filter(|value| self.leads_to(value));
        self.broken = grown.is_none();
        self.next = self.sure + self.sure / 8;
        if grown == self.told {
            return None;
        }
        self.told.clone_from(&grown);
        grown
    }

    /// Whether a value is what was told, or more.
    pub(super) fn leads_to(&self, value: &Value) -> bool {
        self.told.as_ref().is_none_or(|told| grows(told, value))
    }

    fn scan(&mut self, text: &str) {
        let start = self.seen;
        for (at, c) in text.get(start..).unwrap_or_default().char_indices() {
            let at = start + at;
            let end = at + c.len_utf8();
            self.seen = end;
            if self.quoted {
                self.string(c, end);
                continue;
            }
            match c {
                '[' | '{' => {
                    self.open.push(if c == '[' { ']' } else { '}' });
                    self.is_key = c == '{';
                    self.sure = end;
                }
                _ if self.open.is_empty() => self.broken |= !c.is_ascii_whitespace(),
                ']' | '}' => {
                    self.broken |= self.open.pop() != Some(c);
                    self.is_key = false;
                    self.sure = end;
                }
                ',' => {
                    self.is_key = self.open.last() == Some(&'}');
                    self.sure = at;
                }
                ':' => self.is_key = false,
                '"' => {
                    self.quoted = true;
                    if !self.is_key {
                        self.sure = end;
                    }
                }
                _ => {}
            }
        }
    }

    /// Escapes are sure together with what follows them: a surrogate may be half of a character.
    fn string(&mut self, c: char, end: usize) {
        match c {
            'u' if self.escape == 1 => self.escape = 4,
            _ if self.escape > 0 => self.escape -= 1,
            '\\' => self.escape = 1,
            '"' => {
                self.quoted = false;
                if !self.is_key {
                    self.sure = end;
                }
            }
            _ if !self.is_key => self.sure = end,
            _ => {}
        }
    }

    fn read(&self, text: &str, ty: &Type) -> Option<Value> {
        let mut json = text.get(..self.sure)?.to_owned();
        let in_text = self.quoted && !self.is_key;
        json.extend(in_text.then_some('"'));
        json.extend(self.open.iter().rev());
        let depth = self.open.len() + usize::from(in_text);
        view(json_repair::valid(&json)?, ty, depth, &mut Vec::new())
    }
}

/// What a value that is `open` levels deep unfinished shows as one of a type; `None` when nothing.
fn view(value: Value, ty: &Type, open: usize, models: &mut Vec<Rc<ModelType>>) -> Option<Value> {
    match (ty, value) {
        (Type::Alias(alias), value) => view(value, &alias.1, open, models),
        (Type::ModelRef(name), value) => {
            let model = models.iter().rfind(|model| model.name == *name)?.clone();
            view(value, &Type::Model(model), open, models)
        }
        (ty, value) if open == 0 => validate(&value, ty).ok(),
        (Type::Any | Type::List(None), value @ Value::List(_)) => Some(value),
        (Type::Any | Type::Dict(None) | Type::JsonSchema(_), value @ Value::Dict(_)) => Some(value),
        (Type::Any | Type::Str, value @ Value::Str(_)) => Some(value),
        (Type::List(Some(item)), Value::List(items)) => views(items, |_| Some(item), open, models).map(Value::List),
        (Type::TupleOf(item), Value::List(items)) => views(items, |_| Some(item), open, models).map(Value::Tuple),
        (Type::Tuple(Some(types)), Value::List(items)) => {
            views(items, |at| types.get(at), open, models).map(Value::Tuple)
        }
        (Type::Dict(Some(types)), Value::Dict(members)) if matches!(types.0, Type::Str | Type::Any) => {
            let names: Vec<String> = members.keys().cloned().collect();
            let values = views(members.into_values().collect(), |_| Some(&types.1), open, models)?;
            Some(Value::Dict(names.into_iter().zip(values).collect()))
        }
        (Type::Model(model), Value::Dict(members)) => {
            models.push(Rc::clone(model));
            let shown = view_model(members, model, open, models);
            models.pop();
            shown.map(Value::Dict)
        }
        (Type::Union(members), value) => {
            let mut members = members.iter().filter(|member| **member != Type::None);
            let only = members.next().filter(|_| members.next().is_none())?;
            view(value, only, open, models)
        }
        _ => None,
    }
}

/// The items of a list; an unfinished last one that shows nothing is left out.
fn views<'t>(
    items: Vec<Value>,
    ty: impl Fn(usize) -> Option<&'t Type>,
    open: usize,
    models: &mut Vec<Rc<ModelType>>,
) -> Option<Vec<Value>> {
    let last = items.len().checked_sub(1);
    let mut shown = Vec::with_capacity(items.len());
    for (at, item) in items.into_iter().enumerate() {
        let open = if Some(at) == last { open - 1 } else { 0 };
        match view(item, ty(at)?, open, models) {
            Some(item) => shown.push(item),
            None if open > 0 => {}
            None => return None,
        }
    }
    Some(shown)
}

fn view_model(mut members: Map, model: &ModelType, open: usize, models: &mut Vec<Rc<ModelType>>) -> Option<Map> {
    let last = members.keys().last().cloned();
    let mut shown = Map::new();
    for field in &model.fields {
        let key = field.alias.as_ref().unwrap_or(&field.name);
        let Some(value) = members.swap_remove(key) else { continue };
        let open = if last.as_ref() == Some(key) { open - 1 } else { 0 };
        match view(value, &field.ty, open, models) {
            Some(value) => _ = shown.insert(field.name.clone(), value),
            None if open > 0 => {}
            None => return None,
        }
    }
    Some(shown)
}

/// Whether a value is another one, or the same with more at its end.
fn grows(from: &Value, to: &Value) -> bool {
    match (from, to) {
        (Value::Str(from), Value::Str(to)) => to.starts_with(from.as_str()),
        (Value::List(from), Value::List(to)) | (Value::Tuple(from), Value::Tuple(to)) => {
            from.len() <= to.len() && from.iter().zip(to).all(|(from, to)| grows(from, to))
        }
        (Value::Dict(from), Value::Dict(to) | Value::Model(_, to)) | (Value::Model(_, from), Value::Model(_, to)) => {
            from.iter().all(|(name, from)| to.get(name).is_some_and(|to| grows(from, to)))
        }
        (from, to) => from == to,
    }
}
