//! Many examples, in batches.

use std::cell::RefCell;
use std::rc::Rc;

use lakelet::batch::{Batches, Item, Kept, Progress};
use lakelet::cache::{Cache, Memory};
use lakelet::{ErrorKind, Example, Predict, Signature, Value};

use super::support::script::chat;
use super::support::{Stage, server_error};

tests![
    results_stand_in_the_order_of_the_examples,
    so_many_batches_are_under_way_and_no_more,
    failures_are_kept_apart_and_lose_nothing,
    work_that_was_broken_off_goes_on_where_it_was,
    what_does_not_end_in_time_says_so,
];

fn qa() -> Predict {
    Predict::new(Signature::parse("question -> answer").unwrap())
}

fn questions(texts: &[&str]) -> Vec<Example> {
    texts
        .iter()
        .map(|text| Example::new().with("question", *text).with("label", "x").with_inputs(&["question"]))
        .collect()
}

fn answers(items: &[Item]) -> Vec<Result<String, ErrorKind>> {
    let answer = |item: &Item| match &item.prediction {
        Ok(prediction) => Ok(prediction.get("answer").and_then(Value::as_str).unwrap().to_owned()),
        Err(error) => Err(error.kind()),
    };
    items.iter().map(answer).collect()
}

fn ok(text: &str) -> Result<String, ErrorKind> {
    Ok(text.to_owned())
}

fn results_stand_in_the_order_of_the_examples() {
    let stage = Stage::new();
    for (question, wait_ms) in [("one", 50.0), ("two", 10.0), ("three", 20.0)] {
        stage.model.when(question, wait_ms, &chat(&[("answer", question)]));
    }
    let (qa, run, told) = (qa(), stage.run(), RefCell::new(Vec::new()));
    let examples = questions(&["one", "two", "three"]);
    let watch = |progress: &Progress| {
        told.borrow_mut().push((progress.item, progress.done, progress.total, progress.elapsed_ms))
    };
    let items = stage.wait(Batches::default().run(&run, &qa, &examples, None, watch));
    assert_eq!(answers(&items), [ok("one"), ok("two"), ok("three")]);
    assert_eq!(*told.borrow(), [(1, 1, 3, 10.0), (2, 2, 3, 20.0), (0, 3, 3, 50.0)]);
    assert_eq!(run.usage().total_tokens, 45);
    assert_eq!(items[0].latency_ms, 50.0);
}

fn so_many_batches_are_under_way_and_no_more() {
    let stage = Stage::new();
    stage.model.when("q", 10.0, &chat(&[("answer", "a")]));
    let (qa, batches) = (qa(), Batches { batch_size: 2, in_flight: 2 });
    let examples = questions(&["q1", "q2", "q3", "q4", "q5", "q6", "q7"]);
    let items = stage.wait(batches.run(&stage.run(), &qa, &examples, None, |_| ()));
    assert_eq!(items.len(), 7);
    let at: Vec<_> = stage.model.asked.borrow().iter().map(|asked| asked.at_ms).collect();
    assert_eq!(at, [0.0, 0.0, 0.0, 0.0, 10.0, 10.0, 10.0]);
    assert!(stage.wait(batches.run(&stage.run(), &qa, &[], None, |_| ())).is_empty());
}

fn failures_are_kept_apart_and_lose_nothing() {
    let stage = Stage::new();
    stage.model.when_in_turn("bad", 10.0, vec![Err(server_error())]);
    stage.model.when("good", 10.0, &chat(&[("answer", "fine")]));
    let (qa, failed) = (qa(), RefCell::new(Vec::new()));
    let texts: Vec<_> = (0..40).map(|i| if i % 3 == 0 { "bad" } else { "good" }).collect();
    let watch = |progress: &Progress| failed.borrow_mut().push((progress.failed, progress.error.is_some()));
    let items = stage.wait(Batches::default().run(&stage.run(), &qa, &questions(&texts), None, watch));
    for (item, text) in answers(&items).iter().zip(&texts) {
        assert_eq!(*item, if *text == "bad" { Err(ErrorKind::Server) } else { ok("fine") });
    }
    assert_eq!(failed.borrow().last().unwrap().0, 14);
    assert_eq!(failed.borrow().iter().filter(|(_, is)| *is).count(), 14);
}

fn work_that_was_broken_off_goes_on_where_it_was() {
    let store: Rc<dyn Cache> = Rc::new(Memory::default());
    let kept = |job: &str| Kept { store: Rc::clone(&store), job: job.to_owned() };
    let examples = questions(&["one", "two", "three"]);
    let first = Stage::new();
    first.model.when("one", 10.0, &chat(&[("answer", "1")]));
    first.model.when_in_turn("two", 10.0, vec![Err(server_error())]);
    first.model.when("three", 10.0, &chat(&[("answer", "3")]));
    let items = first.wait(Batches::default().run(&first.run(), &qa(), &examples, Some(&kept("qa 1")), |_| ()));
    assert_eq!(answers(&items), [ok("1"), Err(ErrorKind::Server), ok("3")]);

    // What failed is asked for again, and what was added; the order of the examples makes no difference.
    let again = Stage::new();
    again.model.when("two", 10.0, &chat(&[("answer", "2")]));
    again.model.when("four", 10.0, &chat(&[("answer", "4")]));
    let (counts, more) = (RefCell::new((0, 0)), questions(&["three", "four", "two", "one"]));
    let watch = |progress: &Progress| *counts.borrow_mut() = (progress.kept, progress.failed);
    let items = again.wait(Batches::default().run(&again.run(), &qa(), &more, Some(&kept("qa 1")), watch));
    assert_eq!(answers(&items), [ok("3"), ok("4"), ok("2"), ok("1")]);
    assert_eq!(items.iter().map(|item| item.is_kept).collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!((*counts.borrow(), again.model.asked.borrow().len()), ((2, 0), 2));

    // Another job has nothing kept.
    let other = Stage::new();
    other.model.when("o", 10.0, &chat(&[("answer", "new")]));
    let items = other.wait(Batches::default().run(&other.run(), &qa(), &examples[..2], Some(&kept("qa 2")), |_| ()));
    assert_eq!(answers(&items), [ok("new"), ok("new")]);
}

fn what_does_not_end_in_time_says_so() {
    let stage = Stage::new();
    stage.model.when("quick", 10.0, &chat(&[("answer", "a")]));
    stage.model.when("slow", 500.0, &chat(&[("answer", "b")]));
    let (qa, run, batches) = (qa(), stage.run().within_ms(100.0), Batches { batch_size: 1, in_flight: 1 });
    let items = stage.wait(batches.run(&run, &qa, &questions(&["quick", "slow", "quick"]), None, |_| ()));
    assert_eq!(answers(&items), [ok("a"), Err(ErrorKind::Deadline), Err(ErrorKind::Deadline)]);
}
