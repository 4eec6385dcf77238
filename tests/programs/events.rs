//! What is told while a program runs, and what is not told yet.

use std::rc::Rc;

use lakelet::run::{Event, Gate, Run, StatusMessages, with_status};
use lakelet::screen::{Rule, Rules};
use lakelet::value::Map;
use lakelet::{Example, Module, Predict, Signature};

use crate::support::Stage;

fn tags() -> (Predict, Example) {
    (Predict::new(Signature::parse("text -> tags: list[str]").unwrap()), Example::new().with("text", "x"))
}

/// Events by kind, with what tells them apart.
fn kinds(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .map(|event| match event {
            Event::Started { step, parent, .. } => format!("started {step} in {parent:?}"),
            Event::Stage { call, stage, progress, name, .. } => {
                format!("{call} {} {} {name}", stage.as_str(), progress.as_str())
            }
            Event::Text { .. } => "text".to_owned(),
            Event::Partial { .. } => "partial".to_owned(),
            Event::Value { .. } => "value".to_owned(),
            Event::Finished(span) => format!("finished {}", span.name),
            Event::Result { .. } => "result".to_owned(),
            Event::Warning { .. } => "warning".to_owned(),
            Event::Status(message) => message.clone(),
        })
        .collect()
}

#[test]
fn every_stage_of_every_model_call_is_told() {
    let stage = Stage::new();
    let replies = ["no header", "{\"tags\": [\"a\", \"b\"]}"].map(|reply| Ok(reply.to_owned()));
    stage.model.when_in_turn("", 1.0, replies.to_vec());
    let (predict, inputs) = tags();
    let run = stage.watched();
    let span = run.open_span("best_of_n");
    stage.wait(predict.call(&run.inside(&span), inputs)).unwrap();
    let mut told = kinds(&stage.events.borrow());
    told.retain(|kind| kind != "partial" && kind != "warning");
    assert_eq!(
        told,
        [
            "started best_of_n in None",
            "started predict in Some(0)",
            "0 adapter_format started ChatAdapter",
            "0 adapter_format done ChatAdapter",
            "0 lm started scripted",
            "0 lm done scripted",
            "0 adapter_parse started ChatAdapter",
            "0 adapter_parse failed ChatAdapter",
            "1 adapter_format started JSONAdapter",
            "1 adapter_format done JSONAdapter",
            "1 lm started scripted",
            "value",
            "1 lm done scripted",
            "1 adapter_parse started JSONAdapter",
            "1 adapter_parse done JSONAdapter",
            "finished predict",
        ]
    );
}

#[test]
fn a_closed_gate_keeps_stages_and_drops_what_is_half_written() {
    let reply = "[[ ## tags ## ]]\n[\"one\", \"two\"]\n\n[[ ## completed ## ]]";
    let told = |open: bool, rules: Option<Rc<Rules>>| {
        let stage = Stage::new();
        stage.model.when("", 1.0, reply);
        let (predict, inputs) = tags();
        let run = stage.watched();
        let gate = Gate::inside(run.gate(), open, rules);
        stage.wait(predict.call(&run.behind(&gate), inputs)).unwrap();
        let before = kinds(&stage.events.borrow());
        gate.release();
        let after = kinds(&stage.events.borrow());
        (before, after)
    };
    let (all, _) = told(true, None);
    assert!(all.iter().any(|kind| kind == "partial"), "{all:?}");
    let complete: Vec<_> = all.into_iter().filter(|kind| kind != "partial").collect();
    let (before, after) = told(false, None);
    assert_eq!(before, ["started predict in None"]);
    assert_eq!(after, complete);
    assert_eq!(told(true, Some(Rules::new(&[Rule::Email]).into())).0, complete);
}

struct Words;

impl StatusMessages for Words {
    fn module_end(&self, span: &lakelet::run::Span) -> Option<String> {
        Some(format!("{} is done.", span.name))
    }

    fn lm_start(&self, model: &str) -> Option<String> {
        Some(format!("Asking {model}..."))
    }
}

#[test]
fn status_messages_follow_what_they_are_about() {
    let stage = Stage::new();
    stage.model.when("", 1.0, "[[ ## tags ## ]]\n[]");
    let events = Rc::clone(&stage.events);
    let sink = with_status(Rc::new(move |event| events.borrow_mut().push(event)), Rc::new(Words));
    let run = Run::watched(stage.services(), sink);
    for tool in ["search", "finish"] {
        run.clone().at_step(&tool.into()).open_span("tool").done(Map::new());
    }
    let (predict, inputs) = tags();
    stage.wait(predict.call(&run, inputs)).unwrap();
    let told = kinds(&stage.events.borrow());
    let words: Vec<_> = told.iter().filter(|kind| kind.ends_with('.')).map(String::as_str).collect();
    assert_eq!(
        words,
        [
            "Calling tool search...",
            "Tool calling finished! Querying the LLM with tool calling results...",
            "Asking scripted...",
            "predict is done.",
        ]
    );
    assert_eq!(told.last().map(String::as_str), Some("predict is done."));
}
