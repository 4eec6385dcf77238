//! Language models as DSPy saves them.

use serde_json::{Map, Value as Json, json};

use crate::error::{Error, ErrorKind, Result};
use crate::python::str_repr;

type Object = Map<String, Json>;

/// The class that wrote a state.
const CLASS: &str = "_dspy_lm_class";
/// DSPy's own class, the only one whose states are read.
const LM: &str = "dspy.clients.lm.LM";
/// Where requests would go: a state from elsewhere must not say so.
const UNSAFE: [&str; 3] = ["api_base", "base_url", "model_list"];

/// A `dspy.LM` as DSPy 3.4.1 saves it with a predictor. API keys are no part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedLm {
    /// `databricks/databricks-claude-sonnet-4-6`, for instance.
    pub model: String,
    /// Parameters of every request, in order: `temperature`, `max_tokens` (`max_completion_tokens` for OpenAI's reasoning
    /// models), then the others.
    pub kwargs: Object,
    /// What is not sent: `model_type`, `cache`, `num_retries`.
    client: Object,
    /// `finetuning_model`, `launch_kwargs`, `train_kwargs`.
    training: Object,
    use_developer_role: Option<Json>,
}

impl SavedLm {
    /// What `dspy.LM(**settings)` would save.
    ///
    /// # Errors
    /// [`State`](ErrorKind::State), when DSPy does not take the settings.
    pub fn new(settings: &Object) -> Result<Self> {
        let mut rest = settings.clone();
        let mut take = |name: &str| rest.shift_remove(name).unwrap_or(Json::Null);
        let model = match take("model") {
            Json::String(model) if !model.is_empty() => model,
            Json::Null => return Err(refused("the saved model has no name", "TypeError")),
            _ => return Err(refused("model must be a non-empty string", "ValueError")),
        };
        if model.split_once('/').is_some_and(|(_, name)| name.is_empty()) {
            let message = format!("model {} has a provider prefix but no model id after it", str_repr(&model));
            return Err(refused(&message, "ValueError"));
        }
        let or = |value: Json, default: Json| if value.is_null() { default } else { value };
        let (temperature, max_tokens) = (take("temperature"), take("max_tokens"));
        let num_retries = or(take("num_retries"), json!(3));
        if num_retries.as_u64().is_none() {
            return Err(refused("num_retries must be a nonnegative integer", "ValueError"));
        }
        let client = [
            ("model_type", or(take("model_type"), json!("chat"))),
            ("cache", or(take("cache"), json!(true))),
            ("num_retries", num_retries),
        ];
        let training = [
            ("finetuning_model", take("finetuning_model")),
            ("launch_kwargs", or(take("launch_kwargs"), json!({}))),
            ("train_kwargs", or(take("train_kwargs"), json!({}))),
        ];
        let use_developer_role = Some(take("use_developer_role")).filter(|role| *role == true);
        let reasons = is_reasoning_model(&model);
        let warm = temperature.as_f64().is_some_and(|temperature| temperature != 0.0 && temperature != 1.0);
        let short = max_tokens.as_f64().is_some_and(|tokens| tokens != 0.0 && tokens < 16000.0);
        if reasons && (warm || short) {
            return Err(refused(
                "OpenAI's reasoning models take a temperature of 1.0 or none, and max_tokens of 16000 or more or none",
                "LMConfigurationError",
            ));
        }
        let max_tokens_name = if reasons { "max_completion_tokens" } else { "max_tokens" };
        let mut kwargs = object([("temperature", temperature), (max_tokens_name, max_tokens)]);
        rest.shift_remove("api_key");
        rest.retain(|name, value| name != "rollout_id" || !value.is_null());
        kwargs.extend(rest);
        Ok(Self { model, kwargs, client: object(client), training: object(training), use_developer_role })
    }

    /// Reads what DSPy saved. Unless the state is `trusted`, it may not say where requests go.
    pub(super) fn load(state: &Object, trusted: bool) -> Result<Option<Self>> {
        let mut settings = state.clone();
        if !trusted {
            settings.retain(|name, _| !UNSAFE.contains(&name.as_str()));
        }
        if settings.is_empty() {
            return Ok(None);
        }
        match settings.shift_remove(CLASS) {
            Some(class) if class != LM => return Err(unknown_class(class.as_str().unwrap_or_default(), trusted)),
            Some(_) | None => {}
        }
        let model = settings.get("model").and_then(Json::as_str).unwrap_or_default();
        if is_reasoning_model(model)
            && let Some(tokens) = settings.shift_remove("max_completion_tokens")
        {
            settings.entry("max_tokens").or_insert(tokens);
        }
        Self::new(&settings).map(Some)
    }

    /// What DSPy saves.
    pub(super) fn dump(&self) -> Json {
        let mut state = object([(CLASS, LM.into()), ("model", self.model.as_str().into())]);
        state.extend(self.client.clone());
        state.extend(self.kwargs.clone());
        state.extend(self.training.clone());
        state.extend(self.use_developer_role.iter().map(|role| ("use_developer_role".to_owned(), role.clone())));
        if is_reasoning_model(&self.model)
            && let Some(tokens) = state.shift_remove("max_completion_tokens")
        {
            state.insert("max_tokens".to_owned(), tokens);
        }
        Json::Object(state)
    }
}

fn object<const N: usize>(members: [(&str, Json); N]) -> Object {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn refused(message: &str, python_class: &'static str) -> Error {
    Error::new(ErrorKind::State, message).at_field("lm").with_python_class(python_class)
}

fn unknown_class(class: &str, trusted: bool) -> Error {
    if trusted {
        return refused(&format!("Could not import serialized LM class `{class}`."), "ImportError")
            .with_hint("only the states of dspy.LM are read: save the program with one");
    }
    let message = format!(
        "Refusing to import custom serialized LM class `{class}`. Pass allow_unsafe_lm_state=True when loading trusted \
         files to enable custom LM classes."
    );
    refused(&message, "ValueError").with_hint("only the states of dspy.LM are read: save the program with one")
}

/// Whether DSPy takes the model for one of OpenAI's reasoning models: `o1`, `o3-mini-2025-01-31`, `gpt-5.1-codex` ..., but
/// no `gpt-5-chat`.
fn is_reasoning_model(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    if let Some(version) = name.strip_prefix("gpt-5") {
        let behind = after_versions(version);
        return behind.is_empty() || behind.starts_with('-') && !behind.starts_with("-chat");
    }
    let Some(rest) = ["o1", "o3", "o4", "o5"].iter().find_map(|family| name.strip_prefix(family)) else { return false };
    let rest = ["-mini", "-nano", "-pro"].iter().find_map(|size| rest.strip_prefix(size)).unwrap_or(rest);
    rest.is_empty() || is_date(rest)
}

/// What follows `.1`, `.1.2` ...
fn after_versions(text: &str) -> &str {
    let mut rest = text;
    while let Some(behind) = rest.strip_prefix('.') {
        let behind_digits = behind.trim_start_matches(|c: char| c.is_ascii_digit());
        if behind_digits.len() == behind.len() {
            break;
        }
        rest = behind_digits;
    }
    rest
}

/// `-2025-01-31`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(parts.as_slice(), ["", year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_models_are_told_by_their_names() {
        for (model, expected) in [
            ("openai/o1", true),
            ("o3-mini-2025-01-31", true),
            ("azure/x/O4-Pro", true),
            ("o2", false),
            ("o1-preview", false),
            ("gpt-5", true),
            ("openai/gpt-5.1-codex", true),
            ("gpt-5-chat", false),
            ("gpt-5.2-chat-latest", false),
            ("gpt-5x", false),
            ("gpt-50", false),
            ("databricks/gpt-5-mini", true),
        ] {
            assert_eq!(is_reasoning_model(model), expected, "{model}");
        }
    }
}
