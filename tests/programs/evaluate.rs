//! Programs on sets of examples.

use std::rc::Rc;

use futures_util::stream;
use lakelet::cache::{Journal, Memory};
use lakelet::evaluate::{Progress, Row};
use lakelet::metric::{Judge, SemanticF1};
use lakelet::module::Parallel;
use lakelet::run::{Budget, Span};
use lakelet::{Error, ErrorKind, Evaluate, Example, Predict, Prediction, Signature, Value};

use super::support::script::chat;
use super::support::task::exact;
use super::support::{Stage, server_error};

tests![
    rows_stand_in_the_order_of_the_examples,
    progress_tells_the_rate_and_what_is_left,
    a_metric_that_fails_counts_as_an_error,
    a_model_that_fails_half_of_the_time_ends_the_work,
    sets_that_cannot_be_evaluated_are_refused_before_any_call,
    a_judge_is_a_metric,
    the_deadline_ends_the_work,
    examples_may_come_one_by_one,
    an_example_that_cannot_be_read_ends_the_work,
    examples_are_taken_when_they_are_begun,
    a_metric_whose_score_is_none_ends_the_work,
    an_evaluation_that_was_broken_off_asks_for_the_rest,
];

fn qa() -> Predict {
    Predict::new(Signature::parse("question -> answer").unwrap())
}

/// An example whose answer is its question.
fn example(question: &str) -> Example {
    Example::new().with("question", question).with("answer", question).with_inputs(&["question"])
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
    assert_eq!((run.failed(), run.last_failure().map(|error| error.kind())), (1, Some(ErrorKind::Server)));
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
        _ => Ok(Value::Int(1)),
    };
    let devset = ["a", "raise", "a", "a"].map(example);
    let evaluation = stage.wait(evaluate().run(&stage.run(), &qa(), &devset, &picky, |_| ())).unwrap();
    let errors: Vec<_> = evaluation.rows.iter().map(|row| row.error.as_ref().map(Error::message)).collect();
    assert_eq!(errors, [None, Some("no such label"), None, None]);
    assert_eq!((evaluation.score, &evaluation.rows[1].prediction), (75.0, &Prediction::default()));
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

fn examples_may_come_one_by_one() {
    let stage = Stage::new();
    stage.model.when("bad", 10.0, "nothing to read");
    stage.model.when("", 10.0, &chat(&[("answer", "good")]));
    let (qa, run) = (qa(), stage.run());
    let examples = (0..1000).map(|place| Ok::<_, Error>(example(if place == 7 { "bad" } else { "good" })));
    let (mut under_way, mut told) = (0, Vec::new());
    let ended = |row: Row, progress: &Progress| {
        under_way = under_way.max(stage.model.asked.borrow().len() - stage.model.answered.get());
        told.push((progress.row, row.points, progress.total, progress.left_ms()));
    };
    let evaluation = stage.wait(evaluate().each(&run, &qa, stream::iter(examples), None, &exact, ended)).unwrap();
    assert_eq!((evaluation.score, evaluation.failed, evaluation.done(), evaluation.rows.len()), (99.9, 1, 1000, 0));
    assert_eq!((evaluation.margin(), evaluation.latency_ms(0.5)), (Some(0.2), Some(10.0)));
    assert_eq!((told.len(), told[0], told[7].1), (1000, (0, 1.0, None, None), 0.0));
    assert!(under_way <= 2 && run.spans().is_empty());
}

fn an_example_that_cannot_be_read_ends_the_work() {
    let stage = Stage::new();
    stage.model.when("", 10.0, &chat(&[("answer", "a")]));
    let incomplete = || Example::new().with("answer", "a").with_inputs(&["question"]);
    let broken = || Error::new(ErrorKind::Input, "line 3 is no JSON");
    for (third, message) in [(Err(broken()), "line 3 is no JSON"), (Ok(incomplete()), "row 2 of the devset lacks")] {
        let examples = stream::iter([Ok(example("a")), Ok(example("b")), third, Ok(example("c"))]);
        let mut rows = 0;
        let work = evaluate();
        let (run, qa) = (stage.run(), qa());
        let error = stage.wait(work.each(&run, &qa, examples, None, &exact, |_, _| rows += 1)).unwrap_err();
        assert!(error.message().starts_with(message), "{error}");
        assert_eq!(rows, 2);
    }
    assert_eq!(stage.model.asked.borrow().len(), 4);
}

fn examples_are_taken_when_they_are_begun() {
    let stage = Stage::new();
    stage.model.when("", 10.0, &chat(&[("answer", "a")]));
    let (qa, run) = (qa(), stage.run().within_budget(Budget { calls: Some(5), ..Budget::default() }).unwrap());
    let mut taken = 0;
    let examples = (0..100).map(|_| {
        taken += 1;
        assert!(taken <= stage.model.answered.get() + 2, "{taken}");
        Ok::<_, Error>(example("a"))
    });
    let evaluation = stage.wait(evaluate().each(&run, &qa, stream::iter(examples), None, &exact, |_, _| ())).unwrap();
    assert_eq!((evaluation.done(), evaluation.stopped_by.map(|end| end.kind())), (5, Some(ErrorKind::Budget)));
    assert!(taken <= 7, "{taken}");
}

fn a_metric_whose_score_is_none_ends_the_work() {
    let stage = Stage::new();
    stage.model.when("", 10.0, &chat(&[("answer", "a")]));
    let devset: Vec<_> = (0..20).map(|_| example("a")).collect();
    for (score, given) in [(Value::from("good"), "str"), (Value::None, "NoneType"), (f64::NAN.into(), "nan")] {
        let metric = move |_: &Example, _: &Prediction, _: Option<&[Rc<Span>]>| Ok(score.clone());
        let error = stage.wait(evaluate().run(&stage.run(), &qa(), &devset, &metric, |_| ())).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("metric")));
        assert_eq!(error.message(), format!("a metric gave {given}, which is no score"));
    }
    assert!(stage.model.asked.borrow().len() <= 3 * 3);
}

fn an_evaluation_that_was_broken_off_asks_for_the_rest() {
    let stage = Stage::new();
    stage.model.when("", 100.0, &chat(&[("answer", "3")]));
    let devset: Vec<_> = (0..10).map(|number| example(&number.to_string())).collect();
    let store = Rc::new(Memory::default());
    let recorded = || stage.run().recorded_in(Journal::new(store.clone(), "evaluation"));
    let broken_off = recorded().within_ms(250.0);
    stage.wait(evaluate().run(&broken_off, &qa(), &devset, &exact, |_| ())).unwrap_err();
    let asked = stage.model.asked.borrow().len();
    let evaluation = stage.wait(evaluate().run(&recorded(), &qa(), &devset, &exact, |_| ())).unwrap();
    let answered = 4;
    assert_eq!((asked, stage.model.asked.borrow().len() - asked), (6, 10 - answered));
    assert_eq!((evaluation.score, evaluation.failed), (10.0, 0));
}
