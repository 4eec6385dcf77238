//! What is wrong with a document is said when it is loaded: where, and what to do about it.

use lakelet::{ErrorKind, Pipeline, assistant};
use serde_json::{Value as Json, json};

use super::support::schema::is_valid;

tests![
    the_good_document_loads,
    every_mistake_is_named_with_its_place,
    text_that_is_no_document_is_refused,
    an_overlay_changes_steps_that_are_there,
    the_schema_agrees_with_the_loader,
];

fn good() -> Json {
    json!({
        "lakelet": 1,
        "name": "test",
        "inputs": {"question": "str", "role": "Literal['a', 'b']"},
        "steps": {
            "plan": {"do": "chain_of_thought", "signature": "question -> query, ok: bool", "inputs": {"question": "question"}},
            "find": {"do": "retrieve", "query": ["question", "plan.query"],
                "filters": {"audience": {"by": "role", "values": {"a": ["x"], "b": ["x", "y"]}}}},
            "answer": {"do": "predict", "signature": "context: list[str], question -> answer",
                "inputs": {"context": "find.contexts", "question": "question"}},
            "gate": {"do": "guard", "require": [{"value": "plan.ok", "is": true}], "otherwise": {"answer": "no"}},
        },
        "outputs": {"answer": "answer.answer"},
    })
}

/// Loads the good document with one change: at a pointer, a value, or nothing to remove what is there.
fn load(pointer: &str, value: Json) -> lakelet::Result<Pipeline> {
    let mut document = good();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Json::Object(members) if value.is_null() => _ = members.remove(key),
        Json::Object(members) => _ = members.insert(key.to_owned(), value),
        Json::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        _ => panic!("no place {pointer}"),
    }
    Pipeline::from_json(&document.to_string())
}

fn the_good_document_loads() {
    assert!(Pipeline::from_json(&good().to_string()).is_ok());
}

fn every_mistake_is_named_with_its_place() {
    let nothing = Json::Null;
    for (pointer, value, place, says) in [
        ("/lakelet", json!(2), (None, "lakelet"), "write \"lakelet\": 1"),
        ("/lakelet", nothing.clone(), (None, "lakelet"), "version"),
        ("/name", nothing.clone(), (None, "name"), "missing"),
        ("/stps", json!({}), (None, "stps"), "did you mean `steps`?"),
        ("/steps", json!({}), (None, "steps"), "missing"),
        ("/steps", json!([]), (None, "steps"), "an object, not a list"),
        ("/outputs", json!({}), (None, "outputs"), "missing"),
        ("/outputs/answer", json!("answer.anser"), (None, "outputs.answer"), "did you mean `answer`?"),
        ("/outputs/answer", json!("anser.answer"), (None, "outputs.answer"), "did you mean `answer.answer`?"),
        ("/outputs/answer", json!(1), (None, "outputs.answer"), "text, not a number"),
        ("/inputs/question", json!("string"), (None, "inputs.question"), "string"),
        ("/inputs/question", json!({"typ": "str"}), (None, "inputs.question.typ"), "did you mean `type`?"),
        ("/inputs/question", json!({"default": 1}), (None, "inputs.question.default"), "must be str"),
        ("/inputs/plan", json!("str"), (None, "steps.plan"), "name of an input already"),
        ("/steps/a-b", json!({"do": "literal", "value": 1}), (None, "steps.a-b"), "letters, digits"),
        ("/steps/plan/do", json!("chain_of_thoughts"), (Some("plan"), "do"), "did you mean `chain_of_thought`?"),
        ("/steps/plan/do", nothing.clone(), (Some("plan"), "do"), "missing"),
        ("/steps/plan/signature", json!("question"), (Some("plan"), "signature"), "->"),
        ("/steps/plan/signature", json!("question -> query: strin"), (Some("plan"), "signature"), "strin"),
        ("/steps/plan/inputs", json!({}), (Some("plan"), "inputs.question"), "not wired"),
        ("/steps/plan/inputs/questio", json!("question"), (Some("plan"), "inputs.questio"), "did you mean `question`?"),
        (
            "/steps/plan/inputs/question",
            json!("quesion"),
            (Some("plan"), "inputs.question"),
            "did you mean `question`?",
        ),
        ("/steps/plan/temperature", json!(0), (Some("plan"), "temperature"), "known are"),
        (
            "/steps/plan/adapter",
            json!("two_step"),
            (Some("plan"), "adapter"),
            "known are `chat`, `json`, `xml`, `baml`",
        ),
        ("/steps/plan/config", json!("x"), (Some("plan"), "config"), "an object, not text"),
        ("/steps/plan/fields", json!({"quer": {}}), (Some("plan"), "fields.quer"), "did you mean `query`?"),
        (
            "/steps/plan/fields",
            json!({"query": {"des": ""}}),
            (Some("plan"), "fields.query.des"),
            "did you mean `desc`?",
        ),
        (
            "/steps/plan/demos",
            json!([{"questin": "q"}]),
            (Some("plan"), "demos[0].questin"),
            "did you mean `question`?",
        ),
        ("/steps/plan/demos", json!(["q"]), (Some("plan"), "demos[0]"), "an object, not text"),
        ("/steps/plan/choices", json!({"ok": "find.sentences"}), (Some("plan"), "choices.ok"), "only a `str` output"),
        ("/steps/plan/choices", json!({"query": "find.sentences"}), (Some("plan"), ""), "`find` needs `plan`"),
        ("/steps/plan/timeout_ms", json!(-1), (Some("plan"), "timeout_ms"), "0 or more"),
        ("/steps/plan/live", json!("yes"), (Some("plan"), "live"), "true or false, not text"),
        ("/steps/plan/after", json!("gate"), (Some("plan"), ""), "wait for each other"),
        ("/steps/answer/after", json!("plan"), (Some("answer"), "after"), "known are `gate`"),
        ("/steps/answer/live", json!(true), (Some("answer"), "live"), "which a guard may keep back"),
        (
            "/steps/answer/inputs/context",
            json!("plan.ok"),
            (Some("answer"), "inputs.context"),
            "is bool, and list[str] is needed",
        ),
        ("/steps/answer/inputs/question", json!("answer.answer"), (Some("answer"), ""), "`answer` needs `answer`"),
        ("/steps/find/query", json!("plan.ok"), (Some("find"), "query[0]"), "str or list[str] is needed"),
        ("/steps/find/query", nothing.clone(), (Some("find"), "query"), "missing"),
        ("/steps/find/k", json!(0), (Some("find"), "k"), "from 1 to 1000"),
        (
            "/steps/find/filters/audience/by",
            json!("plan.query"),
            (Some("find"), "filters.audience.by"),
            "a model's word",
        ),
        ("/steps/find/filters/audience/by", nothing.clone(), (Some("find"), "filters.audience.by"), "missing"),
        ("/steps/find/filters/audience/values/b", nothing.clone(), (Some("find"), "filters.audience.values"), "`b`"),
        (
            "/steps/find/filters/audience/values/b",
            json!([]),
            (Some("find"), "filters.audience.values.b"),
            "at least one",
        ),
        ("/steps/gate/require", json!([]), (Some("gate"), "require"), "missing"),
        ("/steps/gate/require", json!([{"value": "plan.ok"}]), (Some("gate"), "require[0].is"), "either"),
        (
            "/steps/gate/require",
            json!([{"value": "plan.ok", "is": "True"}]),
            (Some("gate"), "require[0].value"),
            "is bool, and str is needed",
        ),
        (
            "/steps/gate/require",
            json!([{"value": "plan.query", "is": true}]),
            (Some("gate"), "require[0].value"),
            "is str, and bool is needed",
        ),
        ("/steps/gate/otherwise", nothing.clone(), (Some("gate"), "otherwise"), "missing"),
        ("/steps/gate/otherwise", json!({"a": {"from": "plan.query"}}), (Some("gate"), "otherwise.a.else"), "missing"),
        ("/steps/new", json!({"do": "literal"}), (Some("new"), "value"), "missing"),
        ("/steps/new", json!({"do": "join", "values": ["plan.ok"]}), (Some("new"), "values[0]"), "str or list[str]"),
        ("/steps/new", json!({"do": "lookup", "rows": []}), (Some("new"), "rows"), "missing"),
        (
            "/steps/new",
            json!({"do": "lookup", "rows": [{"when": {"rle": "a"}, "value": ""}]}),
            (Some("new"), "rows.when.rle"),
            "did you mean `role`?",
        ),
        ("/steps/new", json!({"do": "screen", "rules": []}), (Some("new"), "question"), "one of"),
        ("/steps/new", json!({"do": "screen", "text": "plan.query"}), (Some("new"), "rules"), "missing"),
        (
            "/steps/new",
            json!({"do": "screen", "text": "plan.query", "rules": ["secret"]}),
            (Some("new"), "rules"),
            "did you mean `secrets`?",
        ),
        (
            "/steps/new",
            json!({"do": "screen", "passages": "find.contexts", "rules": []}),
            (Some("new"), "passages"),
            "is list[str]",
        ),
        (
            "/steps/new",
            json!({"do": "sources", "answer": "plan.ok", "passages": "find.passages"}),
            (Some("new"), "answer"),
            "is bool",
        ),
        ("/redact", json!({"rules": ["emails"]}), (None, "redact.rules"), "did you mean `email`?"),
    ] {
        let error = match load(pointer, value.clone()) {
            Ok(_) => panic!("{pointer} {value} loads"),
            Err(error) => error,
        };
        let shown = format!("{pointer} {value}: {error}");
        assert_eq!(error.kind(), ErrorKind::Pipeline, "{shown}");
        assert_eq!((error.step(), error.field().unwrap_or_default()), place, "{shown}");
        assert!(error.to_string().contains(says), "{shown} does not say: {says}");
    }
}

fn text_that_is_no_document_is_refused() {
    for (text, says) in [
        ("", "not JSON"),
        ("{\"a\": 1,}", "not JSON"),
        ("[]", "a JSON object"),
        ("{\"lakelet\": 1, \"steps\": {\"a\": {}, \"a\": {}}}", "`a` is there twice"),
    ] {
        let error = Pipeline::from_json(text).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

fn an_overlay_changes_steps_that_are_there() {
    let load = |overlay: &str| Pipeline::with_overlay(assistant::DATABRICKS_RAG, overlay);
    assert!(load(r#"{"steps": {"retrieve": {"k": 5}}}"#).is_ok());
    for (overlay, step, field, says) in [
        (r#"{"steps": {"retreive": {"k": 5}}}"#, None, "steps.retreive", "did you mean `retrieve`?"),
        (r#"{"steps": {"retrieve": {"k": "5"}}}"#, Some("retrieve"), "k", "a number"),
        (r#"{"steps": {"retrieve": {"query": null}}}"#, Some("retrieve"), "query", "missing"),
        (r#"{"name": "x"}"#, None, "name", "known are"),
    ] {
        let error = load(overlay).map(|_| ()).unwrap_err();
        assert_eq!((error.step(), error.field()), (step, Some(field)), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

fn the_schema_agrees_with_the_loader() {
    let schema: Json = serde_json::from_str(lakelet::pipeline::SCHEMA).unwrap();
    for document in
        assistant::DOCUMENTS.map(|(_, text)| serde_json::from_str(text).unwrap()).into_iter().chain([good()])
    {
        assert!(is_valid(&schema, &document), "{document}");
    }
    for (pointer, value) in [
        ("/lakelet", json!(2)),
        ("/stps", json!({})),
        ("/outputs", json!({})),
        ("/steps/plan/do", json!("guess")),
        ("/steps/plan/temperature", json!(0)),
        ("/steps/find/k", json!(0)),
        ("/steps/gate/require/0", json!({"value": "plan.ok"})),
        ("/steps/gate/otherwise", json!({"a": {"from": "plan.query"}})),
        ("/steps/new", json!({"do": "screen", "rules": []})),
        ("/redact", json!({"rules": ["emails"]})),
    ] {
        let mut document = good();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Json::Array(items) => items[key.parse::<usize>().unwrap()] = value,
            members => members[key] = value,
        }
        assert!(!is_valid(&schema, &document), "{pointer}");
        assert!(Pipeline::from_json(&document.to_string()).is_err(), "{pointer}");
    }
}
