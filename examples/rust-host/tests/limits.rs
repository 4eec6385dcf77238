//! The component within the limits of its host: whatever ends a run early is told, leaves nothing half-done, and touches no other
//! session. Needs what `make component` builds.

mod support;

use std::iter::once_with;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use host::exports::lakelet::programs::events::Event;
use host::exports::lakelet::programs::types::{Error, ErrorCode};
use host::{Host, Limits, Outgoing, Session};
use support::{Answer, Endpoint};
use wasmtime::component::ResourceAny;
use wasmtime::{Result, Trap};

const DOCUMENT: &str = include_str!("../../checked_answer.json");
const INPUTS: &str = r#"{"question": "Why is the sky blue?"}"#;
const ANSWER: &str = "Rayleigh scattering";
const OUTCOME: &str = r#"{"answer":"Rayleigh scattering"}"#;

const TIME_IS_UP: &str = "the session's time is up";
const SMALL: Limits = Limits { time: Duration::from_secs(300), memory: 16 << 20, fuel: u64::MAX };

static HOST: LazyLock<Host> = LazyLock::new(|| {
    Host::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../build/component/lakelet.component.wasm"))
        .expect("the component")
});

/// A session of an endpoint, ready to run the document.
async fn session(endpoint: &Endpoint, limits: Limits) -> Result<(Session, ResourceAny, ResourceAny)> {
    let mut session = HOST.session(&environment(endpoint), Outgoing(vec![endpoint.origin.clone()]), limits).await?;
    let program = session.load(DOCUMENT, None).await?;
    let workspace = session.workspace().await?;
    Ok((session, program, workspace))
}

fn environment(endpoint: &Endpoint) -> [(String, String); 3] {
    [("DATABRICKS_HOST", &*endpoint.origin), ("DATABRICKS_TOKEN", "t"), ("LAKELET_CHAT_ENDPOINT", "m")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

async fn run(endpoint: &Endpoint, limits: Limits) -> Result<String> {
    let (mut session, program, workspace) = session(endpoint, limits).await?;
    Ok(session.run(program, workspace, INPUTS).await?.fields)
}

/// The events up to the end or to the error, and the error.
async fn events(endpoint: &Endpoint, limits: Limits) -> (Vec<Event>, Result<()>) {
    let mut events = Vec::new();
    let ended = async {
        let (mut session, program, workspace) = session(endpoint, limits).await?;
        let stream = session.start(program, workspace, INPUTS).await?;
        while let Some(event) = session.next(stream).await? {
            events.push(event);
        }
        Ok(())
    };
    let ended = ended.await;
    (events, ended)
}

fn plan() -> Answer {
    Answer::Whole("[[ ## topic ## ]]\nsky\n\n[[ ## keywords ## ]]\n[\"blue\"]\n\n[[ ## completed ## ]]\n".to_owned())
}

/// This the first time, then the whole plan.
fn once(part: impl Script) -> impl Script {
    let first = AtomicBool::new(true);
    move || if first.swap(false, Ordering::Relaxed) { part() } else { plan() }
}

fn answer(text: &str) -> String {
    format!("[[ ## reasoning ## ]]\nLight.\n\n[[ ## answer ## ]]\n{text}\n\n[[ ## completed ## ]]\n")
}

/// An endpoint for the three steps of the document.
fn endpoint(planned: impl Script, answered: impl Script, checked: impl Script) -> Endpoint {
    Endpoint::new(move |asked| match asked {
        _ if asked.contains("`[[ ## topic ## ]]`") => planned(),
        _ if asked.contains("`[[ ## is_safe ## ]]`") => checked(),
        _ => answered(),
    })
}

trait Script: Fn() -> Answer + Send + Sync + 'static {}
impl<T: Fn() -> Answer + Send + Sync + 'static> Script for T {}

fn good() -> Endpoint {
    endpoint(plan, || Answer::Whole(answer(ANSWER)), approved)
}

fn approved() -> Answer {
    Answer::Whole("[[ ## is_safe ## ]]\nTrue\n\n[[ ## completed ## ]]\n".to_owned())
}

/// Nothing of an answer that no check has approved.
fn withheld(events: &[Event]) -> bool {
    !format!("{events:?}").contains(ANSWER)
        && !events.iter().any(|event| match event {
            Event::Text(text) => text.step != "plan",
            Event::Value(value) | Event::Partial(value) => value.step != "plan",
            Event::Outcome(_) => true,
            _ => false,
        })
}

fn code(ended: &Result<impl Sized>) -> Option<ErrorCode> {
    ended.as_ref().err().and_then(|error| error.downcast_ref::<Error>()).map(|error| error.code)
}

/// A slow machine needs more time than a fast one to get as far as a test wants.
fn longer_and_longer() -> impl Iterator<Item = Limits> {
    let times = (0..12).map(|doublings| Limits { time: Duration::from_millis(50 << doublings), ..Limits::default() });
    times.chain(once_with(|| panic!("the test does not get as far as it should")))
}

#[tokio::test]
async fn a_run_within_its_limits_gives_the_answer() -> Result<()> {
    let endpoint = good();
    assert_eq!(run(&endpoint, Limits::default()).await?, OUTCOME);
    let (events, ended) = events(&endpoint, Limits::default()).await;
    ended?;
    assert!(matches!(events.last(), Some(Event::Outcome(outcome)) if outcome.fields == OUTCOME));
    Ok(())
}

/// From too little to load the document, to just enough: every end is either a trap or the whole answer.
#[tokio::test]
async fn fuel_that_runs_out_is_a_trap() -> Result<()> {
    let endpoint = good();
    let mut cut = 0;
    for fuel in (0..).map(|doublings| 100_000 << doublings) {
        let (events, ended) = events(&endpoint, Limits { fuel, ..Limits::default() }).await;
        let Err(error) = ended else {
            assert!(matches!(events.last(), Some(Event::Outcome(_))));
            break;
        };
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::OutOfFuel), "{error:?}");
        assert!(withheld(&events), "{events:?}");
        cut += 1;
    }
    assert!(cut > 3, "only {cut} runs were cut off");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn time_that_is_up_aborts_a_run_that_waits() -> Result<()> {
    let endpoint = endpoint(plan, || Answer::Stalled(answer(ANSWER)), approved);
    for limits in longer_and_longer() {
        let error = run(&endpoint, limits).await.expect_err("no answer comes");
        assert_eq!(error.to_string(), TIME_IS_UP);
        if endpoint.stalled_and_was_left() {
            break;
        }
    }
    run(&good(), Limits::default()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn time_that_is_up_aborts_a_stream_and_leaks_nothing() {
    let endpoint =
        endpoint(plan, || Answer::Whole(answer(ANSWER)), || Answer::Stalled("[[ ## is_safe ## ]]\nTrue".to_owned()));
    for limits in longer_and_longer() {
        let (events, ended) = events(&endpoint, limits).await;
        assert_eq!(ended.expect_err("the check does not end").to_string(), TIME_IS_UP);
        assert!(withheld(&events), "{events:?}");
        if endpoint.stalled_and_was_left() {
            assert!(
                events.iter().any(|event| matches!(event, Event::Value(value) if value.field == "topic")),
                "{events:?}"
            );
            break;
        }
    }
}

/// No request is out when the time is up: the epoch makes the guest let go of the thread.
#[tokio::test]
async fn time_that_is_up_ends_a_guest_that_computes() {
    let (endpoint, document) = (good(), DOCUMENT.replace("Decide", &"Decide ".repeat(4 << 20)));
    for limits in longer_and_longer() {
        let Ok((mut session, ..)) = session(&endpoint, limits).await else { continue };
        let error = session.load(&document, None).await.expect_err("there is not enough time");
        assert_eq!(error.to_string(), TIME_IS_UP);
        assert!(session.load(DOCUMENT, None).await.is_err(), "a session whose time is up must not be used again");
        break;
    }
}

#[tokio::test]
async fn a_document_larger_than_the_memory_is_a_trap() -> Result<()> {
    let (mut session, ..) = session(&good(), SMALL).await?;
    let error = session.load(&" ".repeat(64 << 20), None).await.expect_err("there is not enough memory");
    assert!(format!("{error:#}").contains("growing memory"), "{error:#}");
    assert!(session.load(DOCUMENT, None).await.is_err(), "a trapped session must not be used again");
    run(&good(), SMALL).await?;
    Ok(())
}

#[tokio::test]
async fn a_reply_larger_than_the_memory_is_a_trap() -> Result<()> {
    let endpoint = endpoint(plan, || Answer::Whole(answer(&ANSWER.repeat(4 << 20))), approved);
    let error = run(&endpoint, SMALL).await.expect_err("there is not enough memory");
    assert!(format!("{error:#}").contains("growing memory"), "{error:#}");
    let (events, ended) = events(&endpoint, SMALL).await;
    assert!(format!("{:#}", ended.expect_err("there is not enough memory")).contains("growing memory"));
    assert!(withheld(&events));
    run(&good(), SMALL).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_let_go_aborts_its_request_and_leaves_the_session_well() -> Result<()> {
    let part = || Answer::Stalled("[[ ## topic ## ]]\nsky\n\n[[ ## keywords ## ]]\n".to_owned());
    let endpoint = endpoint(once(part), || Answer::Whole(answer(ANSWER)), approved);
    let (mut session, program, workspace) = session(&endpoint, Limits::default()).await?;
    let stream = session.start(program, workspace, INPUTS).await?;
    while !matches!(session.next(stream).await?, Some(Event::Text(_))) {}
    session.release(stream).await?;
    assert!(endpoint.stalled_and_was_left());
    assert_eq!(session.run(program, workspace, INPUTS).await?.fields, OUTCOME);
    Ok(())
}

#[tokio::test]
async fn a_request_that_the_host_forbids_is_an_error_at_once() -> Result<()> {
    let endpoint = good();
    let mut session = HOST.session(&environment(&endpoint), Outgoing(Vec::new()), Limits::default()).await?;
    let (program, workspace) = (session.load(DOCUMENT, None).await?, session.workspace().await?);
    let refused = session.run(program, workspace, INPUTS).await;
    assert_eq!(code(&refused), Some(ErrorCode::Config));
    assert_eq!(endpoint.saw(), []);
    Ok(())
}

/// It is asked for again, and what was told of the part is taken back.
#[tokio::test]
async fn an_answer_that_breaks_off_does_not_pass_for_the_whole() -> Result<()> {
    let part = || Answer::Torn("[[ ## topic ## ]]\nsky\n\n[[ ## keywords ## ]]\n[\"blu".to_owned());
    let endpoint = endpoint(once(part), || Answer::Whole(answer(ANSWER)), approved);
    let (events, ended) = events(&endpoint, Limits::default()).await;
    ended?;
    let retracted = events.iter().position(|event| matches!(event, Event::Retracted(cut) if cut.step == "plan"));
    let whole = events.iter().position(|event| matches!(event, Event::Value(value) if value.field == "keywords"));
    assert!(retracted.is_some() && retracted < whole, "{events:?}");
    assert!(matches!(events.last(), Some(Event::Outcome(outcome)) if outcome.fields == OUTCOME));
    Ok(())
}
