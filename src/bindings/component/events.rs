//! Events, spans and usage on their way out.

use super::errors::outward;
use super::wit::events;
use crate::json;
use crate::lm::Usage;
use crate::report;
use crate::run::{Event, ModelCall, Progress, Span, Stage, Status};

/// The event as the caller is told it; messages in words have no case, as no run makes any here.
pub(super) fn event(event: Event) -> Option<events::Event> {
    Some(match event {
        Event::Started { id, parent, step, kind, at_ms } => events::Event::Started(events::Started {
            id: number(id),
            parent: parent.map(number),
            step: step.to_string(),
            kind: kind.to_owned(),
            at_ms,
        }),
        Event::Stage { id, step, call, stage, progress, name, at_ms } => events::Event::Stage(events::StageProgress {
            id: number(id),
            step: step.to_string(),
            call: number(call),
            stage: self::stage(stage),
            progress: self::progress(progress),
            name: name.to_string(),
            at_ms,
        }),
        Event::Text { id, step, field, text } => events::Event::Text(events::FieldText {
            id: number(id),
            step: step.to_string(),
            field: field.to_string(),
            text,
        }),
        Event::Partial { id, step, field, value } => {
            events::Event::Partial(field_value(id, &step, &field, report::value(&value)))
        }
        Event::Value { id, step, field, value } => {
            events::Event::Value(field_value(id, &step, &field, report::value(&value)))
        }
        Event::Retracted { id, step } => {
            events::Event::Retracted(events::Retraction { id: number(id), step: step.to_string() })
        }
        Event::Warning { id, step, message } => {
            events::Event::Warning(events::Warning { id: number(id), step: step.to_string(), message })
        }
        Event::Finished(span) => events::Event::Finished(self::span(&span)),
        Event::Result { fields, stopped_by } => events::Event::Outcome(events::Outcome {
            fields: report::object(&fields),
            stopped_by: stopped_by.as_deref().map(str::to_owned),
        }),
        Event::Status(_) => return None,
    })
}

fn field_value(id: usize, step: &str, field: &str, value: String) -> events::FieldValue {
    events::FieldValue { id: number(id), step: step.to_owned(), field: field.to_owned(), value }
}

fn stage(stage: Stage) -> events::Stage {
    match stage {
        Stage::Format => events::Stage::Format,
        Stage::Model => events::Stage::Model,
        Stage::Parse => events::Stage::Parse,
    }
}

fn progress(progress: Progress) -> events::Progress {
    match progress {
        Progress::Started => events::Progress::Started,
        Progress::Done => events::Progress::Done,
        Progress::Failed => events::Progress::Failed,
    }
}

pub(super) fn span(span: &Span) -> events::Span {
    events::Span {
        id: number(span.id),
        parent: span.parent.map(number),
        name: span.name.to_string(),
        kind: span.kind.to_owned(),
        start_ms: span.start_ms,
        duration_ms: span.duration_ms,
        inputs: report::object(&span.inputs),
        outputs: report::object(&span.outputs),
        calls: span.calls.iter().map(call).collect(),
        status: match &span.status {
            Status::Running => events::Status::Running,
            Status::Done => events::Status::Done,
            Status::Failed(error) => events::Status::Failed(outward(error.clone())),
            Status::Cancelled => events::Status::Cancelled,
        },
        withheld: span.withheld,
        usage: usage(&span.usage()),
    }
}

fn call(call: &ModelCall) -> events::ModelCall {
    let mut messages = String::new();
    call.prompt.write_json(&mut messages);
    events::ModelCall {
        model: call.model.clone(),
        adapter: call.adapter.to_owned(),
        messages,
        response_format: call.response_format.as_deref().map(str::to_owned),
        options: json::text(&call.options.clone().into()),
        replies: call.replies.clone(),
        usage: usage(&call.usage),
        start_ms: call.start_ms,
        duration_ms: call.duration_ms,
        error: call.error.clone().map(outward),
    }
}

pub(super) fn usage(usage: &Usage) -> events::Usage {
    events::Usage {
        prompt_tokens: usage.prompt_tokens,
        completion_tokens: usage.completion_tokens,
        total_tokens: usage.total_tokens,
        cached_tokens: usage.cached_tokens,
        reasoning_tokens: usage.reasoning_tokens,
    }
}

/// Positions have 32 bits in WebAssembly.
fn number(position: usize) -> u32 {
    position as u32
}
