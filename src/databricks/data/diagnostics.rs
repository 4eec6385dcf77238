//! The pipeline of the case study that trained a model to repair code: diagnostics of language servers, to a training set.

use serde_json::Value as Json;

use super::condition::{Comparison, Condition};
use super::selection::{Selection, Source};

/// Findings of style, which no model needs to learn to repair: line too long, imports out of order.
const STYLE: [&str; 2] = ["E501", "I001"];

impl Selection {
    /// Diagnostics of language servers that have no repair yet and are not about style: `file_path`, `message`, `code`, `error_line` (of
    /// `range.start.line`) and `content`.
    ///
    /// A diagnostic without a code is about nothing that is known: it is dropped, and kept with `keep_without_code`.
    pub fn lsp_diagnostics(source: Source, keep_without_code: bool) -> Self {
        let fields = [
            ("file_path", "`file_path`"),
            ("message", "`message`"),
            ("code", "`code`"),
            ("error_line", "`range`.`start`.`line`"),
            ("content", "`content`"),
        ];
        let conditions = vec![
            Condition::Null { column: "codeAction".to_owned(), negated: false },
            Condition::Compare {
                column: "code".to_owned(),
                comparison: Comparison::NotIn,
                values: STYLE.map(Json::from).into(),
                keep_nulls: keep_without_code,
            },
        ];
        Self { conditions, ..Self::new(source, fields) }
    }

    /// The examples of diagnostics: `code_file`, `error_line` and `error_message`, which is the code and the message, or the message alone
    /// where there is no code. All are inputs.
    pub fn training_dataset(diagnostics: Self) -> Self {
        let fields = [
            ("code_file", "`content`"),
            ("error_line", "`error_line`"),
            ("error_message", "CASE WHEN `code` IS NULL THEN `message` ELSE concat(`code`, ': ', `message`) END"),
        ];
        Self::new(Source::Selection(Box::new(diagnostics)), fields)
    }
}
