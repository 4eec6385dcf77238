//! Unions: the member that fits best.

use super::label::label;
use super::validate::{Fit, Validator};
use crate::signature::Type;
use crate::value::Value;

impl Validator {
    /// Takes the member that the value fits without change; else the one that takes most model fields, and of those the one that
    /// changes least, and of those the first.
    pub(super) fn check_union(&mut self, value: &Value, members: &[Type]) -> Option<Value> {
        if *value == Value::None && members.contains(&Type::None) {
            return Some(Value::None);
        }
        let mut others = members.iter().filter(|member| **member != Type::None);
        if let (Some(only), None) = (others.next(), others.next()) {
            return self.check(value, only);
        }
        let (fit, fields_set) = (self.fit, self.fields_set);
        let issues = self.issue_count();
        let mut best: Option<(Value, Fit, Option<usize>)> = None;
        for member in members.iter().filter(|member| **member != Type::None) {
            self.fit = Fit::Exact;
            self.fields_set = None;
            let Some(valid) = self.check_part(value, member, || label(member)) else { continue };
            let perfect = self.fit == Fit::Exact && self.fields_set.is_none();
            let better = best.as_ref().is_none_or(|(_, best_fit, best_set)| match (best_set, self.fields_set) {
                (Some(best), Some(new)) if *best != new => *best < new,
                _ => *best_fit < self.fit,
            });
            if perfect || better {
                best = Some((valid, self.fit, self.fields_set));
            }
            if perfect {
                break;
            }
        }
        self.fit = fit;
        self.fields_set = fields_set;
        let (valid, fit, set) = best?;
        self.forget(issues);
        self.fit = self.fit.min(fit);
        self.add_fields_set(set);
        Some(valid)
    }

    /// Counts model fields that were given.
    pub(super) fn add_fields_set(&mut self, more: Option<usize>) {
        if let Some(more) = more {
            self.fields_set = Some(self.fields_set.unwrap_or(0) + more);
        }
    }
}
