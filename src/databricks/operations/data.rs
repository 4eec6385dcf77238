//! `data.*`: training sets, and predictors over tables.

use serde_json::{Value as Json, json};

use super::{Arguments, Outcome, Tell, sql, unknown};
use crate::databricks::Workspace;
use crate::databricks::data::{
    Asking, DistributedDataProcessor, ExactMatch, JobPlace, Output, Query, Replied, Replies, Request, Selection, Source,
};
use crate::error::{Error, ErrorKind, Result};
use crate::module::Template;
use crate::report;

pub(super) async fn call(workspace: &Workspace, name: &str, given: Arguments, tell: Option<Tell>) -> Result<Outcome> {
    let processor = || given.text("warehouse_id").map(|id| DistributedDataProcessor::new(workspace, id));
    let wait = given.wait(tell)?;
    Ok(match name {
        "lsp_diagnostics" => {
            let from = given.value("from").cloned().unwrap_or_default();
            Selection::lsp_diagnostics(Source::from_json(&from)?, given.flag("keep_without_code")?).to_json()
        }
        "training_dataset" => Selection::training_dataset(selection(&given)?).to_json(),
        "query" => {
            let selection = selection(&given)?;
            with(selection.query()?, "inputs", json!(selection.input_names()))
        }
        "write" => processor()?.write(&selection(&given)?, &output(&given)?, &wait).await?.to_json(),
        "submit" => {
            let place = JobPlace {
                path: given.text("path")?.to_owned(),
                run_name: given.text("run_name")?.to_owned(),
                compute: given.optional_object("compute")?.cloned().unwrap_or_default(),
            };
            let (selection, output) = (selection(&given)?, output(&given)?);
            let processor = DistributedDataProcessor::new(workspace, "");
            let run = processor.submit(&selection, &output, &place).await?;
            json!({"run_id": run, "selection": selection.stored(output.source()).to_json()})
        }
        "ask" => {
            let asking = Asking {
                endpoint: given.text("endpoint")?.to_owned(),
                request: request(&given)?,
                template: template(&given)?,
                selection: selection(&given)?,
            };
            match given.value("output") {
                None => processor()?.asking(&asking, None, &wait).await?.to_json(),
                Some(_) => {
                    let written = processor()?.ask(&asking, &output(&given)?, &wait).await?;
                    with(Asking::answered(&written)?, "selection", written.to_json())
                }
            }
        }
        "replies" => {
            let warehouse = workspace.warehouse(given.text("warehouse_id")?);
            let page = Replies::of(sql::pages(&warehouse, &given)?).next().await?;
            page.unwrap_or_default().into_iter().map(replied).collect()
        }
        "exact_matches" => {
            let matches = ExactMatch {
                answered: selection(&given)?,
                template: template(&given)?,
                output: given.text("output_field")?.to_owned(),
                wanted: given.text("wanted")?.to_owned(),
            };
            let counted = processor()?.exact_matches(&matches, &wait).await?;
            let told = json!({"rows": counted.rows, "decided": counted.decided, "right": counted.right});
            with(matches.rest()?, "counted", told)
        }
        _ => return Err(unknown("data", name)),
    }
    .into())
}

fn request(given: &Arguments) -> Result<Request> {
    match given.optional_text("request")? {
        None | Some("text") => Ok(Request::Text),
        Some("messages") => Ok(Request::Messages),
        Some(other) => {
            let message = format!("there is no request `{other}`: it is `text` or `messages`");
            Err(Error::new(ErrorKind::Input, message).at_field("request"))
        }
    }
}

fn selection(given: &Arguments) -> Result<Selection> {
    Selection::from_json(&Json::Object(given.object("selection")?.clone()))
}

fn output(given: &Arguments) -> Result<Output> {
    Output::from_json(&Json::Object(given.object("output")?.clone()))
}

fn template(given: &Arguments) -> Result<Template> {
    let template = Template::from_json(&Json::Object(given.object("template")?.clone()));
    template.ok_or_else(|| Error::new(ErrorKind::Input, "`template` is none of a predictor").at_field("template"))
}

/// A statement with something beside it.
fn with(query: Query, name: &str, value: Json) -> Json {
    let mut json = query.to_json();
    if let Json::Object(members) = &mut json {
        members.insert(name.to_owned(), value);
    }
    json
}

fn replied((example, reply): Replied) -> Json {
    match reply {
        Ok(text) => json!({"example": example, "reply": text}),
        Err(error) => json!({"example": example, "error": report::error(&error)}),
    }
}
