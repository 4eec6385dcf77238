//! Many calls at once.

use lakelet::module::Parallel;
use lakelet::{ErrorKind, Example, Module, Predict, Signature, Value};

use super::support::script::chat;
use super::support::{Stage, server_error};

tests![results_stand_in_the_order_of_the_calls, too_many_errors_end_the_work,];

fn qa() -> Predict {
    Predict::new(Signature::parse("question -> answer").unwrap())
}

fn questions<'a>(qa: &'a Predict, texts: &[&str]) -> Vec<(&'a dyn Module, Example)> {
    texts.iter().map(|text| (qa as &dyn Module, Example::new().with("question", *text))).collect()
}

fn results_stand_in_the_order_of_the_calls() {
    let stage = Stage::new();
    for (question, wait_ms) in [("one", 50.0), ("two", 10.0), ("three", 20.0)] {
        stage.model.when(question, wait_ms, &chat(&[("answer", question)]));
    }
    stage.model.when_in_turn("four", 10.0, vec![Err(server_error())]);
    let (qa, parallel) = (qa(), Parallel { num_threads: 2, ..Parallel::default() });
    let run = stage.run();
    let calls = questions(&qa, &["one", "four", "two", "three"]);
    let results = stage.wait(parallel.run(&run, calls)).unwrap();
    let answer = |prediction: &lakelet::Prediction| prediction.get("answer").and_then(Value::as_str).map(str::to_owned);
    let results: Vec<_> =
        results.iter().map(|result| result.as_ref().map(answer).map_err(|error| error.kind())).collect();
    let ok = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(results, [ok("one"), Err(ErrorKind::Server), ok("two"), ok("three")]);
    let at: Vec<_> = stage.model.asked.borrow().iter().map(|asked| asked.at_ms).collect();
    assert_eq!(at, [0.0, 0.0, 10.0, 20.0]);
}

fn too_many_errors_end_the_work() {
    let stage = Stage::new();
    stage.model.when_in_turn("bad", 10.0, vec![Err(server_error())]);
    stage.model.when("slow", 99.0, &chat(&[("answer", "late")]));
    let (qa, parallel) = (qa(), Parallel { num_threads: 2, max_errors: 2 });
    let calls = questions(&qa, &["bad", "slow", "bad", "slow", "slow"]);
    let error = stage.wait(parallel.run(&stage.run(), calls)).unwrap_err();
    assert_eq!(error.message(), "Execution cancelled due to errors or interruption.");
    assert_eq!(
        (error.kind(), stage.model.asked.borrow().len(), stage.model.answered.get()),
        (ErrorKind::Cancelled, 3, 2)
    );
}
