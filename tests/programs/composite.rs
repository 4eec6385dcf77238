//! Programs that are put together at run time.

use lakelet::module::{Composite, Retrieve};
use lakelet::{ErrorKind, Example, Module, Predict, Signature, Value};

use super::support::Stage;
use super::support::script::chat;

tests![
    a_composite_runs_its_parts_and_names_them_as_dspy,
    a_predictor_that_stands_in_two_places_is_changed_once,
    a_composite_without_a_function_says_so,
    retrieve_gives_the_texts_of_passages,
];

fn predict(signature: &str) -> Box<dyn Module> {
    Box::new(Predict::new(Signature::parse(signature).unwrap()))
}

fn a_composite_runs_its_parts_and_names_them_as_dspy() {
    let stage = Stage::new();
    stage.model.when("2+2?", 1.0, &chat(&[("answer", "4")]));
    let mut program = Composite::default();
    let answer = program.add(predict("question -> answer"));
    let steps = program.list(vec![answer, answer]);
    program.set("steps", steps);
    program.set("again", answer);
    let program = program.with_forward(move |program, run, inputs| {
        Box::pin(async move { program.part(answer)?.call(run, inputs).await })
    });
    let prediction = stage.wait(program.call(&stage.run(), Example::new().with("question", "2+2?"))).unwrap();
    assert_eq!(prediction.get("answer"), Some(&Value::from("4")));
    assert_eq!(program.parameters(), ["steps[0]"]);
}

fn a_predictor_that_stands_in_two_places_is_changed_once() {
    let mut program = Composite::default();
    let (first, second) = (program.add(predict("a -> b")), program.add(predict("c -> d")));
    let group = program.group(vec![("x".to_owned(), second), ("y".to_owned(), first)]);
    program.set("group", group);
    program.set("first", first);
    for (path, predict) in program.predictors_mut() {
        predict.set_demos(vec![Example::new().with("path", path.as_str())]);
    }
    let demos = |(path, predict): (String, &Predict)| (path, predict.demos()[0].get("path").cloned());
    let found: Vec<_> = program.predictors().into_iter().map(demos).collect();
    let expected = ["group.x", "group.y"].map(|path| (path.to_owned(), Some(Value::from(path))));
    assert_eq!(found, expected);
    program.freeze(group);
    assert_eq!(program.parameters(), ["first"]);
}

fn a_composite_without_a_function_says_so() {
    let stage = Stage::new();
    let error = stage.wait(Composite::default().call(&stage.run(), Example::new())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

fn retrieve_gives_the_texts_of_passages() {
    let stage = Stage::new();
    ["one", "two", "three"].into_iter().for_each(|text| stage.retriever.holds(text, text));
    let retrieve = Retrieve::new(2);
    let found = stage.wait(retrieve.call(&stage.run(), Example::new().with("query", "x"))).unwrap();
    assert_eq!(found.get("passages"), Some(&vec!["one", "two"].into()));
    let more = Example::new().with("query", "y").with("k", 7);
    stage.wait(retrieve.call(&stage.run(), more)).unwrap();
    let asked: Vec<_> = stage.retriever.asked.borrow().iter().map(|query| (query.text.clone(), query.k)).collect();
    assert_eq!(asked, [(Some("x".to_owned()), Some(2)), (Some("y".to_owned()), Some(7))]);
}
