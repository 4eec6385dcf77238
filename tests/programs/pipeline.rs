//! How the steps of a document run.

use lakelet::run::Status;
use lakelet::{ErrorKind, Example, Module, Pipeline, Value};
use serde_json::json;

use super::support::script::chat;
use super::support::{Stage, server_error};

tests![
    order_comes_from_data_flow_and_independent_steps_run_together,
    wiring_needs_no_model,
    bad_inputs_are_named_before_anything_runs,
    the_error_of_a_step_names_the_step,
    a_step_and_the_whole_run_end_in_time,
    dropping_the_call_cancels_its_steps,
    without_guards_everything_is_told_at_once,
    a_guard_can_require_that_a_value_is_not_something,
    a_filter_admits_nobody_whom_its_table_does_not_name,
    predictors_are_named_as_dspy_names_them_and_can_be_tuned,
    a_held_reply_that_cannot_be_read_is_asked_for_again_and_its_text_forgotten,
    a_program_inside_a_held_step_stays_held,
];

fn load(inputs: serde_json::Value, steps: serde_json::Value, outputs: serde_json::Value) -> Pipeline {
    let document = json!({"lakelet": 1, "name": "test", "inputs": inputs, "steps": steps, "outputs": outputs});
    Pipeline::from_json(&document.to_string()).unwrap()
}

fn asks(signature: &str, inputs: serde_json::Value) -> serde_json::Value {
    json!({"do": "predict", "signature": signature, "inputs": inputs})
}

fn order_comes_from_data_flow_and_independent_steps_run_together() {
    let stage = Stage::new();
    for (needle, field) in [("fields `b`.", "b"), ("fields `c`.", "c"), ("fields `d`.", "d")] {
        stage.model.when(needle, 100.0, &chat(&[(field, field)]));
    }
    let pipeline = load(
        json!({"a": "str"}),
        json!({
            "last": asks("b, c -> d", json!({"b": "first.b", "c": "second.c"})),
            "second": asks("a -> c", json!({"a": "a"})),
            "first": asks("a -> b", json!({"a": "a"})),
        }),
        json!({"d": "last.d"}),
    );
    let run = stage.run();
    let outcome = stage.wait(pipeline.run(&run, Example::new().with("a", "x"))).unwrap();
    assert_eq!(outcome.prediction.get("d"), Some(&"d".into()));
    assert_eq!(run.now_ms(), 200.0);
    assert_eq!(stage.model.asked.borrow().iter().map(|asked| asked.at_ms).collect::<Vec<_>>(), [0.0, 0.0, 100.0]);
}

fn wiring_needs_no_model() {
    let stage = Stage::new();
    let pipeline = load(
        json!({"region": "Literal['EU', 'US']", "name": {"type": "str", "default": "you"}}),
        json!({
            "greeting": {"do": "literal", "value": "Hello"},
            "rules": {"do": "lookup", "rows": [
                {"value": "all"},
                {"when": {"region": "EU"}, "value": "eu"},
                {"when": {"region": ["EU", "US"], "name": "you"}, "value": "both"},
                {"when": {"region": "US"}, "value": "us"},
            ]},
            "text": {"do": "join", "values": ["greeting.value", "name", "rules.values"], "separator": "-"},
        }),
        json!({"text": "text.text", "region": "region"}),
    );
    let outcome = stage.wait(pipeline.run(&stage.run(), Example::new().with("region", "EU"))).unwrap();
    assert_eq!(outcome.prediction.get("text"), Some(&"Hello-you-all-eu-both".into()));
    assert_eq!(outcome.prediction.get("region"), Some(&"EU".into()));
}

fn bad_inputs_are_named_before_anything_runs() {
    let stage = Stage::new();
    let pipeline = load(
        json!({"question": "str", "role": "Literal['employee', 'manager']", "k": {"type": "int", "default": 3}}),
        json!({"text": {"do": "join", "values": ["question", "role"]}}),
        json!({"text": "text.text"}),
    );
    let good = || Example::new().with("question", "q").with("role", "manager");
    for (inputs, field, hint) in [
        (Example::new().with("role", "manager"), "question", None),
        (good().with("role", "manger"), "role", Some("did you mean `manager`?")),
        (good().with("question", 3), "question", None),
        (good().with("k", "three"), "k", None),
        (good().with("qestion", "q"), "qestion", Some("did you mean `question`?")),
    ] {
        let error = stage.wait(pipeline.run(&stage.run(), inputs)).unwrap_err();
        assert_eq!((error.kind(), error.field(), error.hint()), (ErrorKind::Input, Some(field), hint));
    }
    assert!(stage.wait(pipeline.run(&stage.run(), good())).is_ok());
}

fn the_error_of_a_step_names_the_step() {
    let stage = Stage::new();
    stage.model.when_in_turn("", 10.0, vec![Err(server_error())]);
    let pipeline =
        load(json!({"a": "str"}), json!({"first": asks("a -> b", json!({"a": "a"}))}), json!({"b": "first.b"}));
    let error = stage.wait(pipeline.run(&stage.run(), Example::new().with("a", "x"))).unwrap_err();
    assert_eq!((error.kind(), error.step(), error.is_retryable()), (ErrorKind::Server, Some("first"), true));
}

fn a_step_and_the_whole_run_end_in_time() {
    let stage = Stage::new();
    stage.model.when("", 1000.0, &chat(&[("b", "x")]));
    let step = |timeout: serde_json::Value| {
        let mut step = asks("a -> b", json!({"a": "a"}));
        step["timeout_ms"] = timeout;
        load(json!({"a": "str"}), json!({"first": step}), json!({"b": "first.b"}))
    };
    let inputs = || Example::new().with("a", "x");
    let error = stage.wait(step(json!(50)).run(&stage.run(), inputs())).unwrap_err();
    assert_eq!((error.kind(), error.step()), (ErrorKind::Deadline, Some("first")));
    let run = stage.run().within_ms(70.0);
    let start = run.now_ms();
    let error = stage.wait(step(json!(5000)).run(&run, inputs())).unwrap_err();
    assert_eq!((error.kind(), run.now_ms() - start), (ErrorKind::Deadline, 70.0));
}

fn dropping_the_call_cancels_its_steps() {
    let stage = Stage::new();
    stage.model.when("", 1000.0, &chat(&[("b", "x")]));
    let pipeline =
        load(json!({"a": "str"}), json!({"first": asks("a -> b", json!({"a": "a"}))}), json!({"b": "first.b"}));
    let run = stage.watched();
    let work = pipeline.run(&run, Example::new().with("a", "x"));
    assert!(stage.wait(run.clone().within_ms(10.0).in_time(work)).is_err());
    assert!(matches!(run.spans()[0].status, Status::Cancelled));
    assert_eq!(stage.model.answered.get(), 0);
    assert_eq!(stage.told(), ["started first"]);
}

fn without_guards_everything_is_told_at_once() {
    let stage = Stage::new();
    stage.model.when("", 10.0, &chat(&[("b", "x")]));
    let pipeline =
        load(json!({"a": "str"}), json!({"first": asks("a -> b", json!({"a": "a"}))}), json!({"b": "first.b"}));
    let run = stage.watched();
    stage.wait(pipeline.run(&run, Example::new().with("a", "q"))).unwrap();
    assert_eq!(stage.told(), ["started first", "first.b: x", "done first.b", "finished first", "result"]);
    let (shown, all) = (run.shown_spans(), run.spans());
    assert!(!shown[0].withheld && matches!(shown[0].status, Status::Done));
    assert_eq!((&shown[0].inputs, &shown[0].outputs), (&all[0].inputs, &all[0].outputs));
    assert_eq!(shown[0].inputs.get("a"), Some(&"q".into()));
    let mut messages = String::new();
    shown[0].calls[0].prompt.write_json(&mut messages);
    let messages: serde_json::Value = serde_json::from_str(&messages).unwrap();
    assert_eq!(messages, json!(stage.model.asked.borrow()[0].messages));
    assert_eq!(shown[0].usage().total_tokens, 15);
}

fn a_guard_can_require_that_a_value_is_not_something() {
    let stage = Stage::new();
    let pipeline = load(
        json!({"a": "str"}),
        json!({"stop": {"do": "guard", "require": [{"value": "a", "is_not": "no"}], "otherwise": {"said": {"from": "a", "else": ""}}}}),
        json!({"b": "a"}),
    );
    let outcome = |a: &str| stage.wait(pipeline.run(&stage.run(), Example::new().with("a", a))).unwrap();
    assert_eq!(outcome("yes").prediction.get("b"), Some(&"yes".into()));
    assert_eq!(outcome("no").prediction.get("said"), Some(&"no".into()));
    assert_eq!(outcome("no").stopped_by.as_deref(), Some("stop"));
}

fn a_filter_admits_nobody_whom_its_table_does_not_name() {
    let stage = Stage::new();
    let pipeline = load(
        json!({"q": "str", "role": "str"}),
        json!({"found": {"do": "retrieve", "query": "q", "min_score": 0.85,
            "filters": {"audience": {"by": "role", "values": {"employee": "all"}}}}}),
        json!({"contexts": "found.contexts", "sentences": "found.sentences"}),
    );
    stage.retriever.holds("a", "One sentence. And another.\n\nHeading\n");
    stage.retriever.holds("b", "Below the score.");
    let inputs = |role: &str| Example::new().with("q", "q").with("role", role);
    let error = stage.wait(pipeline.run(&stage.run(), inputs("emploee"))).unwrap_err();
    assert_eq!((error.kind(), error.step(), error.field()), (ErrorKind::Input, Some("found"), Some("role")));
    assert!(stage.retriever.asked.borrow().is_empty());
    let outcome = stage.wait(pipeline.run(&stage.run(), inputs("employee"))).unwrap();
    assert_eq!(stage.retriever.asked.borrow()[0].filters, Some(json!({"audience": "all"})));
    let sentences = Value::List(vec!["One sentence.".into(), "And another.".into()]);
    assert_eq!(outcome.prediction.get("sentences"), Some(&sentences));
}

fn predictors_are_named_as_dspy_names_them_and_can_be_tuned() {
    let stage = Stage::new();
    stage.model.when("Be brief.", 10.0, &chat(&[("reasoning", "r"), ("b", "x")]));
    let mut step = asks("a -> b", json!({"a": "a"}));
    step["do"] = json!("chain_of_thought");
    let mut pipeline = load(json!({"a": "str"}), json!({"first": step}), json!({"b": "first.b"}));
    for (name, predict) in pipeline.predictors_mut() {
        assert_eq!(name, "first.predict");
        let signature = predict.signature().with_instructions("Be brief.").unwrap();
        predict.set_signature(signature);
        predict.set_demos(vec![Example::new().with("a", "DEMO").with("reasoning", "r").with("b", "y")]);
    }
    stage.wait(pipeline.call(&stage.run(), Example::new().with("a", "q"))).unwrap();
    assert!(stage.model.asked.borrow()[0].text().contains("DEMO"));
}

fn a_held_reply_that_cannot_be_read_is_asked_for_again_and_its_text_forgotten() {
    let stage = Stage::new();
    stage.model.when("[[ ## completed ## ]]", 10.0, &chat(&[("b", "FIRST-TRY")]));
    stage.model.when("JSON object", 10.0, r#"{"b": "second", "ok": true}"#);
    let pipeline = load(
        json!({"a": "str"}),
        json!({
            "first": asks("a -> b, ok: bool", json!({"a": "a"})),
            "gate": {"do": "guard", "require": [{"value": "first.ok", "is": true}], "otherwise": {"b": "no"}},
        }),
        json!({"b": "first.b"}),
    );
    let outcome = stage.wait(pipeline.run(&stage.watched(), Example::new().with("a", "x"))).unwrap();
    assert_eq!(outcome.prediction.get("b"), Some(&"second".into()));
    let told = stage.told();
    assert!(told.contains(&"first.b: second".to_owned()), "{told:?}");
    assert!(!told.iter().any(|line| line.contains("FIRST-TRY")), "{told:?}");
}

fn a_program_inside_a_held_step_stays_held() {
    use lakelet::run::Gate;
    let stage = Stage::new();
    stage.model.when("", 10.0, &chat(&[("b", "INNER")]));
    let pipeline =
        load(json!({"a": "str"}), json!({"first": asks("a -> b", json!({"a": "a"}))}), json!({"b": "first.b"}));
    let run = stage.watched();
    let gate = Gate::inside(run.gate(), false, None);
    let held = run.clone().behind(&gate);
    stage.wait(pipeline.run(&held, Example::new().with("a", "x"))).unwrap();
    assert_eq!(stage.told(), ["started first"]);
    assert!(run.shown_spans()[0].withheld);
    gate.release();
    assert_eq!(stage.told().last().map(String::as_str), Some("result"));
    assert!(!run.shown_spans()[0].withheld);
}
