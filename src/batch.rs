//! A program over many examples: in batches, some at a time, with nothing lost when some fail or the work is broken off.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::join_all;
use serde_json::{Map as JsonMap, Value as Json};

use crate::adapter::to_json;
use crate::cache::{self, Cache};
use crate::error::{Error, Result};
use crate::example::{Example, Prediction};
use crate::json;
use crate::module::{Module, Parallel};
use crate::report;
use crate::run::Run;
use crate::value::{Map, Value};

/// Runs a program on many examples. The examples of a batch are under way together, and so are some batches: how many requests an
/// endpoint is sent at once is for its [`Limiter`](crate::lm::Limiter) to say.
///
/// ```
/// use lakelet::batch::Batches;
/// # async fn example(qa: lakelet::Predict, run: lakelet::Run, examples: Vec<lakelet::Example>) {
/// let done = Batches::default().run(&run, &qa, &examples, None, |progress| println!("{}/{}", progress.done, progress.total)).await;
/// let failed = done.iter().filter(|item| item.prediction.is_err()).count();
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batches {
    /// Examples in a batch.
    pub batch_size: usize,
    /// Batches under way at once.
    pub in_flight: usize,
}

/// The numbers of the study of Databricks' DSPy integration.
impl Default for Batches {
    fn default() -> Self {
        Self { batch_size: 32, in_flight: 4 }
    }
}

/// Where predictions are kept, so that work which was broken off goes on where it was: what is kept is not asked for again. Failures are
/// not kept.
#[derive(Clone)]
pub struct Kept {
    pub store: Rc<dyn Cache>,
    /// Tells the work apart from other work in the store: the name of the program and its version.
    pub job: String,
}

/// What came of one example.
#[derive(Clone, Debug)]
pub struct Item {
    pub prediction: Result<Prediction>,
    /// The prediction was kept by an earlier run.
    pub is_kept: bool,
    pub latency_ms: f64,
}

/// How far it is, when an example has ended.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The place of the example.
    pub item: usize,
    /// Why it failed, if it did.
    pub error: Option<Error>,
    pub done: usize,
    pub total: usize,
    pub failed: usize,
    /// How many were kept by an earlier run.
    pub kept: usize,
    pub elapsed_ms: f64,
}

impl Batches {
    /// Runs the program on each example and gives what came of each, in their order. An example without
    /// [`input_keys`](Example::input_keys) is given as it is. What does not end before the run's deadline fails with
    /// [`Deadline`](crate::ErrorKind::Deadline).
    pub async fn run(
        &self,
        run: &Run,
        program: &dyn Module,
        examples: &[Example],
        kept: Option<&Kept>,
        mut watch: impl FnMut(&Progress),
    ) -> Vec<Item> {
        let (whole, count) = (run.apart(), Count { total: examples.len(), ..Count::default() });
        let told = std::cell::RefCell::new(&mut watch);
        let one = async |place: usize, example: &Example| {
            let apart = whole.apart();
            let item = predicted(run, &apart, program, example, kept).await;
            whole.add_usage_of(&apart);
            (told.borrow_mut())(&count.ended(place, &item, whole.elapsed_ms()));
            item
        };
        let size = self.batch_size.max(1);
        let batches = examples.chunks(size).enumerate().map(|(batch, examples)| {
            let one = &one;
            let items = examples.iter().enumerate().map(move |(place, example)| one(batch * size + place, example));
            async { Ok(join_all(items).await) }
        });
        let parallel = Parallel { num_threads: self.in_flight, max_errors: usize::MAX };
        let items = parallel.each(batches).await.unwrap_or_default();
        run.add_usage_of(&whole);
        items.into_iter().flatten().flatten().collect()
    }
}

async fn predicted(run: &Run, apart: &Run, program: &dyn Module, example: &Example, kept: Option<&Kept>) -> Item {
    let inputs: Map = match example.input_keys.is_empty() {
        true => example.fields.clone(),
        false => example.inputs().map(|(name, value)| (name.to_owned(), value.clone())).collect(),
    };
    let key = kept.map(|kept| kept.key(&inputs));
    if let Some((kept, key)) = kept.zip(key.as_deref())
        && let Some(fields) = kept.find(key).await
    {
        return Item { prediction: Ok(fields.into()), is_kept: true, latency_ms: 0.0 };
    }
    let prediction = run.in_time(program.call(apart, inputs.into())).await;
    if let (Some((kept, key)), Ok(prediction)) = (kept.zip(key.as_deref()), &prediction) {
        // The prediction is there, whether it can be kept or not.
        _ = kept.store.put(key, report::object(&prediction.fields)).await;
    }
    Item { prediction, is_kept: false, latency_ms: apart.elapsed_ms() }
}

impl Kept {
    /// The key of an example: it has its place in the store, wherever it stands among the others.
    fn key(&self, inputs: &Map) -> String {
        let inputs: JsonMap<String, Json> = inputs.iter().map(|(name, value)| (name.clone(), to_json(value))).collect();
        format!("{}/{}", self.job, cache::key(&inputs))
    }

    async fn find(&self, key: &str) -> Option<Map> {
        let text = self.store.get(key).await.ok().flatten()?;
        match Value::from(&json::read(text).ok()?) {
            Value::Dict(fields) => Some(fields),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Count {
    total: usize,
    done: Cell<usize>,
    failed: Cell<usize>,
    kept: Cell<usize>,
}

impl Count {
    fn ended(&self, item: usize, ended: &Item, elapsed_ms: f64) -> Progress {
        let add = |count: &Cell<usize>, is: bool| count.set(count.get() + usize::from(is));
        add(&self.done, true);
        add(&self.failed, ended.prediction.is_err());
        add(&self.kept, ended.is_kept);
        let error = ended.prediction.as_ref().err().cloned();
        let (done, failed, kept) = (self.done.get(), self.failed.get(), self.kept.get());
        Progress { item, error, done, total: self.total, failed, kept, elapsed_ms }
    }
}
