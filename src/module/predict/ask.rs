//! One call of a [`Predict`]: ask, read, and ask once more when the reply cannot be read.

use std::rc::Rc;

use futures_util::StreamExt;
use serde_json::{Map as JsonMap, Value as Json, json};

use super::decision::Decisions;
use super::outputs::Reader;
use super::plan::Planning;
use super::prepared::{Prepared, render_format};
use super::thinking::Thinking;
use super::{Call, Predict, inputs};
use crate::adapter::{Adapter, FieldUpdate, News};
use crate::error::{Error, ErrorKind, Result};
use crate::example::Prediction;
use crate::lm::{ChatRequest, ChatResponse, Gathered, LanguageModel, Usage};
use crate::run::{Event, ModelCall, OpenSpan, Run, Stage};
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
        run.stand_in(self.id()).unwrap_or(self).ask_itself(run, call.into()).await
    }

    async fn ask_itself(&self, run: &Run, mut call: Call) -> Result<Prediction> {
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
        let result = run.in_time(self.ask_for_evidence(run, &span, &mut call)).await;
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

    /// Asks for the evidence of decisions, where outputs are decisions, and decides.
    async fn ask_for_evidence(&self, run: &Run, span: &OpenSpan, call: &mut Call) -> Result<Vec<Map>> {
        let decisions = Decisions::of(&self.signature, &self.decision_settings)?;
        if decisions.is_empty() {
            return self.ask_twice(run, span, call).await;
        }
        let mut asking = Self { asks_for_evidence: true, ..self.clone() };
        asking.set_signature(decisions.asked(&self.signature, &self.demos)?);
        asking.set_demos(Vec::new());
        let completions = asking.ask_twice(run, span, call).await?;
        completions.into_iter().map(|fields| decisions.decide(fields)).collect()
    }

    async fn ask_twice(&self, run: &Run, span: &OpenSpan, call: &mut Call) -> Result<Vec<Map>> {
        let mut config = self.config.clone();
        config.append(&mut call.config);
        for message in inputs::prepare(&self.signature, &mut call.inputs.fields, &mut config)? {
            run.tell(Event::Warning { id: span.id(), step: Rc::clone(span.name()), message });
        }
        let model = match &call.model {
            Some(model) => run.through(Rc::clone(model)),
            None => run.model(self.model.as_deref())?,
        };
        let attempt = Attempt { predict: self, run, span, model: &*model, call };
        let several = attempt.raise_temperature(&mut config);
        let (error, shown) = match attempt.make(&*self.adapter, &mut config, several).await? {
            Answer::Read(fields) => return Ok(fields),
            Answer::Unread { error, shown } => (error, shown),
        };
        let Some(fallback) = self.fallback.as_deref().filter(|_| !shown) else { return Err(error) };
        match attempt.make(fallback, &mut config, several).await? {
            Answer::Read(fields) => Ok(fields),
            Answer::Unread { error, .. } => Err(error),
        }
    }
}

/// A call on its way to a model.
struct Attempt<'a> {
    predict: &'a Predict,
    run: &'a Run,
    span: &'a OpenSpan,
    model: &'a dyn LanguageModel,
    call: &'a Call,
}

impl Attempt<'_> {
    /// What the model sends unless the call has another: the run's settings lie over the model's own.
    fn default(&self, name: &str) -> Option<&Json> {
        self.run.lm_settings().get(name).or_else(|| self.model.defaults().get(name))
    }

    /// Whether several completions are asked for. At a temperature near 0 they would all be the same, so DSPy raises it.
    fn raise_temperature(&self, config: &mut JsonMap<String, Json>) -> bool {
        let set = |number: &f64| *number != 0.0;
        let default = |name: &str| self.default(name).and_then(Json::as_f64);
        let number = |name: &str| config.get(name).and_then(Json::as_f64).filter(set).or_else(|| default(name));
        let count = number("n").filter(set).or_else(|| default("num_generations"));
        let several = count.is_some_and(|count| count > 1.0);
        if several && number("temperature").is_none_or(|temperature| temperature <= 0.15) {
            config.insert("temperature".to_owned(), json!(0.7));
        }
        several
    }

    /// Asks through an adapter and reads the reply. What the adapter changes in `config` holds for the next one too, as it
    /// does in DSPy.
    async fn make(&self, adapter: &dyn Adapter, config: &mut JsonMap<String, Json>, several: bool) -> Result<Answer> {
        let signature = &self.predict.signature;
        let planning = Planning {
            adapter,
            signature,
            inputs: &self.call.inputs.fields,
            model: self.model.name(),
            capabilities: self.model.capabilities(),
            reasoning_effort: self.default("reasoning_effort"),
        };
        let taken = planning.take_out(config)?;
        let prepared = self.predict.prepared(adapter, &taken)?;
        let request = async { self.request(adapter, &prepared, config) };
        let request = self.span.stage(Stage::Format, adapter.name(), request).await?;
        let may_tell = self.run.is_watched() && !self.predict.asks_for_evidence;
        let watched = may_tell && !several && self.option(&request, "logprobs").is_none();
        let start_ms = self.run.elapsed_ms();
        self.span.called(ModelCall {
            model: self.model.name().to_owned(),
            endpoint: self.model.name().to_owned(),
            adapter: adapter.name(),
            prompt: request.prompt.clone(),
            response_format: request.response_format.clone(),
            options: request.options.clone(),
            replies: Vec::new(),
            usage: Usage::default(),
            start_ms,
            duration_ms: 0.0,
            error: None,
        });
        let mut told = false;
        let response = async {
            if watched {
                self.stream(request, adapter, &prepared, &mut told).await
            } else {
                self.model.complete(request).await
            }
        };
        let response = self.span.stage(Stage::Model, self.model.name(), response).await;
        let read = match &response {
            Ok(response) => {
                let reader = Reader { run: self.run, adapter, signature, asked: &prepared.asked };
                self.span.stage(Stage::Parse, adapter.name(), reader.read(&response.completions)).await
            }
            Err(error) => Err(error.clone()),
        };
        if let Ok(response) = &response {
            let by = response.answered_by.as_deref().unwrap_or(self.model.name());
            self.run.used(by, &response.reported);
        }
        let duration_ms = self.run.elapsed_ms() - start_ms;
        self.span.answered(|call| {
            call.duration_ms = duration_ms;
            call.error = read.as_ref().err().cloned();
            if let Ok(response) = response {
                call.usage = response.usage;
                call.endpoint = response.answered_by.map_or_else(|| call.endpoint.clone(), |by| by.to_string());
                if !response.model.is_empty() {
                    call.model = response.model;
                }
                call.replies = response.completions.into_iter().filter_map(|completion| completion.text).collect();
            }
        });
        match read {
            Ok(mut completions) => {
                completions.iter_mut().for_each(|fields| self.call.choices.settle(fields));
                Ok(Answer::Read(completions))
            }
            Err(error) if error.kind() == ErrorKind::Parse => {
                let shown = told && !self.run.gate().retract(self.span.id());
                Ok(Answer::Unread { error, shown })
            }
            Err(error) => Err(error),
        }
    }

    fn request(
        &self,
        adapter: &dyn Adapter,
        prepared: &Prepared,
        config: &mut JsonMap<String, Json>,
    ) -> Result<ChatRequest> {
        let (signature, capabilities) = (&self.predict.signature, self.model.capabilities());
        let response_format = match self.call.choices.is_empty() {
            true => prepared.response_format(adapter, signature, capabilities)?,
            false => render_format(adapter, &self.call.choices.narrow(signature)?, capabilities)?,
        };
        if response_format.is_some() {
            config.shift_remove("response_format");
        }
        let mut options = self.run.lm_settings().clone();
        options.extend(config.iter().map(|(name, value)| (name.clone(), value.clone())));
        let rollout_id = options.shift_remove("rollout_id").or_else(|| self.default("rollout_id").cloned());
        Ok(ChatRequest {
            prompt: prepared.prompt(adapter, &self.call.inputs)?,
            response_format,
            options,
            rollout_id: rollout_id.filter(|id| !id.is_null()),
            deadline_ms: self.run.deadline_ms(),
            is_hurried: false,
        })
    }

    /// A parameter that the request is sent with.
    fn option<'a>(&'a self, request: &'a ChatRequest, name: &str) -> Option<&'a Json> {
        request.options.get(name).or_else(|| self.model.defaults().get(name)).filter(|value| !value.is_null())
    }

    /// Reads a streamed reply to its end; `told` becomes true once a field was told to the run.
    async fn stream(
        &self,
        request: ChatRequest,
        adapter: &dyn Adapter,
        prepared: &Prepared,
        told: &mut bool,
    ) -> Result<ChatResponse> {
        let mut reader = adapter.stream(&prepared.asked);
        let mut thinking = Thinking::new(&self.predict.signature, &prepared.asked);
        let mut deltas = self.model.stream(request);
        let mut updates = Vec::new();
        let mut gathered = Gathered::default();
        while let Some(delta) = deltas.next().await {
            let delta = delta?;
            gathered.push(&delta);
            if delta.begins_anew {
                reader = adapter.stream(&prepared.asked);
                thinking = Thinking::new(&self.predict.signature, &prepared.asked);
                if std::mem::take(told) {
                    self.run.tell(Event::Retracted { id: self.span.id(), step: Rc::clone(self.span.name()) });
                }
            }
            thinking.push(&delta.reasoning, &mut updates);
            if !delta.text.is_empty() {
                thinking.finish(&mut updates);
                reader.push(&delta.text, &mut updates);
            }
            *told |= self.tell(&mut updates);
        }
        thinking.finish(&mut updates);
        reader.finish(&mut updates);
        *told |= self.tell(&mut updates);
        Ok(gathered.finish())
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
}
