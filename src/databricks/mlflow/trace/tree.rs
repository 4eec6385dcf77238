//! From the spans of a run to those that MLflow's autolog makes for DSPy (`mlflow/dspy/callback.py` of MLflow 3.17.2).

use serde_json::{Map, Value as Json, json};

use super::{CallRecord, members, token_usage};
use crate::lm::Usage;

/// A span of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSpan {
    /// The position of the span that it is a part of.
    pub parent: Option<usize>,
    /// `Predict.forward`, `LM.__call__`, `Tool.search` ...
    pub name: String,
    /// MLflow's type: `LLM`, `CHAIN`, `RETRIEVER` ...
    pub kind: &'static str,
    /// Milliseconds since 1970.
    pub start_ms: f64,
    pub end_ms: f64,
    pub inputs: Json,
    pub outputs: Json,
    /// What else is known, by MLflow's names.
    pub attributes: Map<String, Json>,
    /// Why it failed: the code and the message.
    pub error: Option<(String, String)>,
}

/// The spans of a call; the first one is the root.
pub(super) fn spans(call: &CallRecord) -> Vec<TraceSpan> {
    let mut tree = Tree { began_ms: call.began_ms, spans: Vec::new(), places: Vec::new() };
    let roots: Vec<_> = call.spans.iter().filter(|span| span.get("parent").is_none_or(Json::is_null)).collect();
    // A program that is one module shows as that module; one of several steps, and one that never began, as itself.
    let whole = matches!(roots.as_slice(), [only] if is_whole(only));
    if !whole {
        tree.spans.push(TraceSpan {
            parent: None,
            name: call.name.clone(),
            kind: "CHAIN",
            start_ms: call.began_ms,
            end_ms: call.began_ms + call.duration_ms,
            inputs: call.inputs.clone(),
            outputs: call.outputs.clone(),
            attributes: Map::new(),
            error: call.error.as_ref().map(failure),
        });
    }
    for span in &call.spans {
        tree.add(span, (!whole).then_some(0));
    }
    if let Some(root) = tree.spans.first_mut() {
        root.attributes.insert("mlflow.chat.tokenUsage".to_owned(), token_usage(&call.usage()));
    }
    tree.spans
}

/// Whether a span is a module that can be a program of its own.
fn is_whole(span: &Json) -> bool {
    class(text(span, "kind")).is_some_and(|class| class.name.is_some())
}

struct Class {
    /// DSPy's class; `None` for what only pipelines have, which goes by the name of its step.
    name: Option<&'static str>,
    kind: &'static str,
    /// Asks through a `Predict` of its own.
    asks: bool,
}

/// How MLflow shows a kind of span; `None` for one that it does not show, whose parts stand in its place.
fn class(kind: &str) -> Option<Class> {
    let (name, kind, asks) = match kind {
        "try" => return None,
        "predict" => (Some("Predict"), "LLM", false),
        "noul" => (Some("Noul"), "LLM", false),
        "choice" => (Some("Choice"), "LLM", false),
        "score" => (Some("Score"), "LLM", false),
        "chain_of_thought" => (Some("ChainOfThought"), "CHAIN", true),
        "multi_chain_comparison" => (Some("MultiChainComparison"), "CHAIN", true),
        "react" => (Some("ReAct"), "AGENT", false),
        "react_v2" => (Some("ReActV2"), "CHAIN", false),
        "program_of_thought" => (Some("ProgramOfThought"), "CHAIN", false),
        "best_of_n" => (Some("BestOfN"), "CHAIN", false),
        "refine" => (Some("Refine"), "CHAIN", false),
        "retrieve" => (Some("Retrieve"), "RETRIEVER", false),
        "tool" => (None, "TOOL", false),
        "reward" => (None, "EVALUATOR", false),
        "guard" | "screen" => (None, "GUARDRAIL", false),
        "literal" | "join" | "lookup" | "sources" => (None, "TASK", false),
        _ => (None, "CHAIN", false),
    };
    Some(Class { name, kind, asks })
}

struct Tree {
    began_ms: f64,
    spans: Vec<TraceSpan>,
    /// Where the parts of each span of the run belong, by its id.
    places: Vec<Option<usize>>,
}

impl Tree {
    fn add(&mut self, span: &Json, root: Option<usize>) {
        let parent = match span.get("parent").and_then(Json::as_u64) {
            Some(id) => usize::try_from(id).ok().and_then(|id| self.places.get(id).copied()).flatten().or(root),
            None => root,
        };
        let step = text(span, "name");
        let part = step.rsplit('.').next().unwrap_or(step);
        // The call that ends an agent is no tool of the user's.
        let class = class(text(span, "kind")).filter(|class| class.kind != "TOOL" || part != "finish");
        let Some(class) = class else {
            self.places.push(parent);
            return;
        };
        let name = match (class.name, class.kind) {
            (Some(name), _) => format!("{name}.forward"),
            (None, "TOOL") => format!("Tool.{part}"),
            _ => step.to_owned(),
        };
        let outputs = match class.kind {
            "RETRIEVER" => documents(span.get("outputs")),
            "TOOL" => only_member(span.get("outputs")),
            _ => span.get("outputs").cloned().unwrap_or_default(),
        };
        let failed = text(span, "status") == "failed";
        let start_ms = self.began_ms + number(span, "startMs");
        let mut made = TraceSpan {
            parent,
            name,
            kind: class.kind,
            start_ms,
            end_ms: start_ms + number(span, "durationMs"),
            inputs: span.get("inputs").cloned().unwrap_or_default(),
            outputs: if failed { Json::Null } else { outputs },
            attributes: attributes(span),
            error: span.get("error").filter(|_| failed).map(failure),
        };
        if text(span, "status") == "cancelled" {
            made.error = Some(("cancelled".to_owned(), "The step was given up.".to_owned()));
        }
        let signature = signature(span).filter(|_| class.kind == "LLM" || class.asks);
        let signed = |mut span: TraceSpan| {
            span.attributes.extend(signature.clone().map(|signature| ("signature".to_owned(), signature)));
            span
        };
        let is_signed = class.name != Some("MultiChainComparison");
        let mut place = self.push(if is_signed { signed(made.clone()) } else { made.clone() });
        // The parts of a module that asks through a predictor belong to the module; what the predictor did belongs to it.
        self.places.push(Some(place));
        if class.asks {
            made = TraceSpan { parent: Some(place), name: "Predict.forward".to_owned(), kind: "LLM", ..made };
            place = self.push(signed(made));
        }
        self.add_calls(place, span);
    }

    fn push(&mut self, span: TraceSpan) -> usize {
        self.spans.push(span);
        self.spans.len() - 1
    }

    /// Three spans for each model call: the messages are made, the model answers, the answer is read.
    fn add_calls(&mut self, place: usize, span: &Json) {
        let calls: Vec<&Json> = span.get("calls").and_then(Json::as_array).into_iter().flatten().collect();
        let Some(asking) = self.spans.get(place).cloned() else { return };
        let start_of = |call: &Json| self.began_ms + number(call, "startMs");
        let starts: Vec<f64> = calls.iter().map(|call| start_of(call)).collect();
        let mut from_ms = asking.start_ms;
        for (i, (call, start_ms)) in calls.iter().zip(&starts).enumerate() {
            let end_ms = start_ms + number(call, "durationMs");
            // What was read of an answer is what the step gave, unless another answer was asked for.
            let next_ms = starts.get(i + 1).copied();
            let read = if next_ms.is_none() { asking.outputs.clone() } else { Json::Null };
            let replies = call.get("replies").and_then(Json::as_array).cloned().unwrap_or_default();
            let error = call.get("error").map(failure);
            let (of_model, of_reading) = if replies.is_empty() { (error, None) } else { (None, error) };
            let adapter = text(call, "adapter");
            let part = |name: String, kind, (start_ms, end_ms): (f64, f64), inputs, outputs, error| TraceSpan {
                parent: Some(place),
                name,
                kind,
                start_ms,
                end_ms: end_ms.max(start_ms),
                inputs,
                outputs,
                attributes: Map::new(),
                error,
            };
            let messages = call.get("messages").cloned().unwrap_or_default();
            let given = json!({"inputs": asking.inputs});
            let format = part(format!("{adapter}.format"), "PARSER", (from_ms, *start_ms), given, messages, None);
            let outputs = if replies.is_empty() { Json::Null } else { Json::Array(replies.clone()) };
            let mut model =
                part("LM.__call__".to_owned(), "CHAT_MODEL", (*start_ms, end_ms), asked(call), outputs, of_model);
            model.attributes = of_model_call(call);
            self.spans.extend([format, model]);
            from_ms = next_ms.unwrap_or(asking.end_ms);
            if !replies.is_empty() {
                let completion = json!({"completion": replies.first()});
                let parse = part(format!("{adapter}.parse"), "PARSER", (end_ms, from_ms), completion, read, of_reading);
                self.spans.push(parse);
                from_ms = end_ms;
            }
        }
    }
}

/// What a model call was given, as DSPy's `LM` is called.
fn asked(call: &Json) -> Json {
    let mut asked = Map::new();
    asked.insert("prompt".to_owned(), Json::Null);
    asked.insert("messages".to_owned(), call.get("messages").cloned().unwrap_or_default());
    asked.extend(members(call.get("options").unwrap_or(&Json::Null)));
    if let Some(format) = call.get("responseFormat") {
        asked.insert("response_format".to_owned(), format.clone());
    }
    Json::Object(asked)
}

fn of_model_call(call: &Json) -> Map<String, Json> {
    let model = text(call, "model");
    let named = [
        ("model", json!(model)),
        ("model_type", json!("chat")),
        ("mlflow.message.format", json!("dspy")),
        ("mlflow.llm.model", json!(model)),
        ("mlflow.llm.provider", json!("databricks")),
        ("mlflow.chat.tokenUsage", token_usage(&usage(call))),
    ];
    named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The tokens of a model call.
pub(super) fn usage(call: &Json) -> Usage {
    let count = |name: &str| call.pointer(&format!("/usage/{name}")).and_then(Json::as_u64).unwrap_or(0);
    Usage {
        prompt_tokens: count("promptTokens"),
        completion_tokens: count("completionTokens"),
        total_tokens: count("totalTokens"),
        cached_tokens: count("cachedTokens"),
        reasoning_tokens: count("reasoningTokens"),
    }
}

/// What a step says of itself beside what MLflow has a place for.
fn attributes(span: &Json) -> Map<String, Json> {
    let mut attributes = Map::new();
    attributes.insert("step".to_owned(), text(span, "name").into());
    if span.get("withheld") == Some(&Json::Bool(true)) {
        attributes.insert("withheld".to_owned(), true.into());
    }
    attributes
}

/// The names of what a predictor is given and gives, as DSPy shows a signature. What a call that failed would have given is not known.
fn signature(span: &Json) -> Option<Json> {
    let names = |of: &str| Some(span.get(of)?.as_object()?.keys().map(String::as_str).collect::<Vec<_>>());
    let (inputs, outputs) = (names("inputs")?, names("outputs")?);
    (!outputs.is_empty()).then(|| format!("{} -> {}", inputs.join(", "), outputs.join(", ")).into())
}

/// What was found, as MLflow's documents: `[{page_content, metadata, id}]`.
fn documents(outputs: Option<&Json>) -> Json {
    let outputs = outputs.map(members).unwrap_or_default();
    let list = |name: &str| outputs.get(name).and_then(Json::as_array);
    let at = |name: &str, i: usize| list(name).and_then(|items| items.get(i)).cloned().unwrap_or_default();
    let document = |content: Json, metadata: Map<String, Json>, id: Json| json!({"page_content": content, "metadata": metadata, "id": id});
    if let Some(docs) = list("docs") {
        let one = |(i, content): (usize, &Json)| {
            let mut metadata = members(&at("extra_columns", i));
            metadata.insert("doc_id".to_owned(), at("doc_ids", i));
            metadata.insert("doc_uri".to_owned(), at("doc_uris", i));
            document(content.clone(), metadata, at("doc_ids", i))
        };
        return docs.iter().enumerate().map(one).collect();
    }
    let one = |passage: &Json| {
        let mut metadata = members(passage);
        let content = metadata.shift_remove("text").unwrap_or_else(|| passage.clone());
        let id = metadata.shift_remove("id").unwrap_or_default();
        if let Some(uri) = metadata.get("uri").cloned() {
            metadata.insert("doc_uri".to_owned(), uri);
        }
        document(content, metadata, id)
    };
    list("passages").into_iter().flatten().map(one).collect()
}

/// The value of an object with one member; anything else as it is.
fn only_member(outputs: Option<&Json>) -> Json {
    let outputs = outputs.cloned().unwrap_or_default();
    match outputs.as_object().map(|members| members.values().collect::<Vec<_>>()).as_deref() {
        Some([only]) => (*only).clone(),
        _ => outputs,
    }
}

fn failure(error: &Json) -> (String, String) {
    (text(error, "code").to_owned(), text(error, "message").to_owned())
}

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn number(json: &Json, name: &str) -> f64 {
    json.get(name).and_then(Json::as_f64).unwrap_or(0.0)
}
