//! Modules: what can be called with an [`Example`] and answers with a [`Prediction`].
