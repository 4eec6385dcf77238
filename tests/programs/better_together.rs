//! Several optimizers, one after the other.

use std::rc::Rc;

use lakelet::module::Parallel;
use lakelet::optimize::gepa::{Gepa, Limit};
use lakelet::optimize::{BetterTogether, Estimate, LabeledFewShot, Optimizer, Training};
use lakelet::run::Budget;
use lakelet::{ErrorKind, Evaluate, Module, Predict, Signature};

use super::support::Stage;
use super::support::script::chat;
use super::support::task::{exact, example};

tests![
    each_step_goes_on_from_the_one_before,
    a_step_that_fails_leaves_what_was_found_before,
    a_spent_budget_leaves_the_best_step_so_far,
    weights_and_what_cannot_be_followed_are_refused_before_anything_is_asked,
];

fn predict() -> Predict {
    let mut predict = Predict::new(Signature::parse("question -> answer").unwrap());
    predict.set_model(Some("scripted".to_owned()));
    predict
}

fn together(strategy: &str) -> BetterTogether {
    let mut together = BetterTogether::new(Rc::new(exact));
    let gepa = Gepa { num_threads: 1, ..Gepa::new(Rc::new(exact), Limit::MetricCalls(8)).unwrap() };
    together.optimizers.insert("gepa".to_owned(), Rc::new(gepa));
    together.optimizers.insert("labels".to_owned(), Rc::new(LabeledFewShot { k: 1, sample: false }));
    together.strategy = strategy.to_owned();
    together.valset_ratio = 0.5;
    together.evaluate = Evaluate { parallel: Parallel { num_threads: 1, max_errors: 10 }, failure_score: 0.0 };
    together
}

/// A model that is right about half of the questions with good instructions, and about all with a demo too.
fn stage_of_a_learner() -> Stage {
    let stage = Stage::new();
    stage.model.when("[[ ## current_instruction ## ]]", 1.0, r#"{"new_instruction": "Be right."}"#);
    stage.model.when_in_turn("right\n\n[[ ## completed", 1.0, vec![Ok(chat(&[("answer", "right")]))]);
    stage.model.when("Be right.", 1.0, &chat(&[("answer", "right")]));
    stage.model.when("easy", 1.0, &chat(&[("answer", "right")]));
    stage.model.when("", 1.0, &chat(&[("answer", "wrong")]));
    stage
}

const QUESTIONS: [&str; 4] = ["easy", "a", "b", "c"];

fn each_step_goes_on_from_the_one_before() {
    let stage = stage_of_a_learner();
    let trainset = QUESTIONS.map(example);
    let (together, run) = (together("labels -> gepa"), stage.run());
    let training = Training::new(Rc::new(predict()), &trainset);
    let steps = stage.wait(together.search(&mut together.study(&run, &training), training.clone())).unwrap();
    let told: Vec<_> = steps.candidate_programs.iter().map(|step| (step.strategy.as_str(), step.score)).collect();
    assert_eq!(told, [("labels", Some(100.0)), ("labels -> gepa", Some(100.0)), ("", Some(50.0))]);
    let last = steps.candidate_programs[1].program.predictors()[0].1.clone();
    assert_eq!((last.demos().len(), last.model()), (1, Some("scripted")));
    assert!(steps.best.compiled && steps.compilation_error.is_none() && steps.stopped_by.is_none());
    let Estimate { program_calls, .. } = together.estimate(&training);
    let asked = stage.model.asked.borrow().len();
    assert!(asked <= program_calls, "{asked} of {program_calls}");
}

fn a_step_that_fails_leaves_what_was_found_before() {
    let stage = stage_of_a_learner();
    let trainset = QUESTIONS.map(example);
    let (together, run) = (together("labels -> gepa -> labels"), stage.run());
    let training = Training::new(Rc::new(predict()), &trainset).with_teacher(Rc::new(predict()));
    let steps = stage.wait(together.search(&mut together.study(&run, &training), training)).unwrap();
    assert_eq!(steps.candidate_programs.len(), 2);
    assert_eq!(steps.compilation_error.unwrap().message(), "Teacher is not supported in DspyGEPA yet.");
    assert_eq!(run.failed(), 1);
    assert_eq!(steps.best.predictors()[0].1.demos().len(), 1);
}

fn a_spent_budget_leaves_the_best_step_so_far() {
    let trainset = QUESTIONS.map(example);
    for (calls, candidates, demos) in [(1, 0, 0), (3, 1, 0), (5, 2, 1)] {
        let stage = stage_of_a_learner();
        let run = stage.run().within_budget(Budget { calls: Some(calls), ..Budget::default() }).unwrap();
        let training = Training::new(Rc::new(predict()), &trainset);
        let found = stage.wait(together("labels -> gepa").compile(&run, training)).unwrap();
        assert_eq!(found.stopped_by.map(|end| end.kind()), Some(ErrorKind::Budget));
        assert_eq!((found.candidates.len(), found.program.predictors()[0].1.demos().len()), (candidates, demos));
    }
}

fn weights_and_what_cannot_be_followed_are_refused_before_anything_is_asked() {
    let stage = stage_of_a_learner();
    let trainset = QUESTIONS.map(example);
    for (together, kind, message) in [
        (BetterTogether::new(Rc::new(exact)), ErrorKind::Unsupported, "the strategy tunes the weights of a model"),
        (together("p -> w"), ErrorKind::Unsupported, "the strategy tunes the weights of a model"),
        (together(" "), ErrorKind::Input, "strategy cannot be empty"),
        (
            together("p -> gap"),
            ErrorKind::Input,
            "Strategy contains invalid optimizer keys: ['gap']. Valid keys are: ['p', 'gepa', 'labels']",
        ),
        (
            BetterTogether { valset_ratio: 1.0, ..together("p") },
            ErrorKind::Input,
            "valset_ratio must be in range [0, 1), got 1.0",
        ),
    ] {
        let training = Training::new(Rc::new(predict()), &trainset);
        let error = stage.wait(together.compile(&stage.run(), training)).err().unwrap();
        assert_eq!(error.kind(), kind);
        assert!(error.message().starts_with(message), "{error}");
        assert_eq!(kind == ErrorKind::Unsupported, error.hint().is_some());
    }
    let error = stage.wait(together("p").compile(&stage.run(), Training::new(Rc::new(predict()), &[]))).err().unwrap();
    assert_eq!(error.message(), "trainset cannot be empty");
    assert!(stage.model.asked.borrow().is_empty());
}
