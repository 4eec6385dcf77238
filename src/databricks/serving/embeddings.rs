//! Embedding endpoints.

use futures_core::future::LocalBoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value as Json, json};

use super::super::error::{Target, unreadable};
use super::super::{Call, Workspace};
use super::invocations;
use crate::embed::EmbeddingModel;
use crate::error::Result;
use crate::json;
use crate::lm::{Usage, wire};

/// Databricks takes no more inputs than this in one request.
const LARGEST_BATCH: usize = 150;
/// Requests in flight at once.
const IN_FLIGHT: usize = 4;

/// An embedding model on a serving endpoint (task `llm/v1/embeddings`).
///
/// ```
/// # async fn example(workspace: lakelet::databricks::Workspace) -> lakelet::Result<()> {
/// let embedder = workspace.embedder("databricks-gte-large-en")?;
/// let answer = embedder.embed(&["delta lake".to_owned(), "dspy".to_owned()], None).await?;
/// assert_eq!(answer.vectors.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Embedder {
    workspace: Workspace,
    endpoint: String,
    path: String,
    batch_size: usize,
    in_flight: usize,
}

/// Vectors, in the order of the texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embeddings {
    pub vectors: Vec<Vec<f64>>,
    /// The model version that answered; empty when nothing was asked.
    pub model: String,
    /// Of all requests together.
    pub usage: Usage,
}

impl Embedder {
    pub(in super::super) fn new(workspace: Workspace, endpoint: &str) -> Result<Self> {
        let endpoint = endpoint.strip_prefix("databricks/").unwrap_or(endpoint).to_owned();
        let path = invocations(&endpoint)?;
        Ok(Self { workspace, endpoint, path, batch_size: LARGEST_BATCH, in_flight: IN_FLIGHT })
    }

    /// Sends so many texts in one request: 1 at least and 150, which is the default, at most.
    pub fn with_batch_size(mut self, texts: usize) -> Self {
        self.batch_size = texts.clamp(1, LARGEST_BATCH);
        self
    }

    /// Lets so many requests be in flight at once: 4 unless told otherwise.
    pub fn with_concurrency(mut self, requests: usize) -> Self {
        self.in_flight = requests.max(1);
        self
    }

    /// The name of the endpoint.
    pub fn name(&self) -> &str {
        &self.endpoint
    }

    /// Embeds texts, any number of them: a batch travels in one request, and some requests are in flight at once. `deadline_ms` is a moment on
    /// the host's clock, as in [`ChatRequest`](crate::lm::ChatRequest).
    ///
    /// # Errors
    /// What the service refuses, and [`Protocol`](crate::ErrorKind::Protocol) when it does not answer with a vector a text.
    pub async fn embed(&self, texts: &[String], deadline_ms: Option<f64>) -> Result<Embeddings> {
        let deadline_ms = Some(self.workspace.deadline(deadline_ms).at_ms());
        let batches = texts.chunks(self.batch_size).map(|batch| self.batch(batch, deadline_ms));
        let mut answers = stream::iter(batches).buffered(self.in_flight);
        let mut all = Embeddings::default();
        while let Some(answer) = answers.try_next().await? {
            all.vectors.extend(answer.vectors);
            all.usage += answer.usage;
            all.model = answer.model;
        }
        Ok(all)
    }

    async fn batch(&self, texts: &[String], deadline_ms: Option<f64>) -> Result<Embeddings> {
        let target = Target::Endpoint(self.endpoint.clone());
        let body = json::text(&json!({ "input": texts })).into_bytes();
        let call = Call::post(&self.path, body, target.clone());
        let answer = self.workspace.clone().whole(call, deadline_ms).await?;
        let (vectors, json) = read(&answer.body, texts.len())
            .ok_or_else(|| unreadable(&target, &answer.body, "an embedding for each text"))?;
        let model = wire::text(&json, "model").or_else(|| answer.served_model());
        let model = model.unwrap_or_else(|| self.endpoint.clone());
        Ok(Embeddings { vectors, model, usage: Usage::of(&wire::usage(&json)) })
    }
}

impl EmbeddingModel for Embedder {
    fn embed<'a>(&'a self, texts: &'a [String], deadline_ms: Option<f64>) -> LocalBoxFuture<'a, Result<Vec<Vec<f64>>>> {
        Box::pin(async move { Ok(self.embed(texts, deadline_ms).await?.vectors) })
    }
}

/// The vectors by their `index`, where the answer numbers them.
fn read(body: &[u8], count: usize) -> Option<(Vec<Vec<f64>>, Json)> {
    let json = json::read(body).ok()?;
    let mut vectors = vec![Vec::new(); count];
    let data = json.get("data")?.as_array()?;
    for (place, item) in data.iter().enumerate() {
        let place =
            item.get("index").and_then(Json::as_u64).map_or(Some(place), |index| usize::try_from(index).ok())?;
        let numbers = item.get("embedding")?.as_array()?.iter().map(Json::as_f64);
        *vectors.get_mut(place)? = numbers.collect::<Option<Vec<f64>>>()?;
    }
    vectors.iter().all(|vector| !vector.is_empty()).then_some((vectors, json))
}
