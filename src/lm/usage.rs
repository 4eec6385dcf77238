//! What model calls cost.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

/// Tokens used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub total_tokens: u64,
    /// Prompt tokens that the server had cached.
    pub cached_tokens: u64,
    /// Completion tokens spent on reasoning.
    pub reasoning_tokens: u64,
}

impl Usage {
    /// Reads what a service reports in OpenAI's form; what it leaves out counts as 0.
    pub fn of(reported: &Map<String, Json>) -> Self {
        let count = |json: Option<&Json>| json.and_then(Json::as_f64).map_or(0, |count| count as u64);
        let detail = |group: &str, name: &str| count(reported.get(group).and_then(|group| group.get(name)));
        let total = |name: &str| count(reported.get(name));
        let (prompt_tokens, completion_tokens) = (total("prompt_tokens"), total("completion_tokens"));
        Self {
            prompt_tokens,
            completion_tokens,
            total_tokens: total("total_tokens").max(prompt_tokens.saturating_add(completion_tokens)),
            cached_tokens: detail("prompt_tokens_details", "cached_tokens"),
            reasoning_tokens: detail("completion_tokens_details", "reasoning_tokens"),
        }
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.prompt_tokens += other.prompt_tokens;
        self.completion_tokens += other.completion_tokens;
        self.total_tokens += other.total_tokens;
        self.cached_tokens += other.cached_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
    }
}

/// Usage by the model's name, with all that the services report: DSPy's `track_usage()`.
///
/// Numbers add up and objects merge; of anything else (flags, names) the first one stays.
///
/// ```
/// use lakelet::lm::UsageByModel;
/// use serde_json::json;
/// let mut usage = UsageByModel::default();
/// for reported in [json!({"total_tokens": 3, "details": {"cached": 1}}), json!({"total_tokens": 4, "tier": "a"})] {
///     usage.add("databricks/llama", reported.as_object().unwrap());
/// }
/// let total = json!({"total_tokens": 7, "details": {"cached": 1}, "tier": "a"});
/// assert_eq!(usage.models()["databricks/llama"], *total.as_object().unwrap());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UsageByModel(IndexMap<String, Map<String, Json>>);

impl UsageByModel {
    /// Adds what one call was reported to have used.
    pub fn add(&mut self, model: &str, reported: &Map<String, Json>) {
        if !reported.is_empty() {
            merge(self.0.entry(model.to_owned()).or_default(), reported);
        }
    }

    /// The totals by model, in the order of the first calls.
    pub fn models(&self) -> &IndexMap<String, Map<String, Json>> {
        &self.0
    }
}

fn merge(total: &mut Map<String, Json>, reported: &Map<String, Json>) {
    if total.is_empty() {
        total.clone_from(reported);
        return;
    }
    for (name, value) in reported {
        match (total.get_mut(name), value) {
            (Some(Json::Object(total)), Json::Object(reported)) => merge(total, reported),
            (Some(Json::Number(total)), Json::Number(reported)) => *total = sum(total, reported),
            (None | Some(Json::Null), value) if !value.is_null() => _ = total.insert(name.clone(), value.clone()),
            _ => {}
        }
    }
}

fn sum(a: &serde_json::Number, b: &serde_json::Number) -> serde_json::Number {
    let whole = a.as_i64().zip(b.as_i64()).and_then(|(a, b)| a.checked_add(b));
    let float = || serde_json::Number::from_f64(a.as_f64()? + b.as_f64()?);
    whole.map(Into::into).or_else(float).unwrap_or_else(|| a.clone())
}
