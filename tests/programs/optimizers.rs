//! Programs that learn from examples.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use futures_util::future::join;
use lakelet::embed::EmbeddingModel;
use lakelet::module::{Composite, Knn, Refine, Variant};
use lakelet::optimize::{
    BootstrapFewShot, BootstrapFewShotWithRandomSearch, Copro, Ensemble, InferRules, KnnFewShot, LabeledFewShot,
    Optimizer, Training, dataset_summary,
};
use lakelet::run::Event;
use lakelet::{ErrorKind, Example, Module, Pipeline, Predict, Prediction, Result, Signature, Value, state};
use serde_json::json;

use super::support::script::chat;
use super::support::task::exact;
use super::support::{Stage, server_error};

tests![
    a_variant_asks_its_own_predictors_and_leaves_the_program_alone,
    of_variants_of_variants_the_outermost_answers,
    advice_reaches_the_predictors_of_a_variant,
    what_was_learned_is_saved_and_loaded,
    a_pipeline_document_learns_like_any_program,
    of_several_calls_of_a_predictor_one_becomes_a_demo,
    failures_are_told_and_too_many_of_them_end_the_search,
    examples_that_teach_nothing_are_refused,
    a_deadline_ends_the_search,
    demos_are_those_most_like_the_question,
    programs_vote,
    rules_are_shortened_to_what_fits_and_the_best_are_kept,
    limits_that_leave_nothing_to_try_are_refused,
];

fn qa() -> Rc<dyn Module> {
    Rc::new(predict())
}

fn predict() -> Predict {
    Predict::new(Signature::parse("question -> answer").unwrap())
}

fn example(question: &str, answer: &str) -> Example {
    Example::new().with("question", question).with("answer", answer).with_inputs(&["question"])
}

fn answer(prediction: &Prediction) -> &str {
    prediction.get("answer").and_then(Value::as_str).unwrap_or_default()
}

/// The questions of the demos of a program's first predictor.
fn shown(program: &dyn Module) -> Vec<String> {
    let text = |demo: &Example| demo.get("question").and_then(Value::as_str).unwrap_or_default().to_owned();
    program.predictors()[0].1.demos().iter().map(text).collect()
}

fn a_variant_asks_its_own_predictors_and_leaves_the_program_alone() {
    let stage = Stage::new();
    stage.model.when("Be brief.", 5.0, &chat(&[("answer", "4")]));
    stage.model.when("", 5.0, &chat(&[("answer", "It is four.")]));
    let program = qa();
    let mut variant = Variant::copy_of(&program);
    for (_, predict) in variant.predictors_mut() {
        predict.set_signature(predict.signature().with_instructions("Be brief.").unwrap());
    }
    let (run, question) = (stage.run(), Example::new().with("question", "2+2?"));
    let answers = stage.wait(async {
        let (a, b) = join(variant.call(&run, question.clone()), program.call(&run, question.clone())).await;
        [a.unwrap(), b.unwrap()]
    });
    assert_eq!(answers.each_ref().map(answer), ["4", "It is four."]);
    let ids: Vec<_> = run.trace().iter().map(|span| span.predictor.unwrap()).collect();
    assert_eq!(ids, [variant.predictors()[0].1.id(), program.predictors()[0].1.id()]);
}

fn of_variants_of_variants_the_outermost_answers() {
    let stage = Stage::new();
    stage.model.when("outer", 5.0, &chat(&[("answer", "outer")]));
    stage.model.when("inner", 5.0, &chat(&[("answer", "inner")]));
    let instruct = |program: &Rc<dyn Module>, instructions: &str| {
        let mut variant = Variant::copy_of(program);
        for (_, predict) in variant.predictors_mut() {
            predict.set_signature(predict.signature().with_instructions(instructions).unwrap());
        }
        Rc::new(variant) as Rc<dyn Module>
    };
    let inner = instruct(&qa(), "inner");
    let outer = instruct(&inner, "outer");
    for (program, expected) in [(&outer, "outer"), (&inner, "inner")] {
        let prediction = stage.wait(program.call(&stage.run(), Example::new().with("question", "?"))).unwrap();
        assert_eq!(answer(&prediction), expected);
    }
}

fn advice_reaches_the_predictors_of_a_variant() {
    let stage = Stage::new();
    stage.model.when("Discussing blame", 1.0, &chat(&[("discussion", "d"), ("advice", r#"{"self": "Shorter!"}"#)]));
    stage.model.when("Shorter!", 1.0, &chat(&[("answer", "1")]));
    stage.model.when("", 1.0, &chat(&[("answer", "0")]));
    let worth = |_: &Example, prediction: &Prediction| Ok(answer(prediction).parse().unwrap());
    let refine: Rc<dyn Module> = Rc::new(Refine::new(Box::new(predict()), 2, Rc::new(worth), 1.0).unwrap());
    let mut variant = Variant::copy_of(&refine);
    for (_, predict) in variant.predictors_mut() {
        predict.set_signature(predict.signature().with_instructions("Think twice.").unwrap());
    }
    let prediction = stage.wait(variant.call(&stage.run(), Example::new().with("question", "?"))).unwrap();
    assert_eq!(answer(&prediction), "1");
    let asked = stage.model.asked.borrow();
    assert!(asked[1].text().contains("Original Instructions: \n\t\tThink twice."), "{}", asked[1].text());
    assert!(asked[2].text().contains("Think twice."));
}

fn what_was_learned_is_saved_and_loaded() {
    let trainset = [example("one", "1"), example("two", "2")];
    let taught = LabeledFewShot { sample: false, ..LabeledFewShot::default() }.teach(&qa(), &trainset).unwrap();
    let mut program = predict();
    state::load(&mut program, &state::dump(&taught).unwrap()).unwrap();
    assert_eq!(shown(&program), ["one", "two"]);
    assert_eq!(taught.into_predictors()[0].demos(), trainset);
}

fn a_pipeline_document_learns_like_any_program() {
    let stage = Stage::new();
    stage.model.when("fields `query`.", 1.0, &chat(&[("query", "sums")]));
    stage.model.when("4+4?\n\nRespond", 1.0, &chat(&[("answer", "9")]));
    stage.model.when("", 1.0, &chat(&[("answer", "4")]));
    let document = json!({
        "lakelet": 1,
        "name": "sums",
        "inputs": {"question": "str"},
        "steps": {
            "plan": {"do": "predict", "signature": "question -> query", "inputs": {"question": "question"}},
            "solve": {"do": "predict", "signature": "query, question -> answer", "inputs": {"query": "plan.query", "question": "question"}},
        },
        "outputs": {"answer": "solve.answer"},
    });
    let mut pipeline = Pipeline::from_json(&document.to_string()).unwrap();
    let trainset = [("4+4?", "8"), ("2+2?", "4"), ("3+1?", "4")].map(|(question, answer)| example(question, answer));
    let optimizer = BootstrapFewShotWithRandomSearch {
        num_candidate_programs: 2,
        ..BootstrapFewShotWithRandomSearch::new(Rc::new(exact))
    };
    let student: Rc<dyn Module> = Rc::new(Pipeline::from_json(&document.to_string()).unwrap());
    let (run, training) = (stage.run(), Training::new(student, &trainset));
    let candidates = stage.wait(optimizer.search(&mut optimizer.study(&run, &training), training)).unwrap();
    let seeds: Vec<_> = candidates.iter().map(|tried| (tried.seed, tried.evaluation.score)).collect();
    assert_eq!(seeds, [(-3, 66.67), (-2, 66.67), (-1, 66.67), (0, 66.67), (1, 66.67)]);
    state::load(&mut pipeline, &state::dump(&candidates[2].program).unwrap()).unwrap();
    let demo = |fields: &[(&str, &str)]| {
        fields.iter().fold(Example::new().with("augmented", true), |demo, (name, value)| demo.with(name, *value))
    };
    let solved = |question| demo(&[("query", "sums"), ("question", question), ("answer", "4")]);
    let learned: Vec<_> = pipeline.predictors().iter().map(|(_, predict)| predict.demos()[..2].to_vec()).collect();
    let planned = |question| demo(&[("question", question), ("query", "sums")]);
    assert_eq!(learned, [[planned("2+2?"), planned("3+1?")], [solved("2+2?"), solved("3+1?")]]);
}

fn of_several_calls_of_a_predictor_one_becomes_a_demo() {
    let stage = Stage::new();
    stage.model.when("again: ", 1.0, &chat(&[("answer", "last")]));
    stage.model.when("", 1.0, &chat(&[("answer", "first")]));
    let mut program = Composite::default();
    let slot = program.add(Box::new(predict()));
    program.set("ask", slot);
    let program = program.with_forward(move |program, run, inputs| {
        Box::pin(async move {
            let question = inputs.get("question").and_then(Value::as_str).unwrap_or_default().to_owned();
            program.part(slot)?.call(run, inputs).await?;
            program.part(slot)?.call(run, Example::new().with("question", format!("again: {question}"))).await
        })
    });
    let trainset: Vec<Example> = (0..8).map(|i| example(&format!("question {i}"), "last")).collect();
    let optimizer =
        BootstrapFewShot { max_bootstrapped_demos: 8, max_labeled_demos: 0, ..BootstrapFewShot::new(Rc::new(exact)) };
    let training = Training::new(Rc::new(program), &trainset);
    let demos = |program: Variant| program.into_predictors().remove(0).demos().to_vec();
    let first = demos(stage.wait(optimizer.compile(&stage.run(), training.clone())).unwrap().program);
    assert_eq!(first.len(), 8);
    let lasts = first.iter().filter(|demo| demo.get("answer") == Some(&"last".into())).count();
    assert!((1..8).contains(&lasts), "{lasts}");
    assert_eq!(demos(stage.wait(optimizer.compile(&stage.run(), training)).unwrap().program), first);
}

fn failures_are_told_and_too_many_of_them_end_the_search() {
    let stage = Stage::new();
    let good = || Ok(chat(&[("answer", "a")]));
    stage.model.when_in_turn("", 1.0, vec![Err(server_error()), good(), Err(server_error()), good(), good()]);
    let trainset = ["one", "two", "three", "four"].map(|question| example(question, "a"));
    let mut optimizer = BootstrapFewShot { max_labeled_demos: 0, ..BootstrapFewShot::new(Rc::new(exact)) };
    let run = stage.watched();
    let program = stage.wait(optimizer.compile(&run, Training::new(qa(), &trainset))).unwrap().program;
    assert_eq!(shown(&program), ["two", "four"]);
    assert_eq!(run.usage().total_tokens, 30);
    let told = stage.events.borrow().iter().filter(|event| matches!(event, Event::Status(_))).count();
    assert_eq!((told, run.spans().len()), (2, 0));

    let stage = Stage::new();
    stage.model.when("", 1.0, "nothing to read");
    optimizer.max_errors = 2;
    let error = stage.wait(optimizer.compile(&stage.run(), Training::new(qa(), &trainset))).err().unwrap();
    assert_eq!((error.kind(), stage.model.asked.borrow().len()), (ErrorKind::Parse, 4));
}

fn examples_that_teach_nothing_are_refused() {
    let stage = Stage::new();
    let optimizer = BootstrapFewShot { max_errors: 1, ..BootstrapFewShot::new(Rc::new(exact)) };
    let error = stage.wait(optimizer.compile(&stage.run(), Training::new(qa(), &[]))).err().unwrap();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("trainset")));
    let no_inputs = [Example::new().with("question", "one").with("answer", "1")];
    let error = stage.wait(optimizer.compile(&stage.run(), Training::new(qa(), &no_inputs))).err().unwrap();
    assert_eq!((error.kind(), error.python_class()), (ErrorKind::Input, Some("ValueError")));
    let mut compiled = Variant::copy_of(&qa());
    compiled.compiled = true;
    let error =
        stage.wait(optimizer.compile(&stage.run(), Training::new(Rc::new(compiled), &no_inputs))).err().unwrap();
    assert_eq!(error.message(), "Student must be uncompiled.");
    assert!(stage.model.asked.borrow().is_empty());
}

fn a_deadline_ends_the_search() {
    let stage = Stage::new();
    stage.model.when("", 100.0, &chat(&[("answer", "a")]));
    let trainset = ["one", "two", "three", "four"].map(|question| example(question, "a"));
    let run = stage.run().within_ms(250.0);
    let optimizer = BootstrapFewShot::new(Rc::new(exact));
    let error = stage.wait(optimizer.compile(&run, Training::new(qa(), &trainset))).err().unwrap();
    assert_eq!((error.kind(), stage.model.answered.get()), (ErrorKind::Deadline, 2));
}

/// Gives texts their length as their place.
struct Lengths;

impl EmbeddingModel for Lengths {
    fn embed<'a>(&'a self, texts: &'a [String], _: Option<f64>) -> LocalBoxFuture<'a, Result<Vec<Vec<f64>>>> {
        let vectors = texts.iter().map(|text| {
            let angle = text.len() as f64 / 40.0;
            vec![angle.cos(), angle.sin()]
        });
        Box::pin(std::future::ready(Ok(vectors.collect())))
    }
}

fn demos_are_those_most_like_the_question() {
    let stage = Stage::new();
    stage.model.when("", 5.0, &chat(&[("answer", "a")]));
    let questions = ["x", "xx", "xxxxxxxxxxxx", "xxxxxxxxxxxxx"];
    let trainset = questions.map(|question| example(question, "a")).to_vec();
    let run = stage.run();
    let knn = stage.wait(Knn::new(&run, 2, trainset, Rc::new(Lengths))).unwrap();
    let program = KnnFewShot::new(knn, BootstrapFewShot::new(Rc::new(exact))).compile(qa(), None);
    stage.wait(program.call(&run, Example::new().with("question", "yyyyyyyyyyyy"))).unwrap();
    let asked = stage.model.asked.borrow();
    let users = |messages: &[serde_json::Value]| -> Vec<String> {
        let text = |message: &serde_json::Value| message["content"].as_str().unwrap_or_default().to_owned();
        messages.iter().filter(|message| message["role"] == "user").map(text).collect()
    };
    // The neighbours teach themselves; then they are shown.
    assert_eq!(asked.len(), 3);
    let last = users(&asked[2].messages);
    assert!(last[0].ends_with("]]\nxxxxxxxxxxxx") && last[1].ends_with("]]\nxxxxxxxxxxxxx"), "{last:?}");
    assert_eq!((last.len(), run.trace().len(), run.usage().total_tokens), (3, 1, 45));
    assert!(shown(&program).is_empty());
}

fn programs_vote() {
    let stage = Stage::new();
    let mut programs: Vec<Box<dyn Module>> = Vec::new();
    for word in ["four", "five", "five!"] {
        let mut predict = predict();
        predict.set_signature(predict.signature().with_instructions(&format!("Say {word}.")).unwrap());
        stage.model.when(&format!("Say {word}."), 1.0, &chat(&[("answer", word)]));
        programs.push(Box::new(predict));
    }
    let ensemble = Ensemble::default().compile(programs).unwrap();
    let prediction = stage.wait(ensemble.call(&stage.run(), Example::new().with("question", "?"))).unwrap();
    assert_eq!(answer(&prediction), "five");
    let one_of = |count: usize| (0..count).map(|_| Box::new(predict()) as Box<dyn Module>).collect();
    stage.model.when("", 1.0, &chat(&[("answer", "a")]));
    let sampled = Ensemble { size: Some(2), ..Ensemble::default() };
    stage.model.asked.borrow_mut().clear();
    stage.wait(sampled.compile(one_of(3)).unwrap().call(&stage.run(), Example::new().with("question", "?"))).unwrap();
    assert_eq!(stage.model.asked.borrow().len(), 2);
    for (ensemble, count) in [(&sampled, 1), (&Ensemble::default(), 0)] {
        assert_eq!(
            ensemble.compile(one_of(count)).err().and_then(|error| error.field().map(str::to_owned)),
            Some("size".into())
        );
    }
}

fn rules_are_shortened_to_what_fits_and_the_best_are_kept() {
    let stage = Stage::new();
    let too_long = || Err(lakelet::Error::new(ErrorKind::ContextWindow, "too long"));
    let rules = |text| Ok(chat(&[("reasoning", "r"), ("natural_language_rules", text)]));
    stage.model.when_in_turn(
        "extract a list of 5",
        1.0,
        vec![too_long(), rules(" Guess. "), rules("Add."), rules("Guess.")],
    );
    stage.model.when("Add.", 1.0, &chat(&[("answer", "4")]));
    stage.model.when("", 1.0, &chat(&[("answer", "5")]));
    let trainset = [("2+2", "4"), ("1+3", "4"), ("4+0", "4"), ("3+1", "4")].map(|(q, a)| example(q, a));
    let optimizer = InferRules { num_candidates: 3, num_rules: 5, ..InferRules::new(Rc::new(exact)) };
    let program = stage.wait(optimizer.compile(&stage.run(), Training::new(qa(), &trainset))).unwrap().program;
    let expected = "Given the fields `question`, produce the fields `answer`.\n\nPlease adhere to the following rules when \
                    making your prediction:\nAdd.";
    assert_eq!(&*program.predictors()[0].1.signature().instructions, expected);
    let asked = stage.model.asked.borrow();
    let inductions: Vec<_> = asked.iter().filter(|asked| asked.text().contains("extract a list")).collect();
    let both = "Input Fields:\nquestion: 2+2\n\n=========\nOutput Fields:\nanswer: 4\n\nInput Fields:\nquestion: 1+3\n";
    assert!(inductions[0].text().contains(both), "{}", inductions[0].text());
    assert!(!inductions[1].text().contains("1+3"));
    // Python's `Random(0).randint(0, 10**9)`, four times.
    let rollouts: Vec<_> = inductions.iter().map(|asked| asked.rollout_id.clone().unwrap()).collect();
    assert_eq!(rollouts, [json!(906691059), json!(413653999), json!(813847339), json!(955892128)]);
}

fn limits_that_leave_nothing_to_try_are_refused() {
    let stage = Stage::new();
    stage.model.when("", 1.0, &chat(&[("answer", "4")]));
    let trainset = [example("2+2", "4"), example("1+3", "4")];
    let (run, training) = (stage.run(), Training::new(qa(), &trainset));
    for (breadth, depth, field) in [(1, 3, "breadth"), (2, 0, "depth")] {
        let optimizer = Copro { breadth, depth, ..Copro::new(Rc::new(exact)) };
        let error = stage.wait(optimizer.compile(&run, training.clone())).err().unwrap();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)));
    }
    let optimizer = InferRules { num_candidates: 0, ..InferRules::new(Rc::new(exact)) };
    let error = stage.wait(optimizer.compile(&run, training)).err().unwrap();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("num_candidates")));
    let error = stage.wait(dataset_summary(&run, &trainset, 0)).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("batch_size")));
}
