//! Any text is a pipeline document or tells why not; so does an overlay.

use lakelet::{ErrorKind, Pipeline};

use super::input::Input;

pub fn check(bytes: &[u8]) {
    let text = Input(bytes).text();
    for loaded in [Pipeline::from_json(&text), Pipeline::with_overlay(lakelet::assistant::DATABRICKS_RAG, &text)] {
        if let Err(error) = loaded {
            assert_eq!(error.kind(), ErrorKind::Pipeline, "{text:?} {error}");
            assert!(!error.message().is_empty(), "{text:?}");
        }
    }
}
