//! One predictor, called.

use std::rc::Rc;

use lakelet::adapter::JsonAdapter;
use lakelet::run::Status;
use lakelet::{ChainOfThought, ErrorKind, Example, Module, Predict, Signature, Value};
use serde_json::json;

use crate::support::script::chat;
use crate::support::{Stage, server_error};

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

#[test]
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

#[test]
fn chain_of_thought_asks_for_reasoning_first() {
    let stage = Stage::new();
    stage.model.when("2+2?", 5.0, &reasoned());
    let cot = ChainOfThought::new(&signature("question -> answer")).unwrap();
    let prediction = stage.wait(cot.call(&stage.run(), question("2+2?"))).unwrap();
    assert_eq!(prediction.fields.keys().collect::<Vec<_>>(), ["reasoning", "answer"]);
    assert_eq!(cot.predictors()[0].0, "predict");
}

#[test]
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

#[test]
fn what_the_caller_has_seen_is_not_asked_for_again() {
    let stage = Stage::new();
    stage.model.when("", 5.0, &chat(&[("reasoning", "count")]));
    let cot = ChainOfThought::new(&signature("question -> answer")).unwrap();
    let run = stage.watched();
    let error = stage.wait(cot.call(&run, question("2+2?"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Parse);
    assert_eq!(stage.model.asked.borrow().len(), 1);
}

#[test]
fn a_failing_service_is_not_asked_again() {
    let stage = Stage::new();
    stage.model.when_in_turn("", 5.0, vec![Err(server_error())]);
    let run = stage.run();
    let error = stage.wait(predict().call(&run, question("2+2?"))).unwrap_err();
    assert_eq!((error.kind(), stage.model.asked.borrow().len()), (ErrorKind::Server, 1));
    assert!(matches!(run.spans()[0].status, Status::Failed(_)));
}

#[test]
fn an_empty_reply_is_a_parse_error() {
    let stage = Stage::new();
    stage.model.when("", 5.0, "");
    let error = stage.wait(predict().call(&stage.run(), question("2+2?"))).unwrap_err();
    assert_eq!(error.message(), "The LM returned an empty or null response.");
    assert_eq!(stage.model.asked.borrow().len(), 2);
}

#[test]
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

#[test]
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

#[test]
fn demos_and_adapter_change_the_prompt_of_later_calls() {
    let mut predict = predict();
    let prefix = |predict: &Predict| predict.prompt(&question("q")).unwrap().prefix.to_string();
    assert!(prefix(&predict).contains("[[ ## completed ## ]]") && !prefix(&predict).contains("1+1?"));
    predict.set_demos(vec![question("1+1?").with("answer", "2")]);
    assert!(prefix(&predict).contains("1+1?"));
    predict.set_adapter(Rc::new(JsonAdapter::default()), None);
    assert!(!prefix(&predict).contains("[[ ## completed ## ]]"));
    predict.set_signature(signature("question -> sum"));
    assert!(prefix(&predict).contains("`sum`"));
}

#[test]
fn a_call_ends_at_its_deadline() {
    let stage = Stage::new();
    stage.model.when("2+2?", 500.0, &four());
    let run = stage.run().within_ms(100.0);
    let error = stage.wait(predict().call(&run, question("2+2?"))).unwrap_err();
    assert_eq!((error.kind(), run.now_ms(), stage.model.answered.get()), (ErrorKind::Deadline, 100.0, 0));
    assert_eq!(run.spans()[0].calls.len(), 1);
}

#[test]
fn a_dropped_call_is_recorded_as_cancelled() {
    let stage = Stage::new();
    stage.model.when("2+2?", 500.0, &four());
    let (run, predict) = (stage.run(), predict());
    let work = predict.call(&run, question("2+2?"));
    assert!(stage.wait(run.clone().within_ms(100.0).in_time(work)).is_err());
    assert!(matches!(run.spans()[0].status, Status::Cancelled));
}

#[test]
fn an_unknown_model_is_named_with_the_ones_there_are() {
    let stage = Stage::new();
    let mut predict = predict();
    predict.set_model(Some("scriptd".to_owned()));
    let error = stage.wait(predict.call(&stage.run(), question("2+2?"))).unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Config, Some("did you mean `scripted`?")));
}
