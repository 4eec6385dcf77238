//! The kinds of steps, one file each.

mod guard;
mod predict;
mod retrieve;
mod screen;
mod sources;
mod wiring;

pub(super) use guard::{Guard, Verdict};
pub(super) use predict::PredictStep;
pub(super) use retrieve::Retrieve;
pub(super) use screen::{Screen, read_rules};
pub(super) use sources::Sources;
pub(super) use wiring::{Join, Literal, Lookup};

use super::reader::Reader;
use super::step::Draft;
use crate::error::Result;
use crate::nearest::offer;

/// The members that every step may have.
const COMMON: [&str; 4] = ["do", "after", "live", "timeout_ms"];

/// Reads the members of one kind of step.
type Read = fn(&Reader) -> Result<Draft>;

/// Every kind of step, by the name that `do` gives.
const KINDS: [(&str, Read); 9] = [
    ("predict", PredictStep::read_predict),
    ("chain_of_thought", PredictStep::read_chain_of_thought),
    ("retrieve", Retrieve::read),
    ("guard", Guard::read),
    ("literal", Literal::read),
    ("join", Join::read),
    ("lookup", Lookup::read),
    ("screen", Screen::read),
    ("sources", Sources::read),
];

/// Reads a step of any kind.
pub(super) fn read(step: &Reader) -> Result<Draft> {
    let kind = step.need_text("do")?;
    let Some((_, read)) = KINDS.iter().find(|(known, _)| *known == kind) else {
        let hint = offer(kind, KINDS.iter().map(|(known, _)| *known));
        return Err(step.error("do", format!("there is no kind of step `{kind}`")).with_hint(hint));
    };
    read(step)
}

/// Refuses members that neither this kind of step nor every step has.
fn only(step: &Reader, own: &[&str]) -> Result<()> {
    step.only(&[own, &COMMON].concat())
}
