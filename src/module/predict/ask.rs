//! One call of a [`Predict`]: ask, read, and ask once more when the reply cannot be read.

use std::cell::OnceCell;
use std::rc::Rc;

use futures_util::StreamExt;
use serde_json::{Value as Json, json};

use super::{Call, Predict, Prepared};
use crate::adapter::{Adapter, FieldUpdate, News};
use crate::error::{Error, ErrorKind, Reply, Result};
use crate::example::Prediction;
use crate::json;
use crate::lm::{ChatRequest, ChatResponse, Completion, LanguageModel, Usage};
use crate::run::{Event, ModelCall, OpenSpan, Run};
use crate::signature::Signature;
use crate::value::Map;

/// What a reply that was asked for through one adapter came to.
enum Answer {
    Read(Vec<Map>),
    /// The reply could not be read; `shown` when the caller has seen part of it.
    Unread {
        error: Error,
        shown: bool,
    },
}

impl Predict {
    /// Calls the model: with inputs alone, or with a [`Call`] that brings settings of its own. Demos and signature of the
    /// predictor stay rendered unless the call replaces them.
    ///
    /// # Errors
    /// What the adapter or the model fails with, or [`Deadline`](ErrorKind::Deadline).
    pub async fn ask(&self, run: &Run, call: impl Into<Call>) -> Result<Prediction> {
        let mut call = call.into();
        let span = run.open_span(self.kind);
        span.of_predictor(self.id());
        if let Some(hint) = run.hint(self.id()) {
            call.take_hint(self, hint)?;
        }
        match call.varied(self) {
            Some(varied) => varied.ask_as_it_is(run, span, call).await,
            None => self.ask_as_it_is(run, span, call).await,
        }
    }

    async fn ask_as_it_is(&self, run: &Run, span: OpenSpan, mut call: Call) -> Result<Prediction> {
        let inputs = &mut call.inputs;
        for field in self.signature.inputs() {
            if let Some(default) = &field.default
                && !inputs.fields.contains_key(&field.name)
            {
                inputs.fields.insert(field.name.clone(), default.clone());
            }
        }
        let result = run.in_time(self.ask_twice(run, &span, &call)).await;
        span.given(call.inputs.fields);
        match result {
            Ok(completions) => {
                let mut completions = completions.into_iter();
                let prediction = Prediction {
                    fields: completions.next().unwrap_or_default(),
                    others: completions.collect(),
                    usage: span.usage(),
                };
                span.done(prediction.fields.clone());
                Ok(prediction)
            }
            Err(error) => {
                let error = run.located(error);
                span.failed(error.clone());
                Err(error)
            }
        }
    }

    async fn ask_twice(&self, run: &Run, span: &OpenSpan, call: &Call) -> Result<Vec<Map>> {
        let model = match &call.model {
            Some(model) => Rc::clone(model),
            None => run.model(self.model.as_deref())?,
        };
        let first = Attempt { predict: self, run, span, model: &*model, call, adapter: &*self.adapter };
        let (error, shown) = match first.make(&self.prepared).await? {
            Answer::Read(fields) => return Ok(fields),
            Answer::Unread { error, shown } => (error, shown),
        };
        let Some(fallback) = self.fallback.as_deref().filter(|_| !shown) else { return Err(error) };
        match (Attempt { adapter: fallback, ..first }).make(&self.prepared_fallback).await? {
            Answer::Read(fields) => Ok(fields),
            Answer::Unread { error, .. } => Err(error),
        }
    }
}

/// A model call through one adapter.
struct Attempt<'a> {
    predict: &'a Predict,
    run: &'a Run,
    span: &'a OpenSpan,
    model: &'a dyn LanguageModel,
    call: &'a Call,
    adapter: &'a dyn Adapter,
}

impl Attempt<'_> {
    async fn make(&self, prepared: &OnceCell<Prepared>) -> Result<Answer> {
        let prepared = self.predict.prepare(prepared, self.adapter)?;
        let prompt = self.predict.prompt_with(prepared, self.adapter, &self.call.inputs)?;
        let mut options = self.options();
        let rollout_id = options.shift_remove("rollout_id").filter(|id| !id.is_null());
        let response_format = self.response_format(prepared)?;
        let start_ms = self.run.elapsed_ms();
        let request = ChatRequest {
            prompt: prompt.clone(),
            response_format: response_format.clone(),
            options: options.clone(),
            rollout_id,
            deadline_ms: self.run.deadline_ms(),
        };
        self.span.called(ModelCall {
            model: self.model.name().to_owned(),
            adapter: self.adapter.name(),
            prompt,
            response_format,
            options,
            replies: Vec::new(),
            usage: Usage::default(),
            start_ms,
            duration_ms: 0.0,
            error: None,
        });
        let one = request.options.get("n").is_none_or(|n| n == 1);
        let mut told = false;
        let response = if one && self.run.is_watched() {
            self.stream(request, &mut told).await
        } else {
            self.model.complete(request).await
        };
        let read = response.as_ref().map_err(Clone::clone).and_then(|response| self.read(&response.completions));
        if let Ok(response) = &response {
            self.run.used(self.model.name(), &response.reported);
        }
        let duration_ms = self.run.elapsed_ms() - start_ms;
        self.span.answered(|call| {
            call.duration_ms = duration_ms;
            call.error = read.as_ref().err().cloned();
            if let Ok(response) = response {
                call.usage = response.usage;
                if !response.model.is_empty() {
                    call.model = response.model;
                }
                call.replies = response.completions.into_iter().filter_map(|completion| completion.text).collect();
            }
        });
        match read {
            Ok(fields) => Ok(Answer::Read(fields)),
            Err(error) if error.kind() == ErrorKind::Parse => {
                let shown = told && !self.run.gate().retract(self.span.id());
                Ok(Answer::Unread { error, shown })
            }
            Err(error) => Err(error),
        }
    }

    /// The parameters to send: the run's for models, under the predictor's, under the call's. Several completions at a
    /// temperature near 0 would all be the same, so DSPy raises it to 0.7.
    fn options(&self) -> serde_json::Map<String, Json> {
        let mut config = self.predict.config.clone();
        config.extend(self.call.config.clone());
        let default = |name: &str| self.run.lm_settings().get(name).or_else(|| self.model.defaults().get(name));
        let number = |name: &str| {
            let own = config.get(name).and_then(Json::as_f64).filter(|own| *own != 0.0);
            own.or_else(|| default(name).and_then(Json::as_f64))
        };
        let several = number("n").or_else(|| default("num_generations")?.as_f64()).is_some_and(|n| n > 1.0);
        if several && number("temperature").is_none_or(|temperature| temperature <= 0.15) {
            config.insert("temperature".to_owned(), json!(0.7));
        }
        let mut options = self.run.lm_settings().clone();
        if let Some(rollout_id) = default("rollout_id") {
            options.insert("rollout_id".to_owned(), rollout_id.clone());
        }
        options.extend(config);
        options
    }

    fn response_format(&self, prepared: &Prepared) -> Result<Option<Rc<str>>> {
        let capabilities = self.model.capabilities();
        let render = |signature: &Signature| {
            let format = self.adapter.response_format(signature, capabilities)?;
            Ok(format.map(|format| Rc::from(json::text(&format))))
        };
        if !self.call.choices.is_empty() {
            return render(&self.call.choices.narrow(&self.predict.signature)?);
        }
        match prepared.response_format.get() {
            Some((known, format)) if *known == capabilities => Ok(format.clone()),
            Some(_) => render(&self.predict.signature),
            None => {
                let format = render(&self.predict.signature)?;
                Ok(prepared.response_format.get_or_init(|| (capabilities, format)).1.clone())
            }
        }
    }

    /// Reads a streamed reply to its end; `told` becomes true once a field was told to the run.
    async fn stream(&self, request: ChatRequest, told: &mut bool) -> Result<ChatResponse> {
        let mut reader = self.adapter.stream(&self.predict.signature);
        let mut deltas = self.model.stream(request);
        let mut updates = Vec::new();
        let mut completion = Completion { text: Some(String::new()), ..Completion::default() };
        let mut response = ChatResponse::default();
        while let Some(delta) = deltas.next().await {
            let delta = delta?;
            if let Some(text) = &mut completion.text {
                text.push_str(&delta.text);
            }
            if !delta.reasoning.is_empty() {
                completion.reasoning.get_or_insert_default().push_str(&delta.reasoning);
            }
            completion.finish_reason = delta.finish_reason.or(completion.finish_reason);
            response.usage = delta.usage.unwrap_or(response.usage);
            if !delta.reported.is_empty() {
                response.reported = delta.reported;
            }
            response.model = delta.model.unwrap_or(response.model);
            reader.push(&delta.text, &mut updates);
            *told |= self.tell(&mut updates);
        }
        reader.finish(&mut updates);
        *told |= self.tell(&mut updates);
        response.completions.push(completion);
        Ok(response)
    }

    fn tell(&self, updates: &mut Vec<FieldUpdate>) -> bool {
        let any = !updates.is_empty();
        for FieldUpdate { field, news } in updates.drain(..) {
            let (id, step, field) = (self.span.id(), Rc::clone(self.span.name()), field.into());
            self.run.tell(match news {
                News::Text(text) => Event::Text { id, step, field, text },
                News::Partial(value) => Event::Partial { id, step, field, value },
                News::Value(value) => Event::Value { id, step, field, value },
            });
        }
        any
    }

    fn read(&self, completions: &[Completion]) -> Result<Vec<Map>> {
        completions
            .iter()
            .map(|completion| {
                let text = completion.text.as_deref().filter(|text| !text.is_empty());
                let text = text.ok_or_else(|| self.empty_reply())?;
                let mut fields = self.adapter.parse(&self.predict.signature, text)?;
                self.call.choices.settle(&mut fields);
                Ok(fields)
            })
            .collect()
    }

    fn empty_reply(&self) -> Error {
        let reply = Reply { adapter: self.adapter.name(), problem: "empty", ..Reply::default() };
        Error::new(ErrorKind::Parse, "The LM returned an empty or null response.")
            .with_python_class("AdapterParseError")
            .with_hint("allow more tokens (`max_tokens`): a reasoning model may have spent them all before it answered")
            .with_reply(reply)
    }
}
