//! One predictor, called.

use lakelet::run::{Event, Status};
use lakelet::{ChainOfThought, ErrorKind, Example, Module, Predict, Signature, Value};
use serde_json::json;

use crate::support::adapter::{chat, json_adapter};
use crate::support::{Stage, server_error};

fn signature(text: &str) -> Signature {
    Signature::parse(text).unwrap()
}

fn question(text: &str) -> Example {
    Example::new().with("question", text)
}

fn predict() -> Predict {
    let mut predict = Predict::new(signature("question -> answer"), chat());
    predict.set_adapter(chat(), Some(json_adapter()));
    predict
}

#[test]
fn a_call_sends_the_prompt_and_reads_the_reply() {
    let stage = Stage::new();
    stage.model.when("2+2?", 5.0, "answer: 4");
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
    assert_eq!(span.calls[0].replies, ["answer: 4"]);
    assert_eq!((span.calls[0].model.as_str(), span.calls[0].usage.total_tokens), ("scripted-1", 15));
    assert!(matches!(span.status, Status::Done));
}

#[test]
fn chain_of_thought_asks_for_reasoning_first() {
    let stage = Stage::new();
    stage.model.when("2+2?", 5.0, "reasoning: count\nanswer: 4");
    let cot = ChainOfThought::new(&signature("question -> answer"), chat()).unwrap();
    let prediction = stage.wait(cot.call(&stage.run(), question("2+2?"))).unwrap();
    assert_eq!(prediction.fields.keys().collect::<Vec<_>>(), ["reasoning", "answer"]);
    assert_eq!(cot.predictors()[0].0, "predict");
}

#[test]
fn an_unreadable_reply_is_asked_for_once_more_as_json() {
    let stage = Stage::new();
    stage.model.when("ChatAdapter", 5.0, "I think it is 4");
    stage.model.when("JSONAdapter", 7.0, "answer: 4");
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
    stage.model.when("ChatAdapter", 5.0, "other: 4\n");
    let run = stage.watched();
    let error = stage.wait(predict().call(&run, question("2+2?"))).unwrap_err();
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
    stage.model.when("2+2?", 5.0, "reasoning: count\nanswer: 4");
    let cot = ChainOfThought::new(&signature("question -> answer"), chat()).unwrap();
    let run = stage.watched();
    stage.wait(cot.call(&run, question("2+2?"))).unwrap();
    let told: Vec<String> = stage
        .events
        .borrow()
        .iter()
        .map(|event| match event {
            Event::Started { step, .. } => format!("started {step}"),
            Event::Text { field, text, .. } => format!("{field}+{text}"),
            Event::Value { field, .. } => format!("{field} done"),
            Event::Finished(span) => format!("finished {}", span.name),
            Event::Result { .. } => "result".to_owned(),
        })
        .collect();
    assert_eq!(
        told,
        [
            "started chain_of_thought",
            "reasoning+count",
            "reasoning done",
            "answer+4",
            "answer done",
            "finished chain_of_thought"
        ]
    );
}

#[test]
fn several_completions_are_asked_for_with_a_temperature_above_zero() {
    let stage = Stage::new();
    stage.model.when_in_turn("2+2?", 5.0, vec![Ok("answer: 4".into()), Ok("answer: four".into())]);
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
    let system = |predict: &Predict| predict.prompt(&question("q")).unwrap().prefix.to_string();
    assert!(system(&predict).contains(". 0"));
    predict.set_demos(vec![question("1+1?").with("answer", "2")]);
    assert!(system(&predict).contains(". 1"));
    predict.set_adapter(json_adapter(), None);
    assert!(system(&predict).contains("JSONAdapter"));
}

#[test]
fn a_call_ends_at_its_deadline() {
    let stage = Stage::new();
    stage.model.when("2+2?", 500.0, "answer: 4");
    let run = stage.run().within_ms(100.0);
    let error = stage.wait(predict().call(&run, question("2+2?"))).unwrap_err();
    assert_eq!((error.kind(), run.now_ms(), stage.model.answered.get()), (ErrorKind::Deadline, 100.0, 0));
    assert_eq!(run.spans()[0].calls.len(), 1);
}

#[test]
fn a_dropped_call_is_recorded_as_cancelled() {
    let stage = Stage::new();
    stage.model.when("2+2?", 500.0, "answer: 4");
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
