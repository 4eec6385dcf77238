//! Completions and JSON as values.

use std::collections::BTreeSet;
use std::rc::Rc;

use futures::executor::block_on;
use lakelet::Value;
use lakelet::coerce::{Mismatch, parse_value as coerce};
use lakelet::json_repair;
use lakelet::run::{Run, Services};
use lakelet::signature::Type;
use serde_json::Value as Json;

use super::calls::Stopped;
use super::compare::{check, same};
use super::{Outcome, cases};

pub fn parse(input: &Json, expected: &Json) -> Outcome {
    let adapter = cases::adapter(&input["adapter"])?;
    let run = Run::new(Rc::new(Services::new(Rc::new(Stopped))));
    let read = || {
        let signature = cases::signature(&input["signature"], &cases::types(&input["typedefs"])?)?;
        block_on(adapter.read(&run, &signature, input["completion"].as_str().unwrap_or_default()))
    };
    check(expected, read().map(|fields| cases::to_json(&Value::Dict(fields))))
}

pub fn parse_value(input: &Json, expected: &Json) -> Outcome {
    let prepare = || {
        let types = cases::types(&input["typedefs"])?;
        let ty = Type::parse(input["type"].as_str().unwrap_or_default(), &types)?;
        Ok((cases::value(&input["value"], &types)?, ty))
    };
    let (value, ty) = match prepare() {
        Ok(prepared) => prepared,
        Err(error) => return check(expected, Err(error)),
    };
    match coerce(&value, &ty) {
        Err(mismatch) if expected["error"]["class"] == "ValidationError" => same_issues(&expected["error"], &mismatch),
        result => check(expected, result.map(|value| cases::to_json(&value)).map_err(Into::into)),
    }
}

/// Pydantic's issues compare as a set of types and places.
fn same_issues(expected: &Json, mismatch: &Mismatch) -> Outcome {
    let place = |json: &Json| json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    let expected: BTreeSet<(String, Vec<String>)> = expected["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|issue| {
            let loc = issue["loc"].as_array().into_iter().flatten().map(place).collect();
            (issue["type"].as_str().unwrap_or_default().to_owned(), loc)
        })
        .collect();
    let actual = mismatch.issues.iter().map(|issue| (issue.kind.to_owned(), issue.loc.clone())).collect();
    if expected == actual { Ok(()) } else { Err(format!("expected issues {expected:?}, got {actual:?}")) }
}

pub fn loads(input: &Json, expected: &Json) -> Outcome {
    let value = json_repair::loads(input["text"].as_str().unwrap_or_default());
    same(&expected["ok"], &cases::to_json(&value))
}
