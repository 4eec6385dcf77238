//! How many replies are an exact match, counted where they lie.
//!
//! SQL reads a reply as [`ChatAdapter`](crate::adapter::ChatAdapter) does and compares as [`answer_exact_match`](crate::metric::answer_exact_match)
//! does as long as nothing is beyond printable ASCII and every header stands where it should. Whatever else there is, a reply in disorder, an
//! accent (which takes Unicode's normal form D), an error, is left to be read and scored here: the count is never a guess.

use serde_json::Value as Json;

use super::ask::{REFUSED, REPLY, with_replies};
use super::query::{Parameters, Query, quoted};
use super::selection::{Selection, wrong};
use crate::databricks::sql::Rows;
use crate::error::{Error, ErrorKind, Result};
use crate::module::{Template, TemplateField};

/// Texts that SQL compares as the metric does.
const PLAIN: &str = r"\A[\n\t -~]*\z";
const PUNCTUATION: &str = r"[!-/:-@\[-`{-~]";
const ARTICLES: &str = r"\b(a|an|the)\b";
const COMPLETED: &str = r"\n\[\[ ## completed ## \]\][\n\t ]*";
const SPACE: &str = r"[\n\t ]+";

/// Replies in a table, and what they are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct ExactMatch {
    /// The selection of what [`Asking::query`](super::Asking::query) wrote; its fields are those of the asked selection.
    pub answered: Selection,
    pub template: Template,
    /// The output that is compared.
    pub output: String,
    /// The field of the example that it is compared with: a text.
    pub wanted: String,
}

impl ExactMatch {
    /// Whether SQL can tell anything: of replies that other adapters read, and where outputs are more than texts, it cannot.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) then, [`Input`](ErrorKind::Input) at a field that there is not.
    pub fn check(&self) -> Result<()> {
        let Self { answered, template, output, wanted } = self;
        let is_given = |fields: &[TemplateField]| fields.iter().any(|field| field.name == *output);
        if !is_given(&template.outputs) {
            return Err(wrong(output, "is no output of the predictor", "Name the output that is to match."));
        }
        if !answered.fields.iter().any(|(name, _)| name == wanted) {
            return Err(wrong(
                wanted,
                "is no field of the examples",
                "Keep it among the fields when the predictor is asked.",
            ));
        }
        if template.adapter != "ChatAdapter" || template.outputs.iter().any(|field| !field.is_text) {
            let message = "SQL reads replies of ChatAdapter whose outputs are all of type `str`";
            return Err(
                Error::new(ErrorKind::Unsupported, message).with_hint("Read the replies, and score them one by one.")
            );
        }
        Ok(())
    }

    /// The statement that counts: `rows`, those that SQL can `decide`, and those of them that are `right`.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn count(&self) -> Result<Query> {
        let mut parameters = Parameters::default();
        let rows = self.decided(&mut parameters)?;
        Ok(parameters.query(format!(
            "SELECT min({}) AS `wanted`, count(*) AS `rows`, coalesce(sum(CASE WHEN `lakelet_decided` THEN 1 END), 0) AS `decided`, \
             coalesce(sum(CASE WHEN `lakelet_decided` AND `lakelet_right` THEN 1 END), 0) AS `right` FROM ({rows})",
            quoted(&self.wanted)
        )))
    }

    /// The statement that gives the rows that are left to be read, with the columns of [`Asking::query`](super::Asking::query).
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn rest(&self) -> Result<Query> {
        let mut parameters = Parameters::default();
        let rows = self.decided(&mut parameters)?;
        let fields = self.answered.fields.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(", ");
        Ok(parameters.query(format!("SELECT {fields}, {REFUSED}, {REPLY} FROM ({rows}) WHERE NOT `lakelet_decided`")))
    }

    fn decided(&self, parameters: &mut Parameters) -> Result<String> {
        self.check()?;
        let source = with_replies(&self.answered).sql(parameters)?;
        let (text, wanted) = (format!("{REPLY}.`result`"), quoted(&self.wanted));
        let (pattern, headers) = self.pattern();
        let group = self.template.outputs.iter().position(|field| field.name == self.output).unwrap_or_default() + 1;
        let (plain, pattern) = (parameters.text(PLAIN), parameters.text(&pattern));
        // A header in the middle of a text may begin another section.
        let count = format!("(length({text}) - length(replace({text}, '[[ ##', ''))) / 5");
        let is_decided = format!(
            "{REFUSED} IS NULL AND {REPLY}.`errorMessage` IS NULL AND {text} RLIKE {pattern} AND {wanted} RLIKE {plain} AND {count} = \
             {headers} + CASE WHEN {text} RLIKE {} THEN 1 ELSE 0 END",
            parameters.text(&format!("{COMPLETED}\\z"))
        );
        let found = normalized(&format!("regexp_extract({text}, {pattern}, {group})"), parameters);
        let sought = normalized(&wanted, parameters);
        Ok(format!(
            "SELECT *, coalesce({is_decided}, FALSE) AS `lakelet_decided`, {found} = {sought} AS `lakelet_right` FROM ({source})"
        ))
    }

    /// A reply with a section for each output, in order, and the text of each as a group; and how many headers that are.
    fn pattern(&self) -> (String, usize) {
        let outputs = &self.template.outputs;
        let sections = outputs.iter().map(|field| format!(r"\[\[ ## {} ## \]\]((?:\n[\n\t -~]*?)?)", field.name));
        let sections = sections.collect::<Vec<_>>().join(r"\n");
        (format!(r"\A[\n\t ]*{sections}(?:{COMPLETED})?\z"), outputs.len())
    }
}

/// A text as [`normalize_text`](crate::metric::normalize_text) makes it, if it is plain.
fn normalized(text: &str, parameters: &mut Parameters) -> String {
    let bare = format!("regexp_replace(lower({text}), {}, '')", parameters.text(PUNCTUATION));
    let words = format!("regexp_replace({bare}, {}, ' ')", parameters.text(ARTICLES));
    format!("trim(regexp_replace({words}, {}, ' '))", parameters.text(SPACE))
}

/// How many replies are right, as far as SQL has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub rows: u64,
    pub decided: u64,
    pub right: u64,
}

impl Counted {
    /// Reads the result of [`ExactMatch::count`].
    pub(super) fn of(rows: &Rows) -> Result<Self> {
        let record = rows.records().into_iter().next().unwrap_or_default();
        let number = |name: &str| record.get(name).and_then(Json::as_u64);
        let counted = || Some(Self { rows: number("rows")?, decided: number("decided")?, right: number("right")? });
        if let Some(column) = rows.columns.first().filter(|column| column.type_name != "STRING") {
            let message = format!("what is wanted is no text: {}", column.type_text);
            return Err(
                Error::new(ErrorKind::Unsupported, message).with_hint("Read the replies, and score them one by one.")
            );
        }
        counted().ok_or_else(|| Error::new(ErrorKind::Protocol, "the counts of exact matches are no whole numbers"))
    }
}
