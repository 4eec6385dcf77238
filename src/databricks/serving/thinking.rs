//! Reasoning of Claude models, which take a budget of tokens where others take `reasoning_effort`.

use serde_json::{Map, Value as Json, json};

/// What an answer may take beside the thinking, when the caller sets no limit.
const ANSWER_TOKENS: u64 = 4096;

/// Puts `thinking` in the place of `reasoning_effort`, where the endpoint serves a Claude model: with the budgets of LiteLLM,
/// through which DSPy calls Databricks.
pub(super) fn translate(endpoint: &str, options: &mut Map<String, Json>) {
    if !endpoint.contains("claude") {
        return;
    }
    let budget = match options.shift_remove("reasoning_effort").as_ref().and_then(Json::as_str) {
        Some("low" | "minimal") => 1024,
        Some("medium") => 2048,
        Some("high") => 4096,
        _ => return,
    };
    options.entry("thinking").or_insert_with(|| json!({"type": "enabled", "budget_tokens": budget}));
    options.entry("max_tokens").or_insert_with(|| (budget + ANSWER_TOKENS).into());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(endpoint: &str, options: Json) -> Json {
        let mut options = options.as_object().cloned().unwrap_or_default();
        translate(endpoint, &mut options);
        Json::Object(options)
    }

    #[test]
    fn only_claude_takes_a_budget() {
        let effort = json!({"reasoning_effort": "low"});
        assert_eq!(translated("databricks-gpt-oss-120b", effort.clone()), effort);
        let thinking = json!({"type": "enabled", "budget_tokens": 1024});
        assert_eq!(translated("databricks-claude-sonnet-4", effort), json!({"thinking": thinking, "max_tokens": 5120}));
        let mine = json!({"reasoning_effort": "high", "max_tokens": 9000});
        let thinking = json!({"type": "enabled", "budget_tokens": 4096});
        assert_eq!(translated("databricks-claude-opus-4-1", mine), json!({"max_tokens": 9000, "thinking": thinking}));
        assert_eq!(translated("databricks-claude-sonnet-4", json!({"reasoning_effort": null})), json!({}));
    }
}
