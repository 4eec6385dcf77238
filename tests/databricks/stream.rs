//! Streamed chat answers.

use futures::StreamExt;
use lakelet::lm::{Delta, Gathered, LanguageModel, Usage};
use lakelet::{ErrorKind, Result};
use serde_json::{Value as Json, json};

use crate::{Answer, LLAMA, TestHost, hi, says, workspace};

fn frames(chunks: &[Json], done: bool) -> String {
    let mut text: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    if done {
        text.push_str("data: [DONE]\n\n");
    }
    text
}

fn chunk(delta: Json, finish_reason: Json) -> Json {
    json!({"model": "llama-v1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})
}

fn text(text: &str) -> Json {
    chunk(json!({"content": text}), json!(null))
}

fn stop() -> Json {
    chunk(json!({}), json!("stop"))
}

fn with_usage(mut chunk: Json, completion_tokens: u64) -> Json {
    chunk["usage"] =
        json!({"prompt_tokens": 3, "completion_tokens": completion_tokens, "total_tokens": 3 + completion_tokens});
    chunk
}

/// What comes of this answer, however often it is asked for.
fn stream(answer: Answer) -> Vec<Result<Delta>> {
    let host = TestHost::new(std::iter::repeat_n(answer, 7));
    host.run(workspace(&host).chat(LLAMA).unwrap().stream(hi()).collect())
}

/// All deltas in one; the error that ended them, if any.
fn gather(deltas: Vec<Result<Delta>>) -> (Delta, Option<lakelet::Error>) {
    let mut all = Delta::default();
    for delta in deltas {
        let delta = match delta {
            Ok(delta) => delta,
            Err(error) => return (all, Some(error)),
        };
        if delta.begins_anew {
            all = Delta::default();
        }
        all.text.push_str(&delta.text);
        all.reasoning.push_str(&delta.reasoning);
        all.finish_reason = delta.finish_reason.or(all.finish_reason);
        assert!(all.usage.is_none(), "usage comes once, at the end");
        all.usage = delta.usage;
        all.model = delta.model.or(all.model);
    }
    (all, None)
}

#[test]
fn any_cut_of_the_bytes_gives_the_same_answer() {
    let body = frames(&[text("Grüße "), text("aus 東京 🗼"), with_usage(stop(), 5)], true).replace('\n', "\r\n");
    let body = format!(": connected\r\n\r\n{body}");
    for size in 1..body.len() {
        let (all, error) = gather(stream(Answer::new(200, &body).cut(size)));
        assert!(error.is_none(), "{error:?}");
        assert_eq!(all.text, "Grüße aus 東京 🗼");
        assert_eq!(all.finish_reason.as_deref(), Some("stop"));
        assert_eq!(all.model.as_deref(), Some("llama-v1"));
        assert_eq!(all.usage.unwrap().completion_tokens, 5);
    }
}

#[test]
fn usage_is_told_once_wherever_it_came() {
    let told = |tokens| {
        Some(Usage { prompt_tokens: 3, completion_tokens: tokens, total_tokens: 3 + tokens, ..Usage::default() })
    };
    let trailing = with_usage(json!({"choices": []}), 2);
    for (chunks, usage) in [
        (vec![with_usage(text("a"), 1), with_usage(text("b"), 2), with_usage(stop(), 2)], told(2)),
        (vec![text("a"), text("b"), with_usage(stop(), 2)], told(2)),
        (vec![text("a"), text("b"), stop(), trailing], told(2)),
        (vec![text("a"), text("b"), stop()], None),
    ] {
        let (all, error) = gather(stream(Answer::new(200, frames(&chunks, true))));
        assert!(error.is_none());
        assert_eq!((all.text.as_str(), all.usage), ("ab", usage));
    }
}

#[test]
fn odd_chunks_are_passed_over() {
    let chunks = [
        json!({"choices": [], "prompt_filter_results": []}),
        chunk(json!({"role": "assistant", "content": null}), json!(null)),
        json!({"choices": [{"index": 0, "delta": null}]}),
        json!({"choices": [{}]}),
        json!({"note": "no choices at all"}),
        json!({"choices": [{"index": 1, "delta": {"content": "another completion"}}]}),
        chunk(
            json!({"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}]}),
            json!(null),
        ),
        chunk(json!({"reasoning_content": "m."}), json!("")),
        chunk(json!({"content": [{"type": "text", "text": "He"}]}), json!(null)),
        text("llo"),
        chunk(json!({}), json!("length")),
    ];
    let (all, error) = gather(stream(Answer::new(200, frames(&chunks, true))));
    assert!(error.is_none(), "{error:?}");
    assert_eq!((all.text.as_str(), all.reasoning.as_str()), ("Hello", "Hmm."));
    assert_eq!(all.finish_reason.as_deref(), Some("length"));
}

#[test]
fn data_in_several_lines_and_a_last_line_without_end_are_read() {
    let (all, error) = gather(stream(Answer::new(
        200,
        "event: x\nid: 1\ndata: {\"choices\":\ndata: [{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]",
    )));
    assert!(error.is_none(), "{error:?}");
    assert_eq!(all.text, "a");
}

#[test]
fn a_stream_that_ends_before_the_model_was_done_is_an_error() {
    let cut = |bytes: usize| {
        let body = frames(&[text("Hello"), text(" world"), stop()], true);
        Answer::new(200, &body[..body.len() - bytes])
    };
    let half_a_frame =
        Answer::new(200, r#"data: {"choices":[{"delta":{"content":"Hello world"}}]}"#.to_owned() + "\n\ndata: {\"choi");
    let broken = Answer::new(200, frames(&[text("Hello"), text(" world")], false)).broken();
    for answer in [Answer::new(200, frames(&[text("Hello"), text(" world")], false)), half_a_frame, broken, cut(100)] {
        let (all, error) = gather(stream(answer));
        let error = error.unwrap();
        assert!("Hello world".starts_with(&all.text) && !all.text.is_empty(), "{all:?}");
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.is_retryable() && error.hint().unwrap().contains("Ask again"));
        assert!(error.message().contains("ended too early"), "{error}");
    }
    // The model said that it was done; only the closing mark is missing.
    let (all, error) = gather(stream(Answer::new(200, frames(&[text("Hello"), with_usage(stop(), 1)], false))));
    assert!(error.is_none());
    assert_eq!(all.usage.unwrap().completion_tokens, 1);
    let whole = frames(&[text("Hello"), stop()], false);
    let (all, error) = gather(stream(Answer::new(200, whole.trim_end())));
    assert!(error.is_none(), "the last frame is whole without its blank line");
    assert_eq!(all.finish_reason.as_deref(), Some("stop"));
}

#[test]
fn an_answer_that_is_no_stream_is_read_whole_or_told() {
    for size in [7, 1000] {
        let (all, error) = gather(stream(says("Hello!").cut(size)));
        assert!(error.is_none(), "{error:?}");
        assert_eq!((all.text.as_str(), all.finish_reason.as_deref()), ("Hello!", Some("stop")));
        assert_eq!(all.usage.unwrap().total_tokens, 19);
    }
    for (body, says) in
        [("<html>Log in</html>", "a page of HTML"), ("", "ended too early"), ("data: {\"ch", "ended too early")]
    {
        let (_, error) = gather(stream(Answer::new(200, body)));
        assert_eq!(error.as_ref().unwrap().kind(), ErrorKind::Protocol);
        assert!(error.unwrap().message().contains(says), "{body}");
    }
}

#[test]
fn errors_in_the_stream_are_errors() {
    for (frame, kind, says) in [
        (json!({"error_code": "BAD_REQUEST", "message": "Guardrail pii."}), ErrorKind::BadRequest, "Guardrail pii."),
        (json!({"error": {"message": "Overloaded", "code": 500}}), ErrorKind::Server, "Overloaded"),
        (json!({"error": "something broke"}), ErrorKind::Server, "something broke"),
    ] {
        let body = frames(&[text("Hello"), frame], true);
        let (all, error) = gather(stream(Answer::new(200, body)));
        let error = error.unwrap();
        assert_eq!((all.text.as_str(), error.kind()), ("Hello", kind));
        assert!(error.message().contains(says), "{error}");
    }
    let (_, error) = gather(stream(Answer::new(200, "data: {nonsense}\n\n")));
    assert_eq!(error.unwrap().kind(), ErrorKind::Protocol);
}

#[test]
fn a_stream_that_breaks_is_tried_again_and_says_so_when_something_had_come_of_it() {
    let busy = json!({"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "busy"});
    let role = chunk(json!({"role": "assistant", "content": ""}), json!(null));
    let good = || Answer::new(200, frames(&[text("Hello"), stop()], true));

    let host = TestHost::new([Answer::new(200, frames(&[role, busy.clone()], false)), Answer::new(503, ""), good()]);
    let (all, error) = gather(host.run(workspace(&host).chat(LLAMA).unwrap().stream(hi()).collect()));
    assert!(error.is_none(), "{error:?}");
    assert_eq!((all.text.as_str(), host.requests().len()), ("Hello", 3));

    // Chance is one half: waits of 375 and 750 ms.
    let cut = Answer::new(200, frames(&[text("He"), text("lp")], false)).broken();
    let host = TestHost::new([Answer::new(200, frames(&[text("Hel"), busy], false)), cut, good()]);
    let deltas: Vec<_> = host.run(workspace(&host).chat(LLAMA).unwrap().stream(hi()).collect());
    let pieces: Vec<_> = deltas.iter().map(|delta| delta.as_ref().unwrap()).collect();
    let told = |delta: &&&Delta| delta.finish_reason.is_none();
    let told: Vec<_> = pieces.iter().filter(told).map(|delta| (delta.begins_anew, delta.text.as_str())).collect();
    let anew = (true, "");
    assert_eq!(told, [(false, "Hel"), anew, (false, "He"), (false, "lp"), anew, (false, "Hello")]);
    assert_eq!((host.requests().len(), host.now()), (3, 1125.0));
}

#[test]
fn a_dropped_stream_aborts_its_request() {
    let host = TestHost::new([Answer::new(200, frames(&[text("Hello"), text(" world"), stop()], true)).cut(60)]);
    let mut stream = workspace(&host).chat(LLAMA).unwrap().stream(hi());
    assert_eq!(host.aborted(), 0);
    let first = host.run(async move { stream.next().await.unwrap() }).unwrap();
    assert_eq!(first.text, "Hello");
    assert_eq!((host.aborted(), host.timers()), (1, 0));
}

#[test]
fn a_stream_that_has_ended_leaves_its_connection_to_the_next_call() {
    let body = frames(&[text("Hello"), stop()], true);
    let late = Answer::new(200, format!("{body}: bye")).cut(body.len()).each_piece_after(1000.0);
    // What comes long after the end of the answer is not waited for.
    for (answer, now, aborted) in [(Answer::new(200, &body).cut(10), 0.0, 0), (late, 1050.0, 1)] {
        let host = TestHost::new([answer]);
        let (all, error) = gather(host.run(workspace(&host).chat(LLAMA).unwrap().stream(hi()).collect()));
        assert!(error.is_none() && all.text == "Hello");
        assert_eq!((host.now(), host.aborted(), host.timers()), (now, aborted, 0));
    }
}

#[test]
fn several_completions_cannot_be_streamed() {
    let host = TestHost::new([]);
    let model = workspace(&host).chat(LLAMA).unwrap().with_option("n", json!(2));
    let error = host.run(model.stream(hi()).collect::<Vec<_>>()).remove(0).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Unsupported, Some("n")));
}

#[test]
fn tool_calls_come_in_pieces() {
    let piece = |call: Json| chunk(json!({"tool_calls": [call]}), json!(null));
    let chunks = [
        piece(json!({"index": 0, "id": "c1", "type": "function", "function": {"name": "search", "arguments": ""}})),
        piece(json!({"index": 0, "function": {"arguments": "{\"query\""}})),
        piece(json!({"index": 0, "function": {"arguments": ": 1}"}})),
        chunk(json!({}), json!("tool_calls")),
    ];
    let mut gathered = Gathered::default();
    for delta in stream(Answer::new(200, frames(&chunks, true))) {
        gathered.push(&delta.unwrap());
    }
    let completion = gathered.finish().completions.remove(0);
    let function = json!({"name": "search", "arguments": "{\"query\": 1}"});
    assert_eq!(completion.tool_calls, [json!({"id": "c1", "type": "function", "function": function})]);
    assert_eq!((completion.text, completion.finish_reason.as_deref()), (None, Some("tool_calls")));
}
