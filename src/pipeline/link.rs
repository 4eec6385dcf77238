//! From drafts to wired steps: names resolved, types compared, order checked.

use std::rc::Rc;

use super::Input;
use super::reader::Reader;
use super::step::{Action, Draft, Outputs, Source, Step, Want, WantKind, Wire, passages_type, texts_type};
use super::steps;
use super::types::fits;
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::offer;
use crate::signature::Type;
use crate::value::Value;

/// Everything that names can refer to.
struct Names<'a> {
    inputs: &'a [Input],
    steps: Vec<(&'a str, Draft)>,
}

/// Reads the steps of a document and wires them up.
pub(super) fn read_steps(document: &Reader, inputs: &[Input]) -> Result<(Vec<Step>, Outputs)> {
    let section = document.object("steps")?;
    let mut names = Names { inputs, steps: Vec::new() };
    for (name, _) in section.entries() {
        if inputs.iter().any(|input| input.name == name) {
            return Err(section.error(name, format!("`{name}` is the name of an input already")));
        }
        let well_named = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !well_named {
            return Err(section.error(name, "a step's name is made of letters, digits and `_`"));
        }
        let draft = steps::read(&section.object(name)?.in_step(name)).map_err(|error| error.at_step(name))?;
        names.steps.push((name, draft));
    }
    if names.steps.is_empty() {
        return Err(document.missing("steps"));
    }
    let outputs = read_outputs(document, &names)?;
    let wires = (0..names.steps.len()).map(|i| names.wires(i, &section)).collect::<Result<Vec<_>>>()?;
    let mut linked = Vec::new();
    let drafts: Vec<(&str, Action)> = names.steps.into_iter().map(|(name, draft)| (name, draft.action)).collect();
    let known: Vec<&str> = drafts.iter().map(|(name, _)| *name).collect();
    let guards: Vec<bool> = drafts.iter().map(|(_, action)| matches!(action, Action::Guard(_))).collect();
    for ((name, action), wires) in drafts.into_iter().zip(wires) {
        let step = section.object(name)?.in_step(name);
        let mut after = Vec::new();
        for guard in step.texts("after")?.unwrap_or_default() {
            let found = known.iter().position(|known| *known == guard).filter(|i| guards.get(*i) == Some(&true));
            after.push(found.ok_or_else(|| {
                let all = known.iter().zip(&guards).filter(|(_, is_guard)| **is_guard).map(|(name, _)| *name);
                step.error("after", format!("there is no guard `{guard}`")).with_hint(offer(guard, all))
            })?);
        }
        let live = step.flag("live")? || matches!(action, Action::Literal(_) | Action::Lookup(_));
        let timeout_ms = step.number("timeout_ms")?;
        linked.push(Step { name: Rc::from(name), action, wires, after, live, timeout_ms });
    }
    check_order(&linked)?;
    check_live(&linked)?;
    trust(&mut linked, inputs);
    check_tables(&linked, inputs)?;
    Ok((linked, outputs))
}

fn read_outputs(document: &Reader, names: &Names) -> Result<Outputs> {
    let section = document.object("outputs")?;
    let mut outputs = Vec::new();
    for (name, _) in section.entries() {
        let want = Want::new(name, section.need_text(name)?, WantKind::Any);
        outputs.push((name.to_owned(), names.resolve(&want, &section)?.0));
    }
    if outputs.is_empty() { Err(document.missing("outputs")) } else { Ok(outputs) }
}

impl Names<'_> {
    fn wires(&self, step: usize, section: &Reader) -> Result<Vec<Wire>> {
        let Some((name, draft)) = self.steps.get(step) else { return Ok(Vec::new()) };
        let place = section.object(name)?.in_step(name);
        let wire = |want: &Want| {
            let (from, ty) = self.resolve(want, &place)?;
            self.check(want, &from, &ty, &place)?;
            Ok(Wire { argument: want.argument.clone(), from, untrusted: false })
        };
        draft.wants.iter().map(wire).collect()
    }

    /// The source that a want names, and its type.
    fn resolve(&self, want: &Want, place: &Reader) -> Result<(Source, Type)> {
        let Some((step, field)) = want.from.split_once('.') else {
            let found = self.inputs.iter().position(|input| input.name == want.from);
            let found = found.and_then(|i| Some((Source::Input(i), self.inputs.get(i)?.ty.clone())));
            return found.ok_or_else(|| self.unknown(want, place));
        };
        let Some(position) = self.steps.iter().position(|(name, _)| *name == step) else {
            return Err(self.unknown(want, place));
        };
        let gives = self.steps.get(position).map(|(_, draft)| draft.gives.as_slice()).unwrap_or_default();
        let found = gives.iter().find(|(name, _)| name == field);
        found.map(|(_, ty)| (Source::Field(position, field.to_owned()), ty.clone())).ok_or_else(|| {
            let hint = offer(field, gives.iter().map(|(name, _)| name.as_str()));
            place.error(&want.place, format!("step `{step}` gives no field `{field}`")).with_hint(hint)
        })
    }

    fn unknown(&self, want: &Want, place: &Reader) -> Error {
        let fields =
            self.steps.iter().flat_map(|(step, draft)| draft.gives.iter().map(move |(f, _)| format!("{step}.{f}")));
        let all: Vec<String> = self.inputs.iter().map(|input| input.name.clone()).chain(fields).collect();
        place
            .error(&want.place, format!("`{}` is neither an input nor a field of a step", want.from))
            .with_hint(offer(&want.from, all.iter().map(String::as_str)))
    }

    fn check(&self, want: &Want, from: &Source, ty: &Type, place: &Reader) -> Result<()> {
        let asked = match &want.kind {
            WantKind::Any => return Ok(()),
            WantKind::Of(asked) => asked.clone(),
            WantKind::Texts => {
                let fit = fits(ty, &Type::Str) || fits(ty, &texts_type());
                return if fit { Ok(()) } else { Err(mismatch(want, ty, "str or list[str]", place)) };
            }
            WantKind::Passages => passages_type(),
            WantKind::Declared => {
                let declared = match from {
                    Source::Input(_) => true,
                    Source::Field(step, _) => {
                        let action = self.steps.get(*step).map(|(_, draft)| &draft.action);
                        matches!(action, Some(Action::Literal(_) | Action::Lookup(_)))
                    }
                };
                if !declared {
                    let message =
                        format!("`{}` may be a model's word; only an input or a literal decides here", want.from);
                    return Err(place.error(&want.place, message).with_hint("name an input of the program"));
                }
                Type::Str
            }
        };
        if fits(ty, &asked) { Ok(()) } else { Err(mismatch(want, ty, &asked.annotation_name(), place)) }
    }
}

fn mismatch(want: &Want, ty: &Type, asked: &str, place: &Reader) -> Error {
    place.error(&want.place, format!("`{}` is {}, and {asked} is needed here", want.from, ty.annotation_name()))
}

/// The steps that a step waits for.
fn waits_for(step: &Step) -> impl Iterator<Item = usize> {
    let wires = step.wires.iter().filter_map(|wire| match wire.from {
        Source::Field(step, _) => Some(step),
        Source::Input(_) => None,
    });
    wires.chain(step.after.iter().copied())
}

/// Steps that wait for each other would never start.
fn check_order(steps: &[Step]) -> Result<()> {
    let mut done = vec![false; steps.len()];
    while let Some(i) = (0..steps.len()).find(|&i| {
        let ready = |step: &Step| waits_for(step).all(|other| done.get(other) == Some(&true));
        done.get(i) == Some(&false) && steps.get(i).is_some_and(ready)
    }) {
        if let Some(done) = done.get_mut(i) {
            *done = true;
        }
    }
    let Some(start) = done.iter().position(|done| !done) else { return Ok(()) };
    // Every step that is left waits for one that is left: following them leads round a cycle.
    let mut path = vec![start];
    loop {
        let last = path.last().copied().unwrap_or(start);
        let next = steps.get(last).and_then(|step| waits_for(step).find(|other| done.get(*other) == Some(&false)));
        let Some(next) = next else { break };
        if let Some(from) = path.iter().position(|i| *i == next) {
            path.drain(..from);
            break;
        }
        path.push(next);
    }
    let names: Vec<&str> =
        path.iter().chain(path.first()).filter_map(|i| steps.get(*i).map(|step| &*step.name)).collect();
    let error = Error::new(ErrorKind::Pipeline, format!("steps wait for each other: `{}`", names.join("` needs `")));
    Err(error.at_step(names.first().copied().unwrap_or_default()).with_hint("remove one of these wires"))
}

/// What a live step shows must not hold what a guard may still keep back.
fn check_live(steps: &[Step]) -> Result<()> {
    for step in steps.iter().filter(|step| step.live) {
        let held = step.wires.iter().find_map(|wire| match &wire.from {
            Source::Field(from, _) => steps.get(*from).filter(|from| !from.live),
            Source::Input(_) => None,
        });
        if let Some(held) = held {
            let message = format!("a live step cannot take what `{}` gives, which a guard may keep back", held.name);
            let error = Error::new(ErrorKind::Pipeline, message).at_step(&step.name).at_field("live");
            return Err(error.with_hint(format!("make `{}` live too, or this step not", held.name)));
        }
    }
    Ok(())
}

/// Marks the wires whose text was not written by the program's author.
fn trust(steps: &mut [Step], inputs: &[Input]) {
    let mut trusted: Vec<bool> = vec![false; steps.len()];
    // Joins may come before the steps they join: as many rounds as steps settle all of them.
    for _ in 0..steps.len() {
        for (i, step) in steps.iter().enumerate() {
            let all = || step.wires.iter().all(|wire| is_trusted(&wire.from, inputs, &trusted));
            let is = match step.action {
                Action::Literal(_) | Action::Lookup(_) => true,
                Action::Join(_) => all(),
                _ => false,
            };
            if let Some(slot) = trusted.get_mut(i) {
                *slot = is;
            }
        }
    }
    for wire in steps.iter_mut().flat_map(|step| &mut step.wires) {
        wire.untrusted = !is_trusted(&wire.from, inputs, &trusted);
    }
}

fn is_trusted(source: &Source, inputs: &[Input], trusted: &[bool]) -> bool {
    match source {
        Source::Input(i) => inputs.get(*i).is_some_and(|input| input.trusted),
        Source::Field(step, _) => trusted.get(*step) == Some(&true),
    }
}

/// A filter's table covers every value that its input can have.
fn check_tables(steps: &[Step], inputs: &[Input]) -> Result<()> {
    for step in steps {
        let Action::Retrieve(retrieve) = &step.action else { continue };
        for (column, by, table) in retrieve.tables() {
            let Some(Type::Literal(values)) = inputs.iter().find(|input| input.name == by).map(|input| &input.ty)
            else {
                continue;
            };
            if let Some(missing) = values.iter().filter_map(Value::as_str).find(|value| !table.contains_key(*value)) {
                let error = Error::new(ErrorKind::Pipeline, format!("the table does not say what `{missing}` may see"));
                return Err(error.at_step(&step.name).at_field(&format!("filters.{column}.values")));
            }
        }
    }
    Ok(())
}
