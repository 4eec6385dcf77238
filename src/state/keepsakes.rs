//! What is saved with a predictor and read by nothing here.

use serde_json::Value as Json;

use super::SavedLm;

/// What DSPy saves with a predictor beside signature and demos. It is kept, so that a state is saved as it was loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Keepsakes {
    /// DSPy's `traces`, an empty list since DSPy 2.5.
    pub traces: Json,
    /// DSPy's `train`, an empty list since DSPy 2.5.
    pub train: Json,
    /// The model that the predictor was given in Python. The run's model is asked all the same: the host names the models.
    pub lm: Option<SavedLm>,
}

impl Default for Keepsakes {
    fn default() -> Self {
        Self { traces: Json::Array(Vec::new()), train: Json::Array(Vec::new()), lm: None }
    }
}
