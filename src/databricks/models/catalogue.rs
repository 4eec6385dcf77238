//! What is known of Databricks' foundation models: their kind, their limits, their list prices.
//!
//! `catalogue.json` is taken from the model catalogue of MLflow 3.17.2 (Apache-2.0), whose rows are of August and September 2026. The first
//! model of a type is the one that is meant when none is named. Prices are those of pay-per-token endpoints, in USD; what a workspace pays
//! depends on its cloud, region and contract.

use std::sync::LazyLock;

use serde_json::Value as Json;

use crate::json;

/// What is known of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFacts {
    /// The name of its endpoint.
    pub name: String,
    /// `chat`, `embedding`, or `responses` for one that only the Responses API reaches.
    pub model_type: String,
    /// The longest prompt, in tokens.
    pub context: Option<u64>,
    /// The longest answer, in tokens.
    pub output: Option<u64>,
    /// The list price in USD of a million tokens, of the prompt and of the answer.
    pub usd_per_million: Option<(f64, f64)>,
    /// The day on which Databricks retires it, when that is announced.
    pub until: Option<String>,
}

impl ModelFacts {
    /// What is known of the model of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|facts| facts.name == name)
    }

    /// All models; those of a type in the order in which they are preferred.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<ModelFacts>> = LazyLock::new(|| {
            let rows = json::read(include_str!("catalogue.json")).unwrap_or_default();
            rows.as_array().into_iter().flatten().filter_map(ModelFacts::read).collect()
        });
        &ALL
    }

    /// The list price in USD of 1000 tokens, where a call has so many of the prompt and of the answer.
    pub fn usd_per_1k(&self, prompt_tokens: u64, completion_tokens: u64) -> Option<f64> {
        let (input, output) = self.usd_per_million?;
        let (prompt, completion) = (prompt_tokens as f64, completion_tokens as f64);
        let total = prompt + completion;
        (total > 0.0).then(|| (input * prompt + output * completion) / total / 1000.0)
    }

    fn read(row: &Json) -> Option<Self> {
        let text = |name: &str| row.get(name).and_then(Json::as_str).map(str::to_owned);
        let count = |name: &str| row.get(name).and_then(Json::as_u64);
        let price = |place: usize| row.get("usd_per_million")?.get(place)?.as_f64();
        Some(Self {
            name: text("name")?,
            model_type: text("type")?,
            context: count("context"),
            output: count("output"),
            usd_per_million: price(0).zip(price(1)),
            until: text("until"),
        })
    }
}
