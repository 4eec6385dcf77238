//! What an evaluation came to, in a run: metrics, parameters, the data, the program, and a few predictions.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::{ActiveRun, Dataset, LoggedProgram, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::Evaluation;
use crate::example::Example;
use crate::json;
use crate::lm::{Usage, UsageByModel};
use crate::report;

/// What tokens cost, in US dollars for a thousand of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    pub input_usd: f64,
    pub output_usd: f64,
}

/// How an evaluation is logged.
#[derive(Clone, Debug, PartialEq)]
pub struct LogOptions {
    /// What the testset is called.
    pub dataset: String,
    /// How many predictions are shown.
    pub samples: usize,
    /// Prices by model, as it is asked for; `*` is any other.
    pub prices: IndexMap<String, Price>,
    /// Parameters beside those of the program.
    pub params: Vec<(String, String)>,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { dataset: "testset".to_owned(), samples: 5, prices: IndexMap::new(), params: Vec::new() }
    }
}

/// An evaluation, as every door tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationRecord {
    /// The mean score in percent.
    pub score: f64,
    pub failed: usize,
    pub duration_ms: f64,
    pub usage: Usage,
    /// Tokens by model.
    pub by_model: IndexMap<String, Usage>,
    pub rows: Vec<RowRecord>,
}

/// What came of one example.
#[derive(Clone, Debug, PartialEq)]
pub struct RowRecord {
    pub example: Json,
    /// `null` when the example failed.
    pub prediction: Json,
    pub score: Json,
    pub latency_ms: f64,
    pub error: Option<String>,
}

impl EvaluationRecord {
    /// An evaluation of a testset, with what the services reported of the tokens.
    pub fn of(evaluation: &Evaluation, testset: &[Example], reported: &UsageByModel) -> Self {
        let read = |text: String| json::read(&text).unwrap_or(Json::String(text));
        let row = |(row, example): (&crate::evaluate::Row, &Example)| RowRecord {
            example: read(report::object(&example.fields)),
            prediction: row.error.as_ref().map_or_else(|| read(report::object(&row.prediction.fields)), |_| Json::Null),
            score: read(report::value(&row.score)),
            latency_ms: row.latency_ms,
            error: row.error.as_ref().map(ToString::to_string),
        };
        Self {
            score: evaluation.score,
            failed: evaluation.failed,
            duration_ms: evaluation.duration_ms,
            usage: evaluation.usage,
            by_model: reported.models().iter().map(|(name, told)| (name.clone(), Usage::of(told))).collect(),
            rows: evaluation.rows.iter().zip(testset).map(row).collect(),
        }
    }

    /// Reads `{score, failed, durationMs, usage, lmUsage?, results: [{example, prediction, score, latencyMs, error?}]}`.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) at the member that is missing.
    pub fn read(told: &Json) -> Result<Self> {
        let missing =
            |name: &str| Error::new(ErrorKind::Input, format!("the evaluation has no `{name}`")).at_field(name);
        let number = |json: &Json, name: &str| json.get(name).and_then(Json::as_f64);
        let results = told.get("results").and_then(Json::as_array).ok_or_else(|| missing("results"))?;
        let row = |row: &Json| RowRecord {
            example: row.get("example").cloned().unwrap_or_default(),
            prediction: row.get("prediction").cloned().unwrap_or_default(),
            score: row.get("score").cloned().unwrap_or_default(),
            latency_ms: number(row, "latencyMs").unwrap_or(0.0),
            error: row.pointer("/error/message").and_then(Json::as_str).map(str::to_owned),
        };
        let by_model = told.get("lmUsage").and_then(Json::as_object).into_iter().flatten();
        let by_model = by_model.filter_map(|(name, told)| Some((name.clone(), Usage::of(told.as_object()?))));
        let count = |name: &str| told.pointer(&format!("/usage/{name}")).and_then(Json::as_u64).unwrap_or(0);
        Ok(Self {
            score: number(told, "score").ok_or_else(|| missing("score"))?,
            failed: number(told, "failed").unwrap_or(0.0) as usize,
            duration_ms: number(told, "durationMs").unwrap_or(0.0),
            usage: Usage {
                prompt_tokens: count("promptTokens"),
                completion_tokens: count("completionTokens"),
                total_tokens: count("totalTokens"),
                ..Usage::default()
            },
            by_model: by_model.collect(),
            rows: results.iter().map(row).collect(),
        })
    }

    /// The mean latency of the examples that did not fail, in milliseconds.
    fn mean_latency_ms(&self) -> Option<f64> {
        let done: Vec<f64> = self.rows.iter().filter(|row| row.error.is_none()).map(|row| row.latency_ms).collect();
        (!done.is_empty()).then(|| done.iter().sum::<f64>() / done.len() as f64)
    }

    /// What the tokens cost in US dollars; the first model that has no price, if there is one.
    fn cost_usd(&self, prices: &IndexMap<String, Price>) -> std::result::Result<f64, String> {
        let mut total = 0.0;
        for (model, usage) in &self.by_model {
            let bare = model.strip_prefix("databricks/").unwrap_or(model);
            let price = [model, bare, "*"].into_iter().find_map(|name| prices.get(name));
            let Price { input_usd, output_usd } = price.ok_or_else(|| model.clone())?;
            total +=
                usage.prompt_tokens as f64 / 1000.0 * input_usd + usage.completion_tokens as f64 / 1000.0 * output_usd;
        }
        Ok(total)
    }

    /// Predictions as a table, under the names that MLflow's autolog gives them.
    fn table(&self, samples: usize) -> Table {
        let row = |row: &RowRecord| {
            let mut cells = Map::new();
            for (prefix, fields) in [("example", &row.example), ("pred", &row.prediction)] {
                let fields = fields.as_object().into_iter().flatten();
                cells.extend(fields.map(|(name, value)| (format!("{prefix}_{name}"), value.clone())));
            }
            cells.insert("score".to_owned(), row.score.clone());
            cells.insert("latency_ms".to_owned(), row.latency_ms.into());
            if let Some(error) = &row.error {
                cells.insert("error".to_owned(), error.as_str().into());
            }
            Json::Object(cells)
        };
        Table::of(&self.rows.iter().take(samples).map(row).collect::<Vec<_>>())
    }
}

impl ActiveRun {
    /// Logs what a program did on a testset: the metrics `accuracy` (from 0 to 1), `avg_latency_ms` and `estimated_cost_usd` (where
    /// every model has a price), the program with its parameters, the data, and a few predictions as a table.
    ///
    /// # Errors
    /// What the service refuses.
    pub async fn log_evaluation(
        &self,
        program: &LoggedProgram,
        evaluation: &EvaluationRecord,
        options: &LogOptions,
    ) -> Result<()> {
        let examples: Vec<Json> = evaluation.rows.iter().map(|row| row.example.clone()).collect();
        self.log_dataset(&Dataset::of(&options.dataset, &examples), "eval").await?;
        let params = parameters(program, evaluation, options);
        let params: Vec<_> = params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.log_params(&params).await?;
        self.log_dict("pipeline_config.json", program.document()).await?;
        self.log_dict("program.json", program.state()).await?;
        self.log_table("sample_predictions.json", &evaluation.table(options.samples)).await?;
        let mut metrics = vec![
            ("accuracy", evaluation.score / 100.0),
            ("failed", evaluation.failed as f64),
            ("input_tokens", evaluation.usage.prompt_tokens as f64),
            ("output_tokens", evaluation.usage.completion_tokens as f64),
        ];
        metrics.extend(evaluation.mean_latency_ms().map(|ms| ("avg_latency_ms", ms)));
        match evaluation.cost_usd(&options.prices) {
            Ok(cost) => metrics.push(("estimated_cost_usd", cost)),
            // A cost without a part of the calls would look like all of it.
            Err(model) => self.set_tags(&[("lakelet.no_price_for", &model)]).await?,
        }
        self.log_metrics(&metrics, 0).await
    }
}

/// What the program is and what it has learned, by name.
fn parameters(program: &LoggedProgram, evaluation: &EvaluationRecord, options: &LogOptions) -> Vec<(String, String)> {
    let mut found = vec![
        ("program".to_owned(), program.name().to_owned()),
        ("num_examples".to_owned(), evaluation.rows.len().to_string()),
    ];
    if !evaluation.by_model.is_empty() {
        let models: Vec<&str> = evaluation.by_model.keys().map(String::as_str).collect();
        found.push(("models".to_owned(), models.join(", ")));
    }
    flatten(program.name(), program.state(), &mut found);
    // Of equal names the caller's counts: a parameter keeps its first value.
    found.retain(|(name, _)| options.params.iter().all(|(given, _)| given != name));
    found.extend(options.params.iter().cloned());
    found
}

/// The values of a state by their paths, as MLflow's autolog names them: `Rag.answer.signature.instructions`.
fn flatten(path: &str, value: &Json, found: &mut Vec<(String, String)>) {
    const LEFT_OUT: [&str; 4] = ["metadata", "lm", "traces", "train"];
    let below = |name: &str| format!("{path}.{name}");
    match value {
        Json::Null => {}
        Json::Object(members) => {
            let members = members.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
            members.for_each(|(name, member)| flatten(&below(name), member, found));
        }
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| flatten(&below(&i.to_string()), item, found))
        }
        Json::String(text) => found.push((path.to_owned(), text.clone())),
        other => found.push((path.to_owned(), json::text(&json!(other)))),
    }
}
