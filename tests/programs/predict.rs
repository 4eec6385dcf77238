//! One predictor, called.

use std::rc::Rc;

use lakelet::adapter::JsonAdapter;
use lakelet::module::Call;
use lakelet::run::Status;
use lakelet::{ChainOfThought, ErrorKind, Example, Module, Predict, Signature, Value};
use serde_json::json;

use super::support::script::chat;
use super::support::{Stage, server_error};

tests![
    a_call_sends_the_prompt_and_reads_the_reply,
    chain_of_thought_asks_for_reasoning_first,
    an_unreadable_reply_is_asked_for_once_more_as_json,
    what_the_caller_has_seen_is_not_asked_for_again,
    a_failing_service_is_not_asked_again,
    an_empty_reply_is_a_parse_error,
    fields_are_told_while_they_arrive,
    several_completions_are_asked_for_with_a_temperature_above_zero,
    demos_and_adapter_change_the_prompt_of_later_calls,
    a_call_ends_at_its_deadline,
    a_dropped_call_is_recorded_as_cancelled,
    an_unknown_model_is_named_with_the_ones_there_are,
    a_call_brings_what_holds_for_it_alone,
    a_call_may_ask_another_model,
    settings_of_a_run_lie_between_the_models_and_the_predictors,
    what_services_report_is_added_up_by_model,
    what_seems_wrong_with_inputs_is_told_and_does_not_stop_the_call,
];

fn signature(text: &str) -> Signature {
    Signature::parse(text).unwrap()
}

fn question(text: &str) -> Example {
    Example::new().with("question", text)
}

fn predict() -> Predict {
    Predict::new(signature("question -> answer"))
}

fn four() -> String {
    chat(&[("answer", "4")])
}

fn reasoned() -> String {
    chat(&[("reasoning", "count"), ("answer", "4")])
}

fn a_call_sends_the_prompt_and_reads_the_reply() {
    let stage = Stage::new();
    stage.model.when("2+2?", 5.0, &four());
    let run = stage.run();
    let prediction = stage.wait(predict().call(&run, question("2+2?"))).unwrap();
    assert_eq!(prediction.get("answer"), Some(&Value::from("4")));
    assert_eq!(prediction.usage.total_tokens, 15);

    let spans = run.spans();
    let [span] = spans.as_slice() else { panic!("one span, not {}", spans.len()) };
    assert_eq!((&*span.name, span.kind, span.start_ms, span.duration_ms), ("predict", "predict", 0.0, 5.0));
    assert_eq!(span.inputs.get("question"), Some(&Value::from("2+2?")));
    assert_eq!(span.outputs.get("answer"), Some(&Value::from("4")));
    let mut sent = String::new();
    span.calls[0].prompt.write_json(&mut sent);
    assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&sent).unwrap(), stage.model.asked.borrow()[0].messages);
    assert_eq!(span.calls[0].replies, [four()]);
    assert_eq!((span.calls[0].model.as_str(), span.calls[0].usage.total_tokens), ("scripted-1", 15));
    assert!(matches!(span.status, Status::Done));
}

fn chain_of_thought_asks_for_reasoning_first() {
    let stage = Stage::new();
    stage.model.when("2+2?", 5.0, &reasoned());
    let cot = ChainOfThought::new(&signature("question -> answer")).unwrap();
    let prediction = stage.wait(cot.call(&stage.run(), question("2+2?"))).unwrap();
    assert_eq!(prediction.fields.keys().collect::<Vec<_>>(), ["reasoning", "answer"]);
    assert_eq!(cot.predictors()[0].0, "predict");
}

fn an_unreadable_reply_is_asked_for_once_more_as_json() {
    let stage = Stage::new();
    stage.model.when("[[ ## completed ## ]]", 5.0, "I think it is 4");
    stage.model.when("JSON object", 7.0, r#"{"answer": "4"}"#);
    let run = stage.watched();
    let prediction = stage.wait(predict().call(&run, question("2+2?"))).unwrap();
    assert_eq!(prediction.get("answer"), Some(&Value::from("4")));
    assert_eq!(prediction.usage.total_tokens, 30);
    let spans = run.spans();
    let calls = &spans[0].calls;
    assert_eq!(calls.iter().map(|call| call.adapter).collect::<Vec<_>>(), ["ChatAdapter", "JSONAdapter"]);
    assert_eq!(calls[0].error.as_ref().map(|e| e.kind()), Some(ErrorKind::Parse));
    assert!(calls[1].response_format.is_some() && calls[1].error.is_none());
}

fn what_the_caller_has_seen_is_not_asked_for_again() {
    let stage = Stage::new();
    stage.model.when("", 5.0, &chat(&[("reasoning", "count")]));
    let cot = ChainOfThought::new(&signature("question -> answer")).unwrap();
    let run = stage.watched();
    let error = stage.wait(cot.call(&run, question("2+2?"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Parse);
    assert_eq!(stage.model.asked.borrow().len(), 1);
}

fn a_failing_service_is_not_asked_again() {
    let stage = Stage::new();
    stage.model.when_in_turn("", 5.0, vec![Err(server_error())]);
    let run = stage.run();
    let error = stage.wait(predict().call(&run, question("2+2?"))).unwrap_err();
    assert_eq!((error.kind(), stage.model.asked.borrow().len()), (ErrorKind::Server, 1));
    assert!(matches!(run.spans()[0].status, Status::Failed(_)));
}

fn an_empty_reply_is_a_parse_error() {
    let stage = Stage::new();
    stage.model.when("", 5.0, "");
    let error = stage.wait(predict().call(&stage.run(), question("2+2?"))).unwrap_err();
    assert!(
        error.message().starts_with("The LM returned an empty or null response.\n\nAdapter JSONAdapter"),
        "{error}"
    );
    assert_eq!(stage.model.asked.borrow().len(), 2);
}

fn fields_are_told_while_they_arrive() {
    let stage = Stage::new();
    stage.model.when("2+2?", 5.0, &reasoned());
    let cot = ChainOfThought::new(&signature("question -> answer")).unwrap();
    let run = stage.watched();
    stage.wait(cot.call(&run, question("2+2?"))).unwrap();
    let expected = [
        "started chain_of_thought",
        "chain_of_thought.reasoning: count",
        "done chain_of_thought.reasoning",
        "chain_of_thought.answer: 4",
        "done chain_of_thought.answer",
        "finished chain_of_thought",
    ];
    assert_eq!(stage.told(), expected);
}

fn several_completions_are_asked_for_with_a_temperature_above_zero() {
    let stage = Stage::new();
    stage.model.when_in_turn("2+2?", 5.0, vec![Ok(four()), Ok(chat(&[("answer", "four")]))]);
    let mut predict = predict();
    predict.set_config(json!({"n": 2, "temperature": 0.0, "rollout_id": 1}).as_object().cloned().unwrap());
    let prediction = stage.wait(predict.call(&stage.watched(), question("2+2?"))).unwrap();
    assert_eq!(prediction.get("answer"), Some(&Value::from("4")));
    assert_eq!(prediction.others[0].get("answer"), Some(&Value::from("four")));
    assert_eq!(
        serde_json::Value::from(stage.model.asked.borrow()[0].options.clone()),
        json!({"n": 2, "temperature": 0.7})
    );
}

fn demos_and_adapter_change_the_prompt_of_later_calls() {
    let mut predict = predict();
    let prefix = |predict: &Predict| predict.prompt(&question("q")).unwrap().prefix.to_string();
    assert!(prefix(&predict).contains("[[ ## completed ## ]]") && !prefix(&predict).contains("1+1?"));
    predict.set_demos(vec![question("1+1?").with("answer", "2")]);
    assert!(prefix(&predict).contains("1+1?"));
    predict.set_adapter(Rc::new(JsonAdapter::default()));
    assert!(!prefix(&predict).contains("[[ ## completed ## ]]"));
    predict.set_signature(signature("question -> sum"));
    assert!(prefix(&predict).contains("`sum`"));
}

fn a_call_ends_at_its_deadline() {
    let stage = Stage::new();
    stage.model.when("2+2?", 500.0, &four());
    let run = stage.run().within_ms(100.0);
    let error = stage.wait(predict().call(&run, question("2+2?"))).unwrap_err();
    assert_eq!((error.kind(), run.now_ms(), stage.model.answered.get()), (ErrorKind::Deadline, 100.0, 0));
    assert_eq!(run.spans()[0].calls.len(), 1);
}

fn a_dropped_call_is_recorded_as_cancelled() {
    let stage = Stage::new();
    stage.model.when("2+2?", 500.0, &four());
    let (run, predict) = (stage.run(), predict());
    let work = predict.call(&run, question("2+2?"));
    assert!(stage.wait(run.clone().within_ms(100.0).in_time(work)).is_err());
    assert!(matches!(run.spans()[0].status, Status::Cancelled));
}

fn an_unknown_model_is_named_with_the_ones_there_are() {
    let stage = Stage::new();
    let mut predict = predict();
    predict.set_model(Some("scriptd".to_owned()));
    let error = stage.wait(predict.call(&stage.run(), question("2+2?"))).unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Config, Some("did you mean `scripted`?")));
}

fn a_call_brings_what_holds_for_it_alone() {
    let stage = Stage::new();
    stage.model.when("", 5.0, &four());
    let mut predict = predict();
    predict.set_config(json!({"temperature": 0.5, "max_tokens": 9}).as_object().cloned().unwrap());
    let mut call = Call::from(question("2+2?"));
    call.config = json!({"temperature": 1.0}).as_object().cloned().unwrap();
    call.demos = Some(vec![question("1+1?").with("answer", "2")]);
    call.signature = Some(predict.signature().with_instructions("Add.").unwrap());
    stage.wait(predict.ask(&stage.run(), call)).unwrap();
    stage.wait(predict.ask(&stage.run(), question("2+2?"))).unwrap();
    let asked = stage.model.asked.borrow();
    assert_eq!(json!(asked[0].options), json!({"temperature": 1.0, "max_tokens": 9}));
    assert_eq!(json!(asked[1].options), json!({"temperature": 0.5, "max_tokens": 9}));
    assert!(asked[0].text().contains("        Add.") && asked[0].text().contains("1+1?"));
    assert!(!asked[1].text().contains("        Add.") && !asked[1].text().contains("1+1?"));
}

fn a_call_may_ask_another_model() {
    let (stage, other) = (Stage::new(), Stage::new());
    other.model.when("", 5.0, &four());
    let call = Call { model: Some(other.model.clone()), ..Call::from(question("2+2?")) };
    let run = stage.run();
    other.wait(predict().ask(&run, call)).unwrap();
    assert_eq!((stage.model.asked.borrow().len(), other.model.asked.borrow().len()), (0, 1));
}

fn settings_of_a_run_lie_between_the_models_and_the_predictors() {
    let stage = Stage::new();
    stage.model.when("", 5.0, &four());
    let settings = |json: serde_json::Value| json.as_object().cloned().unwrap();
    let run = stage.run().with_lm_settings(settings(json!({"temperature": 1.0, "rollout_id": 1})));
    let run = run.with_lm_settings(settings(json!({"rollout_id": 2, "top_p": 0.5})));
    let mut predict = predict();
    predict.set_config(settings(json!({"top_p": 0.9, "n": 2})));
    stage.wait(predict.ask(&run, question("2+2?"))).unwrap();
    predict.set_config(settings(json!({"rollout_id": 3})));
    stage.wait(predict.ask(&run, question("2+2?"))).unwrap();
    let asked = stage.model.asked.borrow();
    assert_eq!(json!(asked[0].options), json!({"temperature": 1.0, "top_p": 0.9, "n": 2}));
    assert_eq!([&asked[0].rollout_id, &asked[1].rollout_id], [&Some(json!(2)), &Some(json!(3))]);
}

fn what_services_report_is_added_up_by_model() {
    let stage = Stage::new();
    stage.model.when("2+2?", 5.0, &four());
    let run = stage.watched();
    for _ in 0..2 {
        stage.wait(predict().call(&run, question("2+2?"))).unwrap();
    }
    let usage = run.usage_by_model();
    let total = json!({"total_tokens": 30, "cost": 1.0});
    assert_eq!(usage.models().iter().collect::<Vec<_>>(), [(&"scripted".to_owned(), total.as_object().unwrap())]);
}

fn what_seems_wrong_with_inputs_is_told_and_does_not_stop_the_call() {
    let stage = Stage::new();
    stage.model.when("", 5.0, &four());
    let predict = Predict::new(signature("question: str, limit: int, tags: list[str], hint: Optional[str] -> answer"));
    let inputs = question("2+2?").with("limit", "ten").with("extra", 1);
    stage.wait(predict.ask(&stage.watched(), inputs)).unwrap();
    let warnings: Vec<String> = stage.told().into_iter().filter(|line| line.starts_with("warning")).collect();
    assert_eq!(
        warnings,
        [
            "warning predict: the signature has no input `extra`: it is ignored",
            "warning predict: the input `limit` is not of its type int",
            "warning predict: the input `tags` is not given: the prompt will lack it",
        ]
    );
}
