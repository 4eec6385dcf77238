//! Programs over many examples.

use js_sys::{Function, Promise};
use serde_json::json;
use wasm_bindgen::prelude::*;

use super::custom::Opened;
use super::errors::thrown;
use super::evaluate::described;
use super::examples::examples;
use super::inner::Inner;
use super::options::Options;
use super::records;
use super::run::Run;
use super::store::Store;
use crate::batch::{Batches, Item, Kept, Progress};
use crate::error::Result;
use crate::report;
use crate::value::Value;

#[wasm_bindgen]
impl Run {
    /// Starts a program on many examples: `{examples, inputs?, optional?, batchSize?, batchesInFlight?, job?}`, with the store where
    /// predictions are kept. `watch` is called with the progress as JSON text. The promise is of `{items, records, typed?}`; the records
    /// are the predictions.
    pub fn batches(
        &self,
        program: Inner,
        store: Option<Store>,
        watch: Option<Function>,
        length: usize,
    ) -> std::result::Result<Promise, JsValue> {
        let read = || {
            let options = Options::read(length)?;
            let job = options.text("job")?.unwrap_or_default().to_owned();
            Ok((settings(&options)?, examples(&options, "examples")?, job))
        };
        let (batches, examples, job) = read().map_err(|error| thrown(&error))?;
        let (run, kept) = (self.step(None), store.map(|store| Kept { store: store.cache.clone(), job }));
        Ok(self.start(async move {
            let watch = |progress: &Progress| {
                if let Some(watch) = &watch {
                    // A listener that throws must not stop the work.
                    let _ = watch.call1(&JsValue::NULL, &JsValue::from_str(&told(progress)));
                }
            };
            Ok(outcome(batches.run(&run, &program, &examples, kept.as_ref(), watch).await))
        }))
    }
}

fn settings(options: &Options) -> Result<Batches> {
    let mut batches = Batches::default();
    let numbers = [("batchSize", &mut batches.batch_size), ("batchesInFlight", &mut batches.in_flight)];
    for (name, number) in numbers {
        *number = options.count(name)?.map_or(*number, |count| count as usize);
    }
    Ok(batches)
}

fn told(progress: &Progress) -> String {
    let Progress { item, done, total, failed, kept, elapsed_ms, error } = progress;
    let head =
        json!({"item": item, "done": done, "total": total, "failed": failed, "kept": kept, "elapsedMs": elapsed_ms});
    report::with_raw(head, &described(error.as_ref()))
}

fn outcome(items: Vec<Item>) -> String {
    let told = |item: &Item| {
        let head = json!({"latencyMs": item.latency_ms, "isKept": item.is_kept});
        report::with_raw(head, &described(item.prediction.as_ref().err()))
    };
    let list = items.iter().map(told).collect::<Vec<_>>().join(",");
    let fields = |item: Item| item.prediction.map_or(Value::None, |prediction| Value::Dict(prediction.fields));
    let mut members = records::opened(items.into_iter().map(fields).collect(), Opened::plain());
    members.push(("items", ["[", &list, "]"].concat()));
    report::with_raw(json!({}), &members)
}
