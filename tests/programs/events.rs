//! What is told while a program runs, and what is not told yet.

use std::rc::Rc;

use lakelet::run::{Event, Gate, Run, StatusMessages, with_status};
use lakelet::screen::{Rule, Rules};
use lakelet::value::Map;
use lakelet::{Example, Module, Predict, Signature};

use super::support::Stage;

tests![
    every_stage_of_every_model_call_is_told,
    a_closed_gate_keeps_stages_and_drops_what_is_half_written,
    status_messages_follow_what_they_are_about,
    what_was_told_of_a_reply_that_was_cut_is_taken_back,
];

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
            Event::Retracted { .. } => "retracted".to_owned(),
            Event::Status(message) => message.clone(),
        })
        .collect()
}

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

/// Everything that was told of texts, as a reader puts it together.
fn read(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        match event {
            Event::Text { text: piece, .. } => text.push_str(piece),
            Event::Retracted { .. } => text.clear(),
            _ => {}
        }
    }
    text
}

fn what_was_told_of_a_reply_that_was_cut_is_taken_back() {
    let answer = "One sentence that is long enough. Another one, which ends the answer.";
    let reply = format!("[[ ## answer ## ]]\n{answer}\n\n[[ ## completed ## ]]");
    let predict = Predict::new(Signature::parse("question -> answer").unwrap());
    let retractions = |events: &[Event]| events.iter().filter(|e| matches!(e, Event::Retracted { .. })).count();
    let rules = || Some(Rc::new(Rules::new(&[Rule::Email])));
    for (rules, open, held_outside) in
        [(None, true, false), (rules(), true, false), (rules(), false, false), (None, true, true)]
    {
        let stage = Stage::new();
        stage.model.when("", 1.0, &reply);
        stage.model.cut_after.set(Some(9));
        let run = stage.watched();
        let outer = Gate::inside(run.gate(), !held_outside, None);
        let gate = Gate::inside(&outer, open, rules);
        let outputs =
            stage.wait(predict.call(&run.clone().behind(&gate), Example::new().with("question", "?"))).unwrap();
        assert_eq!(outputs.fields["answer"].as_str(), Some(answer));
        // Whoever saw nothing of it is told nothing.
        let shown = open && !held_outside;
        assert_eq!(retractions(&stage.events.borrow()), usize::from(shown));
        gate.release();
        outer.release();
        assert_eq!(read(&stage.events.borrow()), answer);
        assert_eq!(retractions(&stage.events.borrow()), usize::from(shown));
    }
}
