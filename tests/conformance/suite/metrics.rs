//! Metrics, and the texts around them.

use lakelet::adapter::format_field_value;
use lakelet::metric;
use lakelet::optimize::proposal;
use lakelet::signature::{Type, Types};
use lakelet::{Example, Prediction, Result, Value};
use serde_json::{Value as Json, json};

use super::compare::check;
use super::{Outcome, cases};

pub fn metric(op: &str, input: &Json, expected: &Json) -> Outcome {
    check(expected, score(op, input))
}

fn score(op: &str, input: &Json) -> Result<Json> {
    let text = |key: &str| input[key].as_str().unwrap_or_default();
    let number = |key: &str| input[key].as_f64().unwrap_or_default();
    let value = |key: &str| cases::value(&input[key], &Types::new());
    let field = |name: &str, key: &str| -> Result<Example> { Ok(Example::new().with(name, value(key)?)) };
    let predicted = |name: &str, key: &str| -> Result<Prediction> { Ok(field(name, key)?.fields.into()) };
    Ok(match op {
        "normalize_text" => metric::normalize_text(text("text")).into(),
        "dpr_normalize" => metric::dpr_normalize(text("text")).into(),
        "EM" => metric::exact_match(text("prediction"), &value("answers")?)?.into(),
        "F1" => cases::to_json(&metric::f1(text("prediction"), &value("answers")?)?),
        "HotPotF1" => cases::to_json(&metric::hot_pot_f1(text("prediction"), &value("answers")?)?),
        "precision_score" => cases::to_json(&metric::precision_score(text("prediction"), text("answer"))),
        "semantic_f1_score" => metric::semantic_f1_score(number("precision"), number("recall")).into(),
        "answer_exact_match" => metric::answer_exact_match(
            &field("answer", "answer")?,
            &predicted("answer", "prediction")?,
            number("frac"),
        )?
        .into(),
        "answer_passage_match" => {
            metric::answer_passage_match(&field("answer", "answer")?, &predicted("context", "context")?)?.into()
        }
        "majority" => {
            let completions = input["completions"].as_array().into_iter().flatten();
            let completions = completions.map(|one| cases::example(one, &Types::new()).map(|one| one.fields));
            let winner = metric::majority(&completions.collect::<Result<Vec<_>>>()?, input["field"].as_str())?;
            cases::to_json(&Value::Dict(winner.fields))
        }
        "strip_prefix" => proposal::strip_prefix(text("text")).into(),
        "format_list" => format_field_value(&Type::Str, &value("items")?)?.into(),
        "format_blob" => format_field_value(&Type::Str, &vec![text("text")].into())?.into(),
        other => json!({"not built": other}),
    })
}
