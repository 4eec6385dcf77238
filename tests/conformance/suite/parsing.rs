//! Completions and JSON as values.

use std::collections::BTreeSet;

use lakelet::coerce::{self, Mismatch};
use lakelet::signature::Type;
use lakelet::{Error, json_repair};
use serde_json::Value as Json;

use super::compare::check;
use super::{Outcome, cases};

pub fn parse(_input: &Json, _expected: &Json) -> Outcome {
    Err("not built".to_owned())
}

pub fn parse_value(input: &Json, expected: &Json) -> Outcome {
    let run = || {
        let types = cases::types(&input["typedefs"])?;
        let ty = Type::parse(input["type"].as_str().unwrap_or_default(), &types)?;
        Ok((cases::value(&input["value"], &types)?, ty))
    };
    let (value, ty) = run().map_err(|error: Error| error.to_string())?;
    match coerce::parse_value(&value, &ty) {
        Ok(value) => check(expected, Ok(cases::to_json(&value))),
        Err(mismatch) => {
            same_issues(&expected["error"]["errors"], &mismatch).and_then(|()| check(expected, Err(mismatch.into())))
        }
    }
}

/// pydantic's issues are a set.
fn same_issues(expected: &Json, mismatch: &Mismatch) -> Outcome {
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let loc = |issue: &Json| issue["loc"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    let expected: BTreeSet<_> =
        expected.as_array().into_iter().flatten().map(|issue| (text(&issue["type"]), loc(issue))).collect();
    let actual = mismatch.issues.iter().map(|issue| (issue.kind.to_owned(), issue.loc.clone())).collect();
    if expected == actual { Ok(()) } else { Err(format!("expected the issues {expected:?}, got {actual:?}")) }
}

pub fn loads(input: &Json, expected: &Json) -> Outcome {
    let value = json_repair::loads(input["text"].as_str().unwrap_or_default());
    check(expected, Ok(cases::to_json(&value)))
}
