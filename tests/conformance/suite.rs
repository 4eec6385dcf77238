//! Recorded cases: reading them, running them, comparing.

mod cache_keys;
mod callable;
mod calls;
mod cases;
mod compare;
mod databricks_rm;
mod evaluate;
mod formatting;
mod gepa;
mod metrics;
mod modules;
mod optimizers;
mod parsing;
mod prng;
mod programs;
mod response_format;
mod saved_programs;
mod scripted;
mod signatures;
mod streaming;
mod tools;
mod type_render;
mod usage;
mod wire;

use serde_json::Value as Json;

/// Why a case fails; `Ok` when it passes.
pub type Outcome = Result<(), String>;

/// What became of a case.
pub struct CaseResult {
    pub id: String,
    pub category: String,
    pub op: String,
    pub outcome: Outcome,
}

/// Runs the cases of all files of a folder, in the order of the file names.
#[cfg(not(target_arch = "wasm32"))]
pub fn run_folder(folder: &std::path::Path) -> Result<Vec<CaseResult>, String> {
    let entries = std::fs::read_dir(folder).map_err(|problem| format!("{}: {problem}", folder.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut results = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|problem| format!("{}: {problem}", path.display()))?;
        results.extend(run_file(&text).map_err(|problem| format!("{}: {problem}", path.display()))?);
    }
    Ok(results)
}

/// Runs the cases of a file.
pub fn run_file(text: &str) -> Result<Vec<CaseResult>, String> {
    let file: Json = serde_json::from_str(text).map_err(|problem| problem.to_string())?;
    let category = file["category"].as_str().unwrap_or_default();
    let run = |case: &Json| CaseResult {
        id: case["id"].as_str().unwrap_or("?").to_owned(),
        category: category.to_owned(),
        op: case["op"].as_str().unwrap_or_default().to_owned(),
        outcome: run_case(category, case),
    };
    Ok(file["cases"].as_array().into_iter().flatten().map(run).collect())
}

/// Runs one case. Operations are told apart by category too: `parse` is one of signatures and one of adapters.
pub fn run_case(category: &str, case: &Json) -> Outcome {
    let op = case["op"].as_str().unwrap_or_default();
    let (input, expected) = (&case["input"], &case["expected"]);
    match (category, op) {
        ("signatures", "parse") => signatures::parse(input, expected),
        ("signatures", "edit") => signatures::edit(input, expected),
        ("signatures", "infer_prefix") => signatures::infer_prefix(input, expected),
        ("signatures", "equals") => signatures::equals(input, expected),
        ("signatures", "state") => signatures::state(input, expected),
        ("type_render", "type_view") => type_render::type_view(input, expected),
        ("response_format", "response_format") => response_format::response_format(input, expected),
        ("format_value", "format_value") => formatting::format_value(input, expected),
        ("format", "format") => formatting::format(input, expected),
        ("parse", "parse") => parsing::parse(input, expected),
        ("parse_value", "parse_value") => parsing::parse_value(input, expected),
        ("json_repair", "loads") => parsing::loads(input, expected),
        ("streaming", "listen") => streaming::listen(input, expected),
        ("calls", "call") => calls::call(input, expected),
        ("wire", "request") => wire::request(input, expected),
        ("wire", "embed") => wire::embed(input, expected),
        ("tools", "chat_to_responses") => tools::chat_to_responses(input, expected),
        ("calls", "best_of_n") => modules::best_of_n(input, expected),
        ("calls", "refine") => modules::refine(input, expected),
        ("calls", "gepa_proposal") => modules::gepa_proposal(input, expected),
        ("tools", "tool_text") => tools::tool_text(input, expected),
        ("tools", "provider_tool_call") => tools::provider_tool_call(input, expected),
        ("tools", "validate_args") => tools::validate_args(input, expected),
        ("tools", "tool_results") => tools::tool_results(input, expected),
        ("metrics", op) => metrics::metric(op, input, expected),
        ("usage", "merge") => usage::merge(input, expected),
        ("named_predictors", "traverse") => programs::traverse(input, expected),
        ("saved_programs", "save") => saved_programs::save(input, expected),
        ("saved_programs", "load") => saved_programs::load(input, expected),
        ("evaluate", "evaluate") => evaluate::evaluate(input, expected),
        ("prng", "mersenne") => prng::mersenne(input, expected),
        ("optimizers", "compile") => optimizers::compile(input, expected),
        ("optimizers", "demo_sets") => optimizers::demo_sets(input, expected),
        ("optimizers", "dataset_summary") => optimizers::summary(input, expected),
        ("optimizers", "knn") => optimizers::knn(input, expected),
        ("cache_keys", "cache_key") => cache_keys::cache_key(input, expected),
        ("databricks_rm", "query") => databricks_rm::query(input, expected),
        _ => Err("not built".to_owned()),
    }
}

/// The beginning of a text, on one line.
pub fn shorten(text: &str) -> String {
    let line = text.replace('\n', "\\n");
    match line.char_indices().nth(240) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
