//! Agents: `ReAct` and `ReActV2`.

use std::rc::Rc;

use lakelet::lm::Capabilities;
use lakelet::module::{ReAct, ReActV2};
use lakelet::time::Clock;
use lakelet::tool::{Tool, ToolSpec};
use lakelet::value::Map;
use lakelet::{Error, ErrorKind, Example, Module, Signature, Value};
use serde_json::json;

use super::support::Stage;
use super::support::script::chat;

tests![
    a_failing_tool_is_an_observation,
    a_deadline_ends_an_agent_while_a_tool_works,
    turns_become_a_conversation_that_goes_on,
    an_agent_that_does_not_submit_is_made_to,
    names_that_an_agent_needs_are_refused,
];

fn signature() -> Signature {
    Signature::parse("question -> answer").unwrap()
}

fn question() -> Example {
    Example::new().with("question", "How warm?")
}

/// A thermometer that takes a second, and that knows one city.
fn thermometer(stage: &Stage) -> Rc<dyn Tool> {
    let args = json!({"city": {"type": "string"}}).as_object().cloned().unwrap();
    let clock = Rc::clone(&stage.clock);
    ToolSpec::new("temperature", "How warm it is.", args).does(move |args: Map| {
        let second = clock.sleep(1000.0);
        async move {
            second.await;
            match args.get("city").and_then(Value::as_str) {
                Some("Oslo") => Ok(21.into()),
                _ => Err(Error::new(ErrorKind::NotFound, "no such city").with_hint("ask for Oslo")),
            }
        }
    })
}

fn choice(tool: &str, args: &str) -> lakelet::Result<String> {
    Ok(chat(&[("next_thought", "hm"), ("next_tool_name", tool), ("next_tool_args", args)]))
}

fn calls(calls: &str) -> lakelet::Result<String> {
    Ok(chat(&[("next_thought", "hm"), ("tool_calls", calls)]))
}

fn a_failing_tool_is_an_observation() {
    let stage = Stage::new();
    let choices = vec![
        choice("temperature", r#"{"city": "Rome"}"#),
        choice("temperature", r#"{"town": "Oslo"}"#),
        choice("temperature", r#"{"city": "Oslo"}"#),
        choice("finish", "{}"),
    ];
    stage.model.when_in_turn("next_tool_name", 5.0, choices);
    stage.model.when("", 5.0, &chat(&[("reasoning", "r"), ("answer", "21")]));
    let agent = ReAct::new(&signature(), vec![thermometer(&stage)]).unwrap();
    let run = stage.run();
    let prediction = stage.wait(agent.call(&run, question())).unwrap();
    assert_eq!(prediction.usage.total_tokens, 75);
    let Some(Value::Dict(trajectory)) = prediction.get("trajectory") else { panic!("{prediction:?}") };
    let observations: Vec<_> = (0..4).map(|turn| trajectory[&format!("observation_{turn}")].clone()).collect();
    let expected: [Value; 4] = [
        "Execution error in temperature: no such city\nhint: ask for Oslo".into(),
        "Execution error in temperature: Arg town is not in the tool's args.\nhint: did you mean `city`?".into(),
        21.into(),
        "Completed.".into(),
    ];
    assert_eq!(observations[0], expected[0]);
    assert!(observations[1].as_str().unwrap().starts_with("Execution error in temperature: Arg town is not in"));
    assert_eq!(observations[2..], expected[2..]);
    let spans: Vec<_> = run.spans().iter().map(|span| (span.name.to_string(), span.kind, span.parent)).collect();
    let span = |name: &str, kind| (name.to_owned(), kind, Some(0));
    assert_eq!(spans[0], ("react".to_owned(), "react", None));
    assert_eq!(spans[1..3], [span("react", "predict"), span("temperature", "tool")]);
    assert_eq!(spans.last(), Some(&span("extract", "chain_of_thought")));
    assert_eq!(run.trace().len(), 5);
}

fn a_deadline_ends_an_agent_while_a_tool_works() {
    let stage = Stage::new();
    stage.model.when("next_tool_name", 5.0, &choice("temperature", r#"{"city": "Oslo"}"#).unwrap());
    let agent = ReAct::new(&signature(), vec![thermometer(&stage)]).unwrap();
    let error = stage.wait(agent.call(&stage.run().within_ms(100.0), question())).unwrap_err();
    assert_eq!((error.kind(), stage.clock.now_ms()), (ErrorKind::Deadline, 100.0));
}

fn turns_become_a_conversation_that_goes_on() {
    let stage = Stage::new();
    stage.model.capabilities.set(Capabilities::default());
    let replies = vec![
        calls(r#"[{"name": "temperature", "args": {"city": "Oslo"}}, {"name": "nope", "args": {}}]"#),
        calls(r#"[{"name": "submit", "args": {}}]"#),
        calls(r#"[{"name": "submit", "args": {"answer": "21", "more": 1}}]"#),
        calls(r#"[{"name": "submit", "args": {"answer": "again"}}]"#),
    ];
    stage.model.when_in_turn("", 5.0, replies);
    let agent = ReActV2::new(&signature(), vec![thermometer(&stage)]).unwrap();
    let prediction = stage.wait(agent.call(&stage.run(), question())).unwrap();
    let told = |name: &str| prediction.get(name).and_then(Value::as_str);
    assert_eq!((told("answer"), told("termination_reason")), (Some("21"), Some("submit")));
    let asked = stage.model.asked.borrow()[2].text();
    for part in [
        r#"{"call_id": "call_0_0", "name": "temperature", "value": 21, "is_error": false}"#,
        r#"{"call_id": "call_0_1", "name": "nope", "value": "Unknown tool: nope", "is_error": true}"#,
        "Execution error in submit: Missing required final output field(s): answer",
    ] {
        assert!(asked.contains(part), "{part}\n{asked}");
    }

    let more = Example::new().with("question", "And now?").with("history", prediction.fields["history"].clone());
    let prediction = stage.wait(agent.call(&stage.run(), more)).unwrap();
    assert_eq!(prediction.get("answer").and_then(Value::as_str), Some("again"));
    let asked = stage.model.asked.borrow()[3].text();
    assert!(asked.contains("How warm?") && asked.contains("And now?") && asked.contains("\"call_0_0\""));
}

fn an_agent_that_does_not_submit_is_made_to() {
    let stage = Stage::new();
    let replies = vec![calls("[]"), calls(r#"[{"name": "temperature", "args": {}}]"#)];
    stage.model.when_in_turn("", 5.0, replies);
    let agent = ReActV2::new(&signature(), vec![thermometer(&stage)]).unwrap();
    let error = stage.wait(agent.call(&stage.run(), question())).unwrap_err();
    let message = "ReActV2 failed to produce final outputs after empty_tool_calls: no submit call.";
    assert_eq!((error.message(), error.python_class()), (message, Some("ValueError")));
}

fn names_that_an_agent_needs_are_refused() {
    let refused = |signature: &str| ReActV2::new(&Signature::parse(signature).unwrap(), Vec::new()).err().unwrap();
    assert!(
        refused("q -> history, termination_reason, a")
            .message()
            .starts_with("Output field name(s) `history`, `termination_reason` are reserved by ReActV2")
    );
    assert!(refused("tools, q -> a").message().starts_with("Input field name(s) `tools` are reserved by ReActV2"));
    let submit = ToolSpec::new("submit", "", Default::default()).does(|_| async { Ok(Value::None) });
    let error = ReActV2::new(&signature(), vec![submit]).err().unwrap();
    assert_eq!(error.message(), "`submit` is reserved by ReActV2 as the final-output tool.");
}
