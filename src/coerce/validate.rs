//! pydantic's lax validation: one value against one type.

use std::rc::Rc;

use super::{Issue, Mismatch};
use crate::signature::{ModelType, Type};
use crate::value::{ScalarKind, Value};

/// How deep values may nest.
const MAX_DEPTH: usize = 250;

/// How many parts are checked. Unions of models inside themselves would try each of them in each, without end in sight.
const MAX_CHECKS: usize = 1_000_000;

/// How many issues are told.
const MAX_ISSUES: usize = 1_000;

/// How well a value fits a type without being changed; unions choose by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    Lax,
    Strict,
    Exact,
}

/// Makes a value one of a type, as pydantic's `TypeAdapter(type).validate_python(value)` does.
///
/// # Errors
/// A [`Mismatch`] with every issue.
pub fn validate(value: &Value, ty: &Type) -> Result<Value, Mismatch> {
    Validator::default().run(value, ty)
}

/// The same, with `by_name=True`: fields of models may be given by their names where they have aliases.
pub(crate) fn validate_by_name(value: &Value, ty: &Type) -> Result<Value, Mismatch> {
    Validator { by_name: true, ..Validator::default() }.run(value, ty)
}

/// What one validation gathers.
pub(super) struct Validator {
    /// Issues so far; places innermost first.
    issues: Vec<Issue>,
    pub(super) fit: Fit,
    /// How many model fields were given, when a model was met.
    pub(super) fields_set: Option<usize>,
    /// The models around the value, for models inside themselves.
    pub(super) models: Vec<Rc<ModelType>>,
    /// Fields of models may be given by name too.
    pub(super) by_name: bool,
    depth: usize,
    checks: usize,
}

impl Default for Validator {
    fn default() -> Self {
        Self {
            issues: Vec::new(),
            fit: Fit::Exact,
            fields_set: None,
            models: Vec::new(),
            by_name: false,
            depth: 0,
            checks: 0,
        }
    }
}

impl Validator {
    fn run(mut self, value: &Value, ty: &Type) -> Result<Value, Mismatch> {
        match self.check(value, ty) {
            Some(valid) => Ok(valid),
            None => Err(Mismatch::of_issues(self.into_issues())),
        }
    }

    /// Makes a value one of a type, or notes why not.
    pub(super) fn check(&mut self, value: &Value, ty: &Type) -> Option<Value> {
        self.deeper(|validator| validator.check_type(value, ty))
    }

    /// Runs a check one level deeper.
    pub(super) fn deeper(&mut self, check: impl FnOnce(&mut Self) -> Option<Value>) -> Option<Value> {
        self.checks += 1;
        if self.depth >= MAX_DEPTH || self.checks > MAX_CHECKS {
            return self.fail("recursion_loop");
        }
        self.depth += 1;
        let checked = check(self);
        self.depth -= 1;
        checked
    }

    fn check_type(&mut self, value: &Value, ty: &Type) -> Option<Value> {
        match ty {
            Type::Any => self.strict(value.clone()),
            Type::None => {
                if *value == Value::None {
                    Some(Value::None)
                } else {
                    self.fail("none_required")
                }
            }
            Type::Str => self.check_str(value),
            Type::Int => self.check_int(value),
            Type::Float => self.check_float(value),
            Type::Bool => self.check_bool(value),
            Type::Bytes => self.check_bytes(value),
            Type::Complex => self.check_complex(value),
            Type::Scalar(ScalarKind::Decimal) => self.check_decimal(value),
            Type::Scalar(ScalarKind::Uuid) => self.check_uuid(value),
            Type::Scalar(kind) => self.check_time(value, *kind),
            Type::List(item) => self.check_list(value, item.as_deref()),
            Type::Dict(types) => self.check_dict(value, types.as_deref()),
            Type::Tuple(Some(items)) => self.check_tuple(value, items),
            Type::Tuple(None) => self.check_tuple_of(value, &Type::Any),
            Type::TupleOf(item) => self.check_tuple_of(value, item),
            Type::Set(item) => self.check_set(value, item.as_deref(), "set_type"),
            Type::FrozenSet(item) => self.check_set(value, item.as_deref(), "frozen_set_type"),
            Type::Union(members) => self.check_union(value, members),
            Type::Literal(allowed) => self.check_literal(value, allowed),
            Type::Enum(enumeration) => self.check_enum(value, enumeration),
            Type::Model(model) => self.check_model(value, model),
            Type::ModelRef(name) => match self.models.iter().rfind(|model| model.name == *name).cloned() {
                Some(model) => self.check_model(value, &model),
                None => self.fail("model_type"),
            },
            Type::Special(special) => self.check_special(value, special),
            Type::Alias(alias) => self.check(value, &alias.1),
            Type::JsonSchema(named) => self.check_schema(value, &named.1, &named.1),
        }
    }

    /// Makes a part of a value one of a type; issues name the part.
    pub(super) fn check_part(&mut self, value: &Value, ty: &Type, name: impl FnOnce() -> String) -> Option<Value> {
        self.inside(name, |validator| validator.check(value, ty))
    }

    /// Runs a check whose issues are at a place.
    pub(super) fn inside<T>(
        &mut self,
        name: impl FnOnce() -> String,
        check: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let before = self.issues.len();
        let checked = check(self);
        if checked.is_none() {
            let name = name();
            for issue in self.issues.iter_mut().skip(before) {
                issue.loc.push(name.clone());
            }
        }
        checked
    }

    /// Notes an issue.
    pub(super) fn fail<T>(&mut self, kind: &'static str) -> Option<T> {
        if self.issues.len() < MAX_ISSUES {
            self.issues.push(Issue { kind, loc: Vec::new() });
        }
        None
    }

    /// Gives a value that was changed to fit.
    pub(super) fn lax<T>(&mut self, value: T) -> Option<T> {
        self.fit = Fit::Lax;
        Some(value)
    }

    /// Gives a value that kept what it was, but is not quite of the type.
    pub(super) fn strict<T>(&mut self, value: T) -> Option<T> {
        self.fit = self.fit.min(Fit::Strict);
        Some(value)
    }

    /// How many issues there are; [`forget`](Self::forget) goes back to it.
    pub(super) fn issue_count(&self) -> usize {
        self.issues.len()
    }

    /// Drops the issues since a count.
    pub(super) fn forget(&mut self, count: usize) {
        self.issues.truncate(count);
    }

    fn into_issues(mut self) -> Vec<Issue> {
        for issue in &mut self.issues {
            issue.loc.reverse();
        }
        self.issues
    }
}
