//! Programs on sets of examples.

use std::rc::Rc;

use lakelet::metric::{Judge, SemanticF1, answer_exact_match};
use lakelet::module::Parallel;
use lakelet::run::Span;
use lakelet::{Error, ErrorKind, Evaluate, Example, Predict, Prediction, Result, Signature, Value};

use super::support::script::chat;
use super::support::{Stage, server_error};

tests![
    rows_stand_in_the_order_of_the_examples,
    progress_tells_the_rate_and_what_is_left,
    a_metric_that_fails_counts_as_an_error,
    a_model_that_fails_half_of_the_time_ends_the_work,
    sets_that_cannot_be_evaluated_are_refused_before_any_call,
    a_judge_is_a_metric,
    the_deadline_ends_the_work,
];

fn qa() -> Predict {
    Predict::new(Signature::parse("question -> answer").unwrap())
}

/// An example whose answer is its question.
fn example(question: &str) -> Example {
    Example::new().with("question", question).with("answer", question).with_inputs(&["question"])
}

fn exact(example: &Example, prediction: &Prediction, _: Option<&[Rc<Span>]>) -> Result<Value> {
    Ok(answer_exact_match(example, prediction, 1.0)?.into())
}

/// Four at most, two at a time.
fn evaluate() -> Evaluate {
    Evaluate { parallel: Parallel { num_threads: 2, max_errors: 4 }, ..Evaluate::default() }
}

fn rows_stand_in_the_order_of_the_examples() {
    let stage = Stage::new();
    for (question, wait_ms, answer) in [("one", 50.0, "one"), ("two", 10.0, "2"), ("three", 20.0, "three")] {
        stage.model.when(question, wait_ms, &chat(&[("answer", answer)]));
    }
    stage.model.when_in_turn("four", 10.0, vec![Err(server_error())]);
    let (qa, run) = (qa(), stage.run());
    let devset = ["one", "four", "two", "three"].map(example);
    let evaluation = stage.wait(evaluate().run(&run, &qa, &devset, &exact, |_| ())).unwrap();
    let rows: Vec<_> = evaluation
        .rows
        .iter()
        .map(|row| {
            let answer = row.prediction.get("answer").and_then(Value::as_str);
            (answer, row.score.clone(), row.latency_ms, row.error.as_ref().map(Error::kind))
        })
        .collect();
    let expected = [
        (Some("one"), true.into(), 50.0, None),
        (None, 0.0.into(), 0.0, Some(ErrorKind::Server)),
        (Some("2"), false.into(), 10.0, None),
        (Some("three"), true.into(), 20.0, None),
    ];
    assert_eq!(rows, expected);
    assert_eq!((evaluation.score, evaluation.failed, evaluation.duration_ms), (50.0, 1, 50.0));
    assert_eq!(evaluation.margin(), Some(56.58)); // of 1, 0, 0, 1: 1.96 * sqrt(1 / 3 / 4)
    assert_eq!([0.0, 0.5, 0.95].map(|share| evaluation.latency_ms(share)), [Some(10.0), Some(20.0), Some(50.0)]);
    // The run knows what was used, and keeps no record of each example.
    assert_eq!((evaluation.usage.total_tokens, run.usage()), (45, evaluation.usage));
    assert_eq!(run.usage_by_model().models()["scripted"]["cost"], 1.5);
    assert!(run.spans().is_empty());
}

fn progress_tells_the_rate_and_what_is_left() {
    let stage = Stage::new();
    stage.model.when("bad", 500.0, "nothing to read");
    stage.model.when("", 500.0, &chat(&[("answer", "good")]));
    let devset = ["good", "bad", "good", "wrong"].map(example);
    let mut lines = Vec::new();
    let one_at_a_time = Evaluate { parallel: Parallel { num_threads: 1, max_errors: 10 }, failure_score: 0.5 };
    let (qa, run) = (qa(), stage.run());
    stage.wait(one_at_a_time.run(&run, &qa, &devset, &exact, |progress| lines.push(progress.to_string()))).unwrap();
    // What cannot be read is asked for once more, as JSON.
    let expected = [
        "1/4, 100 %, 0 failed, 2.0 a second, 2 s left",
        "2/4, 75 %, 1 failed, 1.3 a second, 2 s left",
        "3/4, 83.33 %, 1 failed, 1.5 a second, 1 s left",
        "4/4, 62.5 %, 1 failed, 1.6 a second, 0 s left",
    ];
    assert_eq!(lines, expected);
}

fn a_metric_that_fails_counts_as_an_error() {
    let stage = Stage::new();
    stage.model.when("", 1.0, &chat(&[("answer", "a")]));
    let picky = |example: &Example, _: &Prediction, _: Option<&[Rc<Span>]>| match example.get("answer") {
        Some(Value::Str(text)) if text == "raise" => Err(Error::new(ErrorKind::Input, "no such label")),
        Some(Value::Str(text)) if text == "text" => Ok("good".into()),
        _ => Ok(Value::Int(1)),
    };
    let devset = ["raise", "text", "a"].map(example);
    let evaluation = stage.wait(evaluate().run(&stage.run(), &qa(), &devset, &picky, |_| ())).unwrap();
    let errors: Vec<_> = evaluation.rows.iter().map(|row| row.error.as_ref().map(Error::message)).collect();
    assert_eq!(errors, [Some("no such label"), Some("a metric gave str, which is no score"), None]);
    assert_eq!((evaluation.score, &evaluation.rows[0].prediction), (33.33, &Prediction::default()));
}

fn a_model_that_fails_half_of_the_time_ends_the_work() {
    let stage = Stage::new();
    let answer = || Ok(chat(&[("answer", "a")]));
    stage.model.when_in_turn("", 1.0, (0..20).flat_map(|_| [answer(), Err(server_error())]).collect());
    let devset = vec![example("a"); 100];
    let error = stage.wait(evaluate().run(&stage.run(), &qa(), &devset, &exact, |_| ())).unwrap_err();
    assert_eq!((error.kind(), error.python_class()), (ErrorKind::Cancelled, Some("Exception")));
    assert_eq!(error.hint(), Some("4 calls failed, the last one with: the service is down"));
    assert_eq!(stage.model.asked.borrow().len(), 8);
}

fn sets_that_cannot_be_evaluated_are_refused_before_any_call() {
    let stage = Stage::new();
    let incomplete = Example::new().with("answer", "a").with_inputs(&["question"]);
    for (devset, field) in [(vec![], None), (vec![example("a"), incomplete], Some("question"))] {
        let error = stage.wait(evaluate().run(&stage.run(), &qa(), &devset, &exact, |_| ())).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, field));
        assert_eq!(error.message().contains("row 1"), field.is_some());
    }
    assert!(stage.model.asked.borrow().is_empty());
}

fn a_judge_is_a_metric() {
    let stage = Stage::new();
    stage.model.when("ground_truth", 5.0, &chat(&[("reasoning", "r"), ("precision", "0.5"), ("recall", "1.0")]));
    stage.model.when("", 1.0, &chat(&[("response", "b")]));
    let answers = Predict::new(Signature::parse("question -> response").unwrap());
    let devset = [Example::new().with("question", "?").with("response", "a").with_inputs(&["question"])];
    let judge = Judge(SemanticF1::new(false).unwrap());
    let evaluation = stage.wait(evaluate().run(&stage.run(), &answers, &devset, &judge, |_| ())).unwrap();
    assert_eq!((evaluation.score, evaluation.margin(), evaluation.rows[0].latency_ms), (66.67, None, 1.0));
    assert_eq!(evaluation.usage.total_tokens, 30);
}

fn the_deadline_ends_the_work() {
    let stage = Stage::new();
    stage.model.when("", 100.0, &chat(&[("answer", "a")]));
    let devset = vec![example("a"); 10];
    let run = stage.run().within_ms(250.0);
    let error = stage.wait(evaluate().run(&run, &qa(), &devset, &exact, |_| ())).unwrap_err();
    assert_eq!((error.kind(), stage.model.answered.get()), (ErrorKind::Deadline, 4));
}
