//! Runs a program in Lakelet's component, and prints its events as they happen.
//!
//! ```text
//! export DATABRICKS_HOST=https://... DATABRICKS_TOKEN=... LAKELET_CHAT_ENDPOINT=...
//! cargo run --release -- lakelet.component.wasm ../checked_answer.json '{"question": "Why is the sky blue?"}' [state.json]
//! ```
//!
//! `state.json` is what DSPy's `program.save("state.json")` wrote.

use std::fs::read_to_string;

use host::exports::lakelet::programs::events::{Event, Status};
use host::{Host, Limits, Outgoing};
use serde_json::Value as Json;
use wasmtime::{Result, bail};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (component, document, inputs, state) = match &arguments[..] {
        [component, document, inputs] => (component, document, inputs, None),
        [component, document, inputs, state] => (component, document, inputs, Some(read_to_string(state)?)),
        _ => bail!("give the component, the document, the inputs as JSON and, if there is one, the state"),
    };
    let environment: Vec<(String, String)> =
        std::env::vars().filter(|(name, _)| name.starts_with("DATABRICKS_") || name.starts_with("LAKELET_")).collect();
    let outgoing = Outgoing(std::env::var("DATABRICKS_HOST").into_iter().collect());

    let host = Host::new(component)?;
    let mut session = host.session(&environment, outgoing, Limits::default()).await?;
    let program = session.load(&read_to_string(document)?, state.as_deref()).await?;
    let workspace = session.workspace().await?;
    let stream = session.start(program, workspace, inputs).await?;
    while let Some(event) = session.next(stream).await? {
        if let Some(told) = line(&event) {
            println!("{told}");
        }
    }
    Ok(())
}

/// An event in words.
fn line(event: &Event) -> Option<String> {
    Some(match event {
        Event::Started(e) => format!("{} started", e.step),
        Event::Stage(_) => return None,
        Event::Text(e) => format!("{}.{} + {}", e.step, e.field, Json::from(e.text.as_str())),
        Event::Partial(e) | Event::Value(e) => format!("{}.{} = {}", e.step, e.field, e.value),
        Event::Retracted(e) => format!("{} begins again", e.step),
        Event::Warning(e) => format!("{} warns: {}", e.step, e.message),
        Event::Finished(span) => format!("{} {}", span.name, word(&span.status)),
        Event::Outcome(e) => format!("outcome {}", e.fields),
    })
}

fn word(status: &Status) -> &'static str {
    match status {
        Status::Running => "running",
        Status::Done => "done",
        Status::Failed(_) => "failed",
        Status::Cancelled => "cancelled",
    }
}
