//! A predictor over the rows of a selection: its messages as an expression of SQL, its model asked by `ai_query`.
//!
//! Source: <https://docs.databricks.com/sql/language-manual/functions/ai_query>. The reply comes as `STRUCT<result: STRING, errorMessage: STRING>`, and a row that fails does
//! not end the statement.

use serde_json::{Map, Value as Json};

use super::output::Output;
use super::query::{Parameters, Query, literal, literal_of, quoted};
use super::selection::{Selection, wrong};
use super::shown::shown;
use crate::adapter::media::START;
use crate::databricks::sql::Column;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::module::{Piece, Template, TemplateMessage};

/// The columns that are added to the fields of the selection: which input cannot be shown, and what `ai_query` gave.
pub const REFUSED: &str = "lakelet_refused";
pub const REPLY: &str = "lakelet_reply";

/// What DSPy keeps among the parameters of a request and never sends.
const NEVER_SENT: [&str; 3] = ["rollout_id", "cache", "n"];

/// What `ai_query` is given of a chat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Request {
    /// One text, all messages below each other: what it takes for Foundation Model APIs and external models, which get it as one message of
    /// the user.
    #[default]
    Text,
    /// A struct with the `messages`, each with its role: what a custom model or an agent may take whose schema has them.
    Messages,
}

/// A predictor that is asked for each row.
#[derive(Clone, Debug, PartialEq)]
pub struct Asking {
    /// The serving endpoint of the model.
    pub endpoint: String,
    pub request: Request,
    pub template: Template,
    /// The rows. Their fields hold the inputs of the predictor by name, and whatever is wanted beside the replies.
    pub selection: Selection,
}

impl Asking {
    /// The query that tells the types of the fields, and reads no row.
    ///
    /// # Errors
    /// As [`Selection::query`]; [`Input`](ErrorKind::Input) at an input that no field gives.
    pub fn probe(&self) -> Result<Query> {
        let fields = &self.selection.fields;
        if let Some(input) =
            self.template.inputs.iter().find(|input| !fields.iter().any(|(name, _)| *name == input.name))
        {
            return Err(wrong(
                &input.name,
                "is an input of the predictor and no field",
                "Name it among the fields, with its expression.",
            ));
        }
        if let Some((name, _)) = fields.iter().find(|(name, _)| name.to_lowercase().starts_with("lakelet_")) {
            return Err(wrong(name, "has a name of ours", "Names that begin with `lakelet_` are taken."));
        }
        let mut parameters = Parameters::default();
        let rows = self.selection.sql(&mut parameters)?;
        Ok(parameters.query(format!("SELECT * FROM ({rows}) LIMIT 0")))
    }

    /// The one statement that asks for every row, and writes to `output` if there is one. Its columns are the fields, [`REFUSED`] and
    /// [`REPLY`]. `columns` is what [`probe`](Self::probe) told.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) at an input whose column has a type that prompts have no form for, and at an option that SQL cannot hold.
    pub fn query(&self, columns: &[Column], output: Option<&Output>) -> Result<Query> {
        let mut parameters = Parameters::default();
        let rows = self.selection.sql(&mut parameters)?;
        let (mut texts, mut refusals) = (String::new(), String::new());
        let mark = literal(START);
        for (i, input) in self.template.inputs.iter().enumerate() {
            let column = columns.iter().find(|column| column.name == input.name);
            let column = column
                .ok_or_else(|| wrong(&input.name, "is no column of the probe's result", "Ask for the types again."))?;
            let text = shown(input, column)?;
            texts += &format!(", {text} AS {}", place(i));
            refusals += &format!(" WHEN instr({}, {mark}) > 0 THEN {}", place(i), literal(&input.name));
        }
        let refused = if refusals.is_empty() { "NULL".to_owned() } else { format!("CASE{refusals} END") };
        let fields: Vec<&str> = self.selection.fields.iter().map(|(name, _)| name.as_str()).collect();
        let kept = fields.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let text = format!(
            "SELECT {kept}, CAST({REFUSED} AS STRING) AS {REFUSED}, CASE WHEN {REFUSED} IS NULL THEN {} END AS {REPLY} FROM \
             (SELECT *, {refused} AS {REFUSED} FROM (SELECT *{texts} FROM ({rows})))",
            self.call(&mut parameters)?
        );
        let columns = [fields.as_slice(), &[REFUSED, REPLY]].concat();
        Ok(parameters.query(match output {
            Some(output) => output.sql(&text, &columns)?,
            None => text,
        }))
    }

    /// The query of what [`query`](Self::query) wrote, with the same columns. `stored` is the selection of it.
    ///
    /// # Errors
    /// As [`Selection::query`].
    pub fn answered(stored: &Selection) -> Result<Query> {
        with_replies(stored).query()
    }

    fn call(&self, parameters: &mut Parameters) -> Result<String> {
        let mut text = format!("ai_query({}, request => {}", literal(&self.endpoint), self.request(parameters));
        let (options, given_format) = self.options()?;
        if !options.is_empty() {
            text += &format!(", modelParameters => named_struct({})", options.join(", "));
        }
        if let Some(format) = self.template.response_format.as_ref().or(given_format) {
            text += &format!(", responseFormat => {}", literal(&json::text(format)));
        }
        Ok(text + ", failOnError => false)")
    }

    fn request(&self, parameters: &mut Parameters) -> String {
        let messages = &self.template.messages;
        if self.request == Request::Text {
            let between = [Piece::Text("\n\n".to_owned())];
            let contents = messages.iter().map(|message| message.content.as_slice());
            let pieces = contents.enumerate().flat_map(|(i, content)| between.iter().take(i.min(1)).chain(content));
            return self.concatenated(joined(pieces).iter(), parameters);
        }
        let messages = messages.iter().map(|TemplateMessage { role, content }| {
            let content = self.concatenated(content.iter(), parameters);
            format!("named_struct('role', {}, 'content', {content})", literal(role))
        });
        format!("named_struct('messages', array({}))", messages.collect::<Vec<_>>().join(", "))
    }

    fn concatenated<'a>(&self, pieces: impl Iterator<Item = &'a Piece>, parameters: &mut Parameters) -> String {
        let pieces: Vec<String> = pieces.map(|piece| self.piece(piece, parameters)).collect();
        match pieces.as_slice() {
            [only] => only.clone(),
            pieces => format!("concat({})", pieces.join(", ")),
        }
    }

    fn piece(&self, piece: &Piece, parameters: &mut Parameters) -> String {
        match piece {
            Piece::Text(text) => parameters.text(text),
            Piece::Input(name) => {
                place(self.template.inputs.iter().position(|input| input.name == *name).unwrap_or_default())
            }
        }
    }

    /// The parameters of the request as members of a struct, and a response format among them.
    fn options(&self) -> Result<(Vec<String>, Option<&Json>)> {
        let sent = |(name, value): &(&String, &Json)| !NEVER_SENT.contains(&name.as_str()) && !value.is_null();
        let (mut members, mut format) = (Vec::new(), None);
        for (name, value) in self.template.options.iter().filter(sent) {
            match literal_of(value) {
                _ if name == "response_format" => format = Some(value),
                Some(value) => members.push(format!("{}, {value}", literal(name))),
                None => {
                    let message = format!("the option `{name}` cannot be sent through `ai_query`");
                    let hint = "Its model parameters are texts, numbers, booleans and lists of them.";
                    return Err(Error::new(ErrorKind::Unsupported, message).at_field(name).with_hint(hint));
                }
            }
        }
        Ok((members, format))
    }
}

/// The same pieces, with texts that follow each other in one.
fn joined<'a>(pieces: impl Iterator<Item = &'a Piece>) -> Vec<Piece> {
    let mut all: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (all.last_mut(), piece) {
            (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(more),
            _ => all.push(piece.clone()),
        }
    }
    all
}

/// A selection of rows with replies, with all columns.
pub(super) fn with_replies(stored: &Selection) -> Selection {
    let mut all = stored.clone();
    all.fields.extend([REFUSED, REPLY].map(|name| (name.to_owned(), name.to_owned())));
    all
}

/// The column with the text of an input.
fn place(i: usize) -> String {
    format!("lakelet_input_{i}")
}

/// What the model said to a row, by the columns [`REFUSED`] and [`REPLY`] of its record; else why it was not asked, or did not answer.
pub(super) fn reply(record: &Map<String, Json>) -> Result<String> {
    if let Some(input) = record.get(REFUSED).and_then(Json::as_str) {
        let message = format!("the input `{input}` holds what SQL cannot show as a prompt does");
        return Err(Error::new(ErrorKind::Input, message).at_field(input).with_hint(
            "It is a list of texts with an item that is null, a float of 1e16 or more or next to 0, or a text with a marker of content parts.",
        ));
    }
    let member = |names: [&str; 2]| names.iter().find_map(|name| record.get(REPLY)?.get(*name)?.as_str());
    // Databricks' manual has both names for either.
    match (member(["result", "response"]), member(["errorMessage", "errorStatus"])) {
        (Some(text), None) => Ok(text.to_owned()),
        (_, message) => {
            let message = format!("the model did not answer: {}", message.unwrap_or("`ai_query` gave nothing"));
            Err(Error::new(ErrorKind::Server, message))
        }
    }
}
