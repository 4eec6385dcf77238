//! Modules that try several times: `BestOfN` and `Refine`.

use std::rc::Rc;

use lakelet::module::{BestOfN, Refine};
use lakelet::run::Status;
use lakelet::{Error, ErrorKind, Example, Module, Predict, Prediction, Result, Signature, Value};
use serde_json::json;

use super::support::script::chat;
use super::support::{Stage, server_error};

tests![
    the_best_try_counts_and_each_has_a_number_of_its_own,
    a_reward_that_is_good_enough_ends_the_tries,
    tries_may_fail_as_often_as_is_allowed,
    only_the_text_of_the_best_try_is_streamed,
    a_deadline_ends_the_tries,
    advice_becomes_a_hint_for_the_next_try,
];

fn qa() -> Box<Predict> {
    Box::new(Predict::new(Signature::parse("question -> answer").unwrap()))
}

fn question() -> Example {
    Example::new().with("question", "2+2?")
}

/// The answer is the reward.
fn worth(_: &Example, prediction: &Prediction) -> Result<f64> {
    let answer = prediction.get("answer").and_then(Value::as_str).unwrap_or_default();
    answer.parse().map_err(|_| Error::new(ErrorKind::Input, format!("`{answer}` is no number")))
}

fn answers(stage: &Stage, answers: &[&str]) {
    let replies = answers.iter().map(|answer| match *answer {
        "" => Err(server_error()),
        answer => Ok(chat(&[("answer", answer)])),
    });
    stage.model.when_in_turn("", 5.0, replies.collect());
}

fn answer(prediction: &Prediction) -> &str {
    prediction.get("answer").and_then(Value::as_str).unwrap_or_default()
}

fn the_best_try_counts_and_each_has_a_number_of_its_own() {
    let stage = Stage::new();
    answers(&stage, &["0.5", "0.7", "0.7", "0.9"]);
    let run = stage.run().with_lm_settings(json!({"rollout_id": 7}).as_object().cloned().unwrap());
    let best = BestOfN::new(qa(), 3, Rc::new(worth), 0.8);
    let prediction = stage.wait(best.call(&run, question())).unwrap();
    assert_eq!((answer(&prediction), prediction.usage.total_tokens), ("0.7", 45));
    let asked = stage.model.asked.borrow();
    let ids: Vec<_> = asked.iter().map(|asked| (asked.rollout_id.clone().unwrap(), asked.options.clone())).collect();
    let warm = json!({"temperature": 1.0}).as_object().cloned().unwrap();
    assert_eq!(ids, [(json!(7), warm.clone()), (json!(8), warm.clone()), (json!(9), warm)]);
    let trace = run.trace();
    assert_eq!(trace.iter().map(|span| span.outputs["answer"].clone()).collect::<Vec<_>>(), [Value::from("0.7")]);
    let kinds: Vec<_> = run.spans().iter().map(|span| (span.kind, span.parent)).collect();
    assert_eq!(kinds[..4], [("best_of_n", None), ("try", Some(0)), ("predict", Some(1)), ("reward", Some(1))]);
    assert_eq!(&*run.spans()[2].name, "module");
}

fn a_reward_that_is_good_enough_ends_the_tries() {
    let stage = Stage::new();
    answers(&stage, &["0.5", "0.8", "1.0"]);
    let best = BestOfN::new(qa(), 3, Rc::new(worth), 0.8);
    assert_eq!(answer(&stage.wait(best.call(&stage.run(), question())).unwrap()), "0.8");
    assert_eq!(stage.model.asked.borrow().len(), 2);
}

fn tries_may_fail_as_often_as_is_allowed() {
    for (replies, fail_count, expected) in [
        (vec!["0.1", "", "0.2"], 3, Ok("0.2")),
        (vec!["0.1", "", "0.2"], 1, Ok("0.2")),
        (vec!["", "0.1", ""], 1, Err(ErrorKind::Server)),
        (vec!["0.1", "much", ""], 3, Ok("0.1")),
        (vec!["much"], 3, Err(ErrorKind::Input)),
    ] {
        let stage = Stage::new();
        answers(&stage, &replies);
        let mut best = BestOfN::new(qa(), replies.len(), Rc::new(worth), 1.0);
        best.tries.fail_count = fail_count;
        let result = stage.wait(best.call(&stage.run(), question()));
        let result = result.as_ref().map(answer).map_err(Error::kind);
        assert_eq!(result, expected, "{replies:?}, {fail_count}");
    }
}

fn only_the_text_of_the_best_try_is_streamed() {
    let stage = Stage::new();
    answers(&stage, &["0.5", "0.7", "0.6"]);
    let run = stage.watched();
    stage.wait(BestOfN::new(qa(), 3, Rc::new(worth), 1.0).call(&run, question())).unwrap();
    let told: Vec<_> = stage.told().into_iter().filter(|line| line.starts_with("module.answer: ")).collect();
    assert_eq!(told, ["module.answer: 0.7"]);
    assert!(run.shown_spans().iter().all(|span| !span.withheld && matches!(span.status, Status::Done)));
}

fn a_deadline_ends_the_tries() {
    let stage = Stage::new();
    answers(&stage, &["0.5"]);
    let best = BestOfN::new(qa(), 9, Rc::new(worth), 1.0);
    let error = stage.wait(best.call(&stage.run().within_ms(12.0), question())).unwrap_err();
    assert_eq!((error.kind(), stage.model.asked.borrow().len()), (ErrorKind::Deadline, 3));
}

fn advice_becomes_a_hint_for_the_next_try() {
    let stage = Stage::new();
    let advice = chat(&[("discussion", "too low"), ("advice", r#"{"self": "Aim higher.", "other": "x"}"#)]);
    stage.model.when("[[ ## program_code ## ]]", 5.0, &advice);
    answers(&stage, &["0.5", "0.9"]);
    let mut refine = Refine::new(qa(), 3, Rc::new(worth), 0.8).unwrap();
    refine.reward_code = "the answer itself".to_owned();
    let run = stage.run();
    assert_eq!(answer(&stage.wait(refine.call(&run, question())).unwrap()), "0.9");
    let asked = stage.model.asked.borrow();
    let [first, feedback, second] = asked.as_slice() else { panic!("{} calls", asked.len()) };
    assert!(!first.text().contains("hint_"));
    for part in [
        "[[ ## program_code ## ]]\nThe code cannot be shown. The program calls these modules:\nself: question -> answer\n",
        "[[ ## reward_code ## ]]\nthe answer itself\n",
        "[[ ## reward_value ## ]]\n0.5\n",
    ] {
        assert!(feedback.text().contains(part), "{part}");
    }
    assert!(feedback.rollout_id.is_none());
    assert!(second.text().contains("[[ ## hint_ ## ]]\nAim higher.\n"));
    let trace: Vec<_> = run.trace().iter().map(|span| span.kind).collect();
    assert_eq!(trace, ["offer_feedback", "predict"]);
}
