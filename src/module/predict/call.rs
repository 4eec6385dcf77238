//! What one call of a [`Predict`] brings with it.

use std::rc::Rc;

use serde_json::Value as Json;

use super::{Choices, Predict};
use crate::error::Result;
use crate::example::Example;
use crate::lm::LanguageModel;
use crate::signature::{Field, Signature, Type};

/// One call of a [`Predict`]: the inputs, and what holds for this call alone.
///
/// ```
/// use lakelet::module::Call;
/// use lakelet::{Example, Predict, Run};
/// # async fn example(predict: Predict, run: Run) -> lakelet::Result<()> {
/// let inputs = Example::new().with("question", "2+2?");
/// let mut call = Call::from(inputs);
/// call.config.insert("temperature".to_owned(), 1.0.into());
/// let prediction = predict.ask(&run, call).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct Call {
    pub inputs: Example,
    /// Parameters of the request, over those of the predictor.
    pub config: serde_json::Map<String, Json>,
    /// Demos in the place of the predictor's.
    pub demos: Option<Vec<Example>>,
    /// A signature in the place of the predictor's.
    pub signature: Option<Signature>,
    /// A model in the place of the predictor's.
    pub model: Option<Rc<dyn LanguageModel>>,
    /// The values that some outputs may take.
    pub choices: Choices,
}

impl From<Example> for Call {
    /// A call with these inputs, and the predictor's own settings.
    fn from(inputs: Example) -> Self {
        Self { inputs, ..Self::default() }
    }
}

impl Call {
    /// Shows the predictor a hint, as the last of its inputs.
    pub(super) fn take_hint(&mut self, predict: &Predict, hint: &str) -> Result<()> {
        let signature = self.signature.as_ref().unwrap_or(&predict.signature);
        let field = Field::input("hint_", Type::Str).with_desc("A hint to the module from an earlier run");
        self.signature = Some(signature.append(field)?);
        self.inputs.fields.insert("hint_".to_owned(), hint.into());
        Ok(())
    }

    /// The predictor as this call has it, where its messages begin in another way than those of other calls.
    pub(super) fn varied(&mut self, predict: &Predict) -> Option<Predict> {
        if self.demos.is_none() && self.signature.is_none() {
            return None;
        }
        let mut varied = predict.clone();
        if let Some(demos) = self.demos.take() {
            varied.set_demos(demos);
        }
        if let Some(signature) = self.signature.take() {
            varied.set_signature(signature);
        }
        Some(varied)
    }
}
