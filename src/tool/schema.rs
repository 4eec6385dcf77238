//! JSON Schema (draft 2020-12) for arguments, with the messages of Python's `jsonschema` 4.26, and its choice of the one
//! problem that is told. `$ref`, `pattern`, `patternProperties` and the `unevaluated` keywords are not looked at.

use std::cmp::Ordering;

use serde_json::{Map as JsonMap, Value as Json};

use crate::coerce::equal;
use crate::python::{repr, str_repr};
use crate::value::{Map, Value};

/// The problem that says most about what is wrong, or nothing when the value fits.
pub(super) fn problem(value: &Value, schema: &Json) -> Option<String> {
    let mut problems = Vec::new();
    check(value, schema, &mut problems);
    // Of equal ones Python's `max` takes the first.
    let mut best = problems.into_iter().reduce(|best, next| match next.relevance(&best) {
        Ordering::Greater => next,
        _ => best,
    })?;
    loop {
        let mut context = std::mem::take(&mut best.context);
        context.sort_by(Problem::relevance);
        match context.as_slice() {
            [] => return Some(best.message),
            [first, second, ..] if first.relevance(second) == Ordering::Equal => return Some(best.message),
            _ => best = context.swap_remove(0),
        }
    }
}

/// One thing that is wrong.
struct Problem {
    message: String,
    /// Where, within the value that the schema around it is for; the innermost step first.
    path: Vec<Step>,
    /// It is about `anyOf` or `oneOf`, which say little by themselves.
    is_weak: bool,
    /// The value has the type at least that the schema asks for.
    fits_type: bool,
    /// What is wrong for each of the alternatives.
    context: Vec<Problem>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Index(usize),
    Key(String),
}

impl Problem {
    /// Higher up is more relevant, then what comes later, then what is not weak, then what has the wrong type.
    fn relevance(&self, other: &Self) -> Ordering {
        let shorter = other.path.len().cmp(&self.path.len());
        let later = || self.path.iter().rev().cmp(other.path.iter().rev());
        let rank = |problem: &Self| (!problem.is_weak, !problem.fits_type);
        shorter.then_with(later).then_with(|| rank(self).cmp(&rank(other)))
    }
}

fn check(value: &Value, schema: &Json, problems: &mut Vec<Problem>) {
    match schema {
        Json::Object(schema) => {
            let mut place = Place { value, schema, problems };
            schema.iter().for_each(|(keyword, wanted)| place.keyword(keyword, wanted));
        }
        Json::Bool(false) => {
            let message = format!("False schema does not allow {}", repr(value));
            problems.push(Problem { message, path: vec![], is_weak: false, fits_type: false, context: vec![] });
        }
        _ => {}
    }
}

fn fits(value: &Value, schema: &Json) -> bool {
    let mut problems = Vec::new();
    check(value, schema, &mut problems);
    problems.is_empty()
}

/// A value and the schema that it must fit.
struct Place<'a> {
    value: &'a Value,
    schema: &'a JsonMap<String, Json>,
    problems: &'a mut Vec<Problem>,
}

impl Place<'_> {
    fn keyword(&mut self, keyword: &str, wanted: &Json) {
        match keyword {
            "type" => self.ty(wanted),
            "enum" => {
                let members = array(wanted);
                if !members.iter().any(|member| same(self.value, &member.into())) {
                    self.wrong(&["", " is not one of ", &repr(&wanted.into())]);
                }
            }
            "const" if !same(self.value, &wanted.into()) => self.tell(repr(&wanted.into()) + " was expected"),
            "allOf" => array(wanted).iter().for_each(|schema| check(self.value, schema, self.problems)),
            "anyOf" => _ = self.any_of(array(wanted)),
            "oneOf" => self.one_of(array(wanted)),
            "not" if fits(self.value, wanted) => {
                self.wrong(&["", " should not be valid under ", &repr(&wanted.into())]);
            }
            "if" => {
                let branch = if fits(self.value, wanted) { "then" } else { "else" };
                if let Some(schema) = self.schema.get(branch) {
                    check(self.value, schema, self.problems);
                }
            }
            _ => match self.value {
                Value::Str(text) => self.length(keyword, wanted, text.chars().count(), TEXT),
                Value::List(items) => self.array(keyword, wanted, items),
                Value::Dict(members) => self.object(keyword, wanted, members),
                _ => self.number(keyword, wanted),
            },
        }
    }

    fn tell(&mut self, message: String) {
        self.tell_of(message, vec![], false);
    }

    fn tell_of(&mut self, message: String, context: Vec<Problem>, is_weak: bool) {
        let fits_type = self.schema.get("type").is_some_and(|ty| types(ty).any(|ty| is_type(self.value, ty)));
        self.problems.push(Problem { message, path: vec![], is_weak, fits_type, context });
    }

    /// Tells the parts of a message, with the value between the first and the second.
    fn wrong(&mut self, parts: &[&str]) {
        let (before, after) = parts.split_at(1);
        self.tell(before.concat() + &repr(self.value) + &after.concat());
    }

    /// Checks what stands one step further in.
    fn inside(&mut self, step: impl Fn() -> Step, value: &Value, schema: &Json) {
        let before = self.problems.len();
        check(value, schema, self.problems);
        self.problems.iter_mut().skip(before).for_each(|problem| problem.path.push(step()));
    }

    fn ty(&mut self, wanted: &Json) {
        if !types(wanted).any(|ty| is_type(self.value, ty)) {
            let names: Vec<String> = types(wanted).map(str_repr).collect();
            self.wrong(&["", " is not of type ", &names.join(", ")]);
        }
    }

    /// The position of the first alternative that fits; tells when there is none.
    fn any_of(&mut self, schemas: &[Json]) -> Option<usize> {
        let mut context = Vec::new();
        for (i, schema) in schemas.iter().enumerate() {
            let before = context.len();
            check(self.value, schema, &mut context);
            if context.len() == before {
                return Some(i);
            }
        }
        self.tell_of(repr(self.value) + " is not valid under any of the given schemas", context, true);
        None
    }

    fn one_of(&mut self, schemas: &[Json]) {
        let Some(first) = self.any_of(schemas) else { return };
        let more = schemas.iter().skip(first + 1).filter(|schema| fits(self.value, schema));
        let more: Vec<&Json> = more.chain(schemas.get(first)).collect();
        if more.len() > 1 {
            let shown: Vec<String> = more.into_iter().map(|schema| repr(&schema.into())).collect();
            let message = [&repr(self.value), " is valid under each of ", &shown.join(", ")].concat();
            self.tell_of(message, vec![], true);
        }
    }

    fn number(&mut self, keyword: &str, wanted: &Json) {
        let (Some(number), Some(bound)) = (as_f64(self.value), wanted.as_f64()) else { return };
        let message = match keyword {
            "minimum" if number < bound => " is less than the minimum of ",
            "maximum" if number > bound => " is greater than the maximum of ",
            "exclusiveMinimum" if number <= bound => " is less than or equal to the minimum of ",
            "exclusiveMaximum" if number >= bound => " is greater than or equal to the maximum of ",
            "multipleOf" if (number / bound).fract() != 0.0 => " is not a multiple of ",
            _ => return,
        };
        self.wrong(&["", message, &repr(&wanted.into())]);
    }

    /// The keywords of a family that bound a size.
    fn length(&mut self, keyword: &str, wanted: &Json, size: usize, [least, most, few, many]: Sizes) {
        let Some(bound) = wanted.as_f64() else { return };
        let message = match size as f64 {
            size if keyword == least && size < bound => {
                if bound == 1.0 {
                    "should be non-empty"
                } else {
                    few
                }
            }
            size if keyword == most && size > bound => {
                if bound == 0.0 {
                    "is expected to be empty"
                } else {
                    many
                }
            }
            _ => return,
        };
        self.wrong(&["", " ", message]);
    }

    fn array(&mut self, keyword: &str, wanted: &Json, items: &[Value]) {
        let before = self.schema.get("prefixItems").map_or(0, |before| array(before).len());
        match keyword {
            "prefixItems" => {
                for (i, (item, schema)) in items.iter().zip(array(wanted)).enumerate() {
                    self.inside(|| Step::Index(i), item, schema);
                }
            }
            "items" if *wanted == Json::Bool(false) => match items.get(before..) {
                None | Some([]) => {}
                Some(rest) => {
                    let shown = if let [one] = rest { repr(one) } else { repr(&Value::List(rest.to_vec())) };
                    let noun = if before == 1 { "item" } else { "items" };
                    self.tell(format!("Expected at most {before} {noun} but found {} extra: {shown}", rest.len()));
                }
            },
            "items" => {
                for (i, item) in items.iter().enumerate().skip(before) {
                    self.inside(|| Step::Index(i), item, wanted);
                }
            }
            "contains" => self.contains(wanted, items),
            "uniqueItems" if *wanted == Json::Bool(true) => {
                let twice = |(i, item): (usize, &Value)| items.iter().take(i).any(|other| same(item, other));
                if items.iter().enumerate().any(twice) {
                    self.wrong(&["", " has non-unique elements"]);
                }
            }
            _ => self.length(keyword, wanted, items.len(), ITEMS),
        }
    }

    fn contains(&mut self, schema: &Json, items: &[Value]) {
        let bound = |name: &str| self.schema.get(name).and_then(Json::as_u64).map(|bound| bound as usize);
        let (least, most) = (bound("minContains").unwrap_or(1), bound("maxContains").unwrap_or(items.len()));
        let found = items.iter().filter(|item| fits(item, schema)).count();
        if found > most {
            self.tell(format!("Too many items match the given schema (expected at most {most})"));
        } else if found < least && found == 0 {
            self.wrong(&["", " does not contain items matching the given schema"]);
        } else if found < least {
            let message = "Too few items match the given schema (expected at least ";
            self.tell(format!("{message}{least} but only {found} matched)"));
        }
    }

    fn object(&mut self, keyword: &str, wanted: &Json, members: &Map) {
        match keyword {
            "properties" => {
                for (name, schema) in wanted.as_object().into_iter().flatten() {
                    if let Some(member) = members.get(name) {
                        self.inside(|| Step::Key(name.clone()), member, schema);
                    }
                }
            }
            "required" => {
                let names = array(wanted).iter().filter_map(Json::as_str);
                for name in names.filter(|name| !members.contains_key(*name)) {
                    self.tell(str_repr(name) + " is a required property");
                }
            }
            "propertyNames" => members.keys().for_each(|name| check(&name.as_str().into(), wanted, self.problems)),
            "additionalProperties" => self.additional(wanted, members),
            "dependentRequired" => {
                for (name, needs) in wanted.as_object().into_iter().flatten() {
                    let missing = |need: &&str| members.contains_key(name) && !members.contains_key(*need);
                    for need in array(needs).iter().filter_map(Json::as_str).filter(missing) {
                        self.tell([&str_repr(need), " is a dependency of ", &str_repr(name)].concat());
                    }
                }
            }
            _ => self.length(keyword, wanted, members.len(), MEMBERS),
        }
    }

    fn additional(&mut self, wanted: &Json, members: &Map) {
        let known = self.schema.get("properties").and_then(Json::as_object);
        let extra = members.iter().filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
        if *wanted != Json::Bool(false) {
            extra.for_each(|(name, member)| self.inside(|| Step::Key(name.clone()), member, wanted));
            return;
        }
        let mut names: Vec<&String> = extra.map(|(name, _)| name).collect();
        names.sort();
        let verb = if names.len() == 1 { "was" } else { "were" };
        if !names.is_empty() {
            let shown: Vec<String> = names.into_iter().map(|name| str_repr(name)).collect();
            self.tell(format!("Additional properties are not allowed ({} {verb} unexpected)", shown.join(", ")));
        }
    }
}

/// A family of sizes: the keywords for the least and the most, and what is said of too little and of too much.
type Sizes = [&'static str; 4];
const TEXT: Sizes = ["minLength", "maxLength", "is too short", "is too long"];
const ITEMS: Sizes = ["minItems", "maxItems", "is too short", "is too long"];
const MEMBERS: Sizes = ["minProperties", "maxProperties", "does not have enough properties", "has too many properties"];

fn array(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn types(wanted: &Json) -> impl Iterator<Item = &str> {
    let one = std::slice::from_ref(wanted);
    wanted.as_array().map_or(one, Vec::as_slice).iter().filter_map(Json::as_str)
}

fn is_type(value: &Value, ty: &str) -> bool {
    match ty {
        "array" => matches!(value, Value::List(_)),
        "object" => matches!(value, Value::Dict(_) | Value::MixedDict(_)),
        "string" => matches!(value, Value::Str(_)),
        "boolean" => matches!(value, Value::Bool(_)),
        "null" => *value == Value::None,
        "integer" => match value {
            Value::Float(number) => number.fract() == 0.0,
            value => matches!(value, Value::Int(_) | Value::BigInt(_)),
        },
        "number" => as_f64(value).is_some(),
        _ => false,
    }
}

fn as_f64(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::BigInt(digits) => digits.parse().ok(),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// Equality as JSON Schema has it: numbers are equal across types, and truth values are no numbers.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Dict(a), Value::Dict(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => matches!(a, Value::Bool(_)) == matches!(b, Value::Bool(_)) && equal(a, b),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_problem_that_says_most_is_told() {
        for (value, schema, expected) in [
            (json!([1, "a"]), json!({"type": "array", "items": {"type": "integer"}}), "'a' is not of type 'integer'"),
            (json!(["b", "a"]), json!({"type": "array", "items": {"type": "integer"}}), "'a' is not of type 'integer'"),
            (json!(true), json!({"type": ["integer", "null"]}), "True is not of type 'integer', 'null'"),
            (
                json!({"x": 1, "y": 2}),
                json!({"type": "object", "additionalProperties": false}),
                "Additional properties are not allowed ('x', 'y' were unexpected)",
            ),
            (json!(""), json!({"type": "string", "minLength": 1}), "'' should be non-empty"),
            (json!([1, 2]), json!({"type": "array", "maxItems": 1}), "[1, 2] is too long"),
            (json!([1, 1.0]), json!({"type": "array", "uniqueItems": true}), "[1, 1.0] has non-unique elements"),
            (json!(3), json!({"type": "integer", "enum": [1, 2]}), "3 is not one of [1, 2]"),
            (
                json!({"a": {"b": "x"}}),
                json!({"type": "object", "properties": {"a": {"anyOf": [
                {"type": "null"}, {"type": "object", "properties": {"b": {"type": "integer"}}}]}}}),
                "'x' is not of type 'integer'",
            ),
            (
                json!(5),
                json!({"type": "integer", "oneOf": [{"minimum": 1}, {"minimum": 2}]}),
                "5 is valid under each of {'minimum': 2}, {'minimum': 1}",
            ),
        ] {
            assert_eq!(problem(&(&value).into(), &schema).as_deref(), Some(expected));
        }
        assert_eq!(problem(&2.0.into(), &json!({"type": "integer", "const": 2})), None);
    }
}
