//! Code that a model writes, and that an interpreter of the host's runs.

use std::rc::Rc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use lakelet::interpreter::CodeInterpreter;
use lakelet::module::ProgramOfThought;
use lakelet::{Error, ErrorKind, Example, Module, Result, Signature, Value};

use super::support::Stage;
use super::support::script::chat;

tests![
    code_that_fails_is_written_again,
    tries_come_to_an_end,
    an_interpreter_that_fails_ends_the_call,
    without_an_interpreter_no_model_is_asked,
];

/// Knows one code, and breaks on another.
struct Calculator;

impl CodeInterpreter for Calculator {
    fn execute<'a>(&'a self, code: &'a str) -> LocalBoxFuture<'a, Result<Value>> {
        let result = match code {
            "SUBMIT(4)" => Ok(4.into()),
            "while True: pass" => Err(Error::new(ErrorKind::Deadline, "it did not end")),
            _ => Err(Error::new(ErrorKind::Code, "NameError: [\"name 'x' is not defined\"]")),
        };
        std::future::ready(result).boxed_local()
    }
}

fn program() -> ProgramOfThought {
    let program = ProgramOfThought::new(&Signature::parse("question -> answer: int").unwrap()).unwrap();
    program.with_interpreter(Rc::new(Calculator))
}

fn question() -> Example {
    Example::new().with("question", "2+2?")
}

/// A model that writes these codes in turn, and answers 4.
fn writing(codes: &[&str]) -> Stage {
    let stage = Stage::new();
    let written = codes.iter().map(|code| Ok(chat(&[("reasoning", "r"), ("generated_code", code)])));
    stage.model.when_in_turn("## generated_code ##", 5.0, written.collect());
    stage.model.when("", 5.0, &chat(&[("reasoning", "r"), ("answer", "4")]));
    stage
}

fn code_that_fails_is_written_again() {
    let stage = writing(&["x", "```python\nSUBMIT(4)\n```"]);
    let run = stage.run();
    let prediction = stage.wait(program().call(&run, question())).unwrap();
    assert_eq!(prediction.get("answer"), Some(&4.into()));
    let spans: Vec<_> = run.spans().iter().map(|span| (span.name.to_string(), span.kind, span.parent)).collect();
    let part = |name: &str| (name.to_owned(), "chain_of_thought", Some(0));
    let whole = ("program_of_thought".to_owned(), "program_of_thought", None);
    assert_eq!(spans, [whole, part("code_generate"), part("code_regenerate"), part("generate_output")]);
    let shown = &run.spans()[2].inputs;
    assert_eq!(shown["previous_code"], "x".into());
    assert_eq!(shown["error"], "NameError: [\"name 'x' is not defined\"]".into());
}

fn tries_come_to_an_end() {
    let stage = writing(&["x", "x"]);
    let mut program = program();
    program.max_iters = 2;
    let error = stage.wait(program.call(&stage.run(), question())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Code);
    assert!(error.message().starts_with("Max hops reached. Failed to run ProgramOfThought: NameError"));
}

fn an_interpreter_that_fails_ends_the_call() {
    let stage = writing(&["while True: pass"]);
    let error = stage.wait(program().call(&stage.run(), question())).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Deadline, "it did not end"));
}

fn without_an_interpreter_no_model_is_asked() {
    let stage = Stage::new();
    let program = ProgramOfThought::new(&Signature::parse("question -> answer").unwrap()).unwrap();
    let run = stage.run();
    let error = stage.wait(program.call(&run, question())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.hint().unwrap().contains("interpreter"));
    assert_eq!(run.spans().len(), 1);
}
