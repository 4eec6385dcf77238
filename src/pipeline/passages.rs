//! Passages as values that travel from step to step.

use crate::pipeline::step::{passages_type, texts_type};
use crate::retrieve::Passage;
use crate::signature::Type;
use crate::text::sentences;
use crate::value::{Map, Value};

/// What every step that gives passages gives: `passages`, what models read of them as `contexts`, and the `sentences` in them.
pub(super) fn gives() -> Vec<(String, Type)> {
    vec![
        ("passages".to_owned(), passages_type()),
        ("contexts".to_owned(), texts_type()),
        ("sentences".to_owned(), texts_type()),
    ]
}

/// A passage as a dict: `id`, `text`, `score` and the other columns.
pub(super) fn to_value(passage: Passage) -> Value {
    let mut fields = Map::from([
        ("id".to_owned(), passage.id.into()),
        ("text".to_owned(), passage.text.into()),
        ("score".to_owned(), passage.score.into()),
    ]);
    for (name, json) in &passage.columns {
        fields.entry(name.clone()).or_insert_with(|| json.into());
    }
    Value::Dict(fields)
}

/// The fields of [`gives`] for these passages.
pub(super) fn outputs(passages: Vec<Value>) -> Map {
    let contexts: Vec<Value> = passages.iter().map(|passage| context(passage).into()).collect();
    let mut all: Vec<&str> = Vec::new();
    for passage in &passages {
        let whole = text(passage, "text");
        for sentence in sentences(whole).iter().filter_map(|(start, end)| whole.get(*start..*end)).map(str::trim) {
            // A heading or a list mark of one word says nothing by itself.
            if sentence.split_whitespace().nth(1).is_some() && !all.contains(&sentence) {
                all.push(sentence);
            }
        }
    }
    let sentences = all.into_iter().map(Value::from).collect();
    Map::from([
        ("sentences".to_owned(), Value::List(sentences)),
        ("contexts".to_owned(), Value::List(contexts)),
        ("passages".to_owned(), Value::List(passages)),
    ])
}

/// The text of a passage, below the title and heading that it stands under where the index has such columns: `40 hours` says
/// little to a model that does not see `Annual leave (US) > Carry-over`.
fn context(passage: &Value) -> String {
    let above: Vec<&str> =
        [text(passage, "title"), text(passage, "heading")].into_iter().filter(|s| !s.is_empty()).collect();
    let below = text(passage, "text");
    if above.is_empty() { below.to_owned() } else { [&above.join(" > "), below].join("\n") }
}

/// A text of a passage; empty when it has none.
pub(super) fn text<'a>(passage: &'a Value, name: &str) -> &'a str {
    match passage {
        Value::Dict(fields) => fields.get(name).and_then(Value::as_str).unwrap_or_default(),
        _ => "",
    }
}
