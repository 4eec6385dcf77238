//! Signatures: the grammar, the edits, the saved state.

use lakelet::signature::{Signature, Type, Types};
use lakelet::{Error, ErrorKind, Result};
use serde_json::{Value as Json, json};

use super::compare::check;
use super::{Outcome, cases};

pub fn parse(input: &Json, expected: &Json) -> Outcome {
    let run = || cases::signature(&input["signature"], &cases::types(&input["typedefs"])?);
    check(expected, run().map(|signature| cases::describe(&signature)))
}

pub fn edit(input: &Json, expected: &Json) -> Outcome {
    let run = || {
        let types = cases::types(&input["typedefs"])?;
        let signature = cases::signature(&input["signature"], &types)?;
        let ops = input["ops"].as_array().into_iter().flatten();
        ops.into_iter().try_fold(signature, |signature, op| apply(&signature, op, &types))
    };
    check(expected, run().map(|signature| cases::describe(&signature)))
}

fn apply(signature: &Signature, op: &Json, types: &Types) -> Result<Signature> {
    let text = op[1].as_str().unwrap_or_default();
    match op[0].as_str().unwrap_or_default() {
        "insert" => signature.insert(op[1].as_i64().unwrap_or_default(), cases::field(&op[2], types)?),
        "append" => signature.append(cases::field(&op[1], types)?),
        "prepend" => signature.prepend(cases::field(&op[1], types)?),
        "delete" => signature.delete(text),
        "with_instructions" => signature.with_instructions(text),
        "append_instructions" => signature.append_instructions(text),
        "with_updated_fields" => {
            let ty = op[3].as_str().map(|ty| Type::parse(ty, types)).transpose()?;
            signature.with_updated_field(text, |field| {
                let given = |key: &str| op[2][key].as_str().map(str::to_owned);
                field.desc = given("desc").unwrap_or_else(|| field.desc.clone());
                field.prefix = given("prefix").unwrap_or_else(|| field.prefix.clone());
                field.constraints = given("constraints").or_else(|| field.constraints.clone());
                field.ty = ty.unwrap_or_else(|| field.ty.clone());
            })
        }
        other => Err(Error::new(ErrorKind::Unsupported, format!("no edit is called {other}"))),
    }
}

pub fn infer_prefix(input: &Json, expected: &Json) -> Outcome {
    let name = input["name"].as_str().unwrap_or_default();
    check(expected, Ok(lakelet::signature::infer_prefix(name).into()))
}

pub fn equals(input: &Json, expected: &Json) -> Outcome {
    let run = || {
        let types = cases::types(&input["typedefs"])?;
        Ok(cases::signature(&input["a"], &types)?.equals(&cases::signature(&input["b"], &types)?).into())
    };
    check(expected, run())
}

pub fn state(input: &Json, expected: &Json) -> Outcome {
    let run = || {
        let mut signature = cases::signature(&input["signature"], &cases::types(&input["typedefs"])?)?;
        if let Some(state) = input.get("state") {
            signature = signature.load_state(state)?;
        }
        Ok(json!({"dump": signature.dump_state(), "described": cases::describe(&signature)}))
    };
    check(expected, run())
}
