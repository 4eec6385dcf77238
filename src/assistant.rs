//! The ready-made programs, as pipeline documents.
//!
//! They follow the case study of DSPy on Databricks: [`DATABRICKS_RAG`] plans a search, retrieves and answers;
//! [`ENTERPRISE_ASSISTANT`] adds what an enterprise needs around it: filters by role and region in the query itself, rules
//! in code over question, passages and answer, a security check that sees the answer, and formatting by compliance rules.
//! Check and formatting run side by side, so that an answer is three model calls deep.
//!
//! ```
//! use lakelet::{Module, Pipeline, assistant};
//! let assistant = Pipeline::from_json(assistant::ENTERPRISE_ASSISTANT)?;
//! let names: Vec<String> = assistant.predictors().into_iter().map(|(name, _)| name).collect();
//! assert_eq!(names, ["generate_answer", "complex_query.predict", "security_checker.predict", "compliance_formatter"]);
//! # Ok::<(), lakelet::Error>(())
//! ```

/// `question, background` in; `answer, contexts, search_strategy, refined_query` out.
pub const DATABRICKS_RAG: &str = include_str!("assistant/databricks_rag.json");

/// `question, role, region, department, background` in; `answer, sources, contexts, search_strategy, refined_query` out,
/// or, when the question or the answer is refused, `answer, security_issues, sources`.
pub const ENTERPRISE_ASSISTANT: &str = include_str!("assistant/enterprise_assistant.json");

/// Every ready-made program, by name.
pub const DOCUMENTS: [(&str, &str); 2] =
    [("databricks_rag", DATABRICKS_RAG), ("enterprise_assistant", ENTERPRISE_ASSISTANT)];
