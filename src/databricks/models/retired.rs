//! Foundation models that Databricks has retired, with what took their place.

/// A model that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retired {
    pub name: &'static str,
    /// The day from which it was not offered any more (Databricks' list of retired models).
    pub since: &'static str,
    /// A model of today for the same work.
    pub successor: &'static str,
}

/// The models that the study of Databricks' DSPy integration names, and their like.
pub const RETIRED: [Retired; 6] = [
    Retired::new("databricks-dbrx-instruct", "2025-04-30", "databricks-llama-4-maverick"),
    Retired::new("databricks-mixtral-8x7b-instruct", "2025-04-30", "databricks-meta-llama-3-3-70b-instruct"),
    Retired::new("databricks-llama-2-70b-chat", "2024-10-30", "databricks-meta-llama-3-3-70b-instruct"),
    Retired::new("databricks-meta-llama-3-70b-instruct", "2024-07-23", "databricks-meta-llama-3-3-70b-instruct"),
    Retired::new("databricks-mpt-7b-instruct", "2024-08-30", "databricks-meta-llama-3-1-8b-instruct"),
    Retired::new("databricks-mpt-30b-instruct", "2024-08-30", "databricks-meta-llama-3-3-70b-instruct"),
];

impl Retired {
    const fn new(name: &'static str, since: &'static str, successor: &'static str) -> Self {
        Self { name, since, successor }
    }

    /// The retired model of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        RETIRED.iter().find(|retired| retired.name == name)
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        format!("Databricks has retired this model ({}); `{}` may take its place.", self.since, self.successor)
    }
}
