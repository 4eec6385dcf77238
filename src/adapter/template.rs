//! What all adapters share: which messages there are, in which order, and what stands in a user message.

use super::{history, media};
use crate::error::Result;
use crate::example::Example;
use crate::lm::Message;
use crate::python::{dedent, splitlines, strip};
use crate::signature::{Field, Signature, Type};
use crate::value::{Map, Value};

/// What an adapter writes in its own way.
pub(super) trait Template {
    /// Tool calls of earlier turns are sent as the API has them, not as text.
    fn native_function_calling(&self) -> bool;

    /// The part of the system message that shows the form of inputs and outputs.
    fn write_structure(&self, out: &mut String, signature: &Signature) -> Result<()>;

    /// An input, with its name.
    fn write_input(&self, out: &mut String, field: &Field, value: &Value) -> Result<()>;

    /// What the end of a request says about the form of the reply.
    fn write_reminder(&self, out: &mut String, outputs: &[&Field]) -> Result<()>;

    /// A reply with these outputs, `missing` where one is not given.
    fn write_reply(&self, out: &mut String, outputs: &[&Field], values: &Map, missing: &Value) -> Result<()>;
}

/// The fields that messages show.
#[derive(Clone)]
pub(super) struct Shown<'a> {
    pub inputs: Vec<&'a Field>,
    pub outputs: Vec<&'a Field>,
}

impl<'a> Shown<'a> {
    pub fn all(signature: &'a Signature) -> Self {
        Self { inputs: signature.inputs().collect(), outputs: signature.outputs().collect() }
    }
}

/// The system message and the demos.
pub(super) fn prefix(template: &impl Template, signature: &Signature, demos: &[Example]) -> Result<Vec<Message>> {
    let mut messages = Vec::with_capacity(1 + 2 * demos.len());
    messages.push(Message::text("system", system_text(template, signature)?));
    let shown = Shown::all(signature);
    let mut push = |demo: &Example, opening: &str, missing: &str| -> Result<()> {
        messages.push(media::user_message(user_text(template, &shown, &demo.fields, opening, Reminder::Without)?));
        let mut reply = String::new();
        template.write_reply(&mut reply, &shown.outputs, &demo.fields, &missing.into())?;
        messages.push(Message::text("assistant", reply));
        Ok(())
    };
    for (demo, is_complete) in in_order(&shown, demos) {
        let (opening, missing) = if is_complete { ("", "") } else { (INCOMPLETE, MISSING) };
        push(demo, opening, missing)?;
    }
    Ok(messages)
}

/// What stands before an example that lacks something.
pub(super) const INCOMPLETE: &str =
    "This is an example of the task, though some input or output fields are not supplied.";

/// What stands for an output that it lacks.
const MISSING: &str = "Not supplied for this particular example. ";

/// The demos in the order of their messages: incomplete ones first, unless they are useless. And whether they are complete.
pub(super) fn in_order<'a>(shown: &Shown, demos: &'a [Example]) -> impl Iterator<Item = (&'a Example, bool)> {
    let incomplete = demos.iter().filter(|demo| !is_complete(shown, demo) && is_useful(shown, demo));
    let complete = demos.iter().filter(|demo| is_complete(shown, demo));
    incomplete.map(|demo| (demo, false)).chain(complete.map(|demo| (demo, true)))
}

/// A demo is complete when no field is missing or `None`.
fn is_complete(shown: &Shown, demo: &Example) -> bool {
    shown
        .inputs
        .iter()
        .chain(&shown.outputs)
        .all(|field| demo.get(&field.name).is_some_and(|value| *value != Value::None))
}

/// A demo that is not complete is shown when it has an input and an output.
fn is_useful(shown: &Shown, demo: &Example) -> bool {
    let has = |field: &&Field| demo.get(&field.name).is_some();
    shown.inputs.iter().any(has) && shown.outputs.iter().any(has)
}

/// The turns of the history, and the user message of this call.
pub(super) fn turns(template: &impl Template, signature: &Signature, inputs: &Example) -> Result<Vec<Message>> {
    let mut shown = Shown::all(signature);
    let mut messages = Vec::new();
    if let Some(at) = shown.inputs.iter().position(|field| history::is_history(field)) {
        let field = shown.inputs.remove(at);
        if let Some(value) = inputs.get(&field.name) {
            history::push_turns(&mut messages, template, &shown, field, value)?;
        }
    }
    let text = user_text(template, &shown, &inputs.fields, "", Reminder::With)?;
    if !text.is_empty() {
        messages.push(media::user_message(text));
    }
    Ok(messages)
}

/// The values as inputs of type `str`.
pub(super) fn inputs_text(template: &impl Template, values: &Map) -> Result<String> {
    let fields: Vec<Field> = values.keys().map(|name| Field::input(name, Type::Str)).collect();
    let shown = Shown { inputs: fields.iter().collect(), outputs: Vec::new() };
    user_text(template, &shown, values, "", Reminder::Without)
}

/// Whether a user message ends by saying what the reply must look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reminder {
    With,
    Without,
}

/// The text of a user message: `opening`, the inputs that are given, and the reminder, with blank lines between.
pub(super) fn user_text(
    template: &impl Template,
    shown: &Shown,
    values: &Map,
    opening: &str,
    reminder: Reminder,
) -> Result<String> {
    let mut out = opening.to_owned();
    for field in &shown.inputs {
        if let Some(value) = values.get(&field.name) {
            push_blank_line(&mut out);
            template.write_input(&mut out, field, value).map_err(|error| error.at_field(&field.name))?;
        }
    }
    if reminder == Reminder::With {
        push_blank_line(&mut out);
        template.write_reminder(&mut out, &shown.outputs)?;
    }
    Ok(stripped(out))
}

/// Separates what comes next from what is there.
pub(super) fn push_blank_line(out: &mut String) {
    if !out.is_empty() {
        out.push_str("\n\n");
    }
}

/// `str.strip()` of an owned text.
pub(super) fn stripped(text: String) -> String {
    let strip = strip(&text);
    if strip.len() == text.len() { text } else { strip.to_owned() }
}

fn system_text(template: &impl Template, signature: &Signature) -> Result<String> {
    let mut out = "Your input fields are:\n".to_owned();
    out.push_str(&signature.describe(signature.inputs())?);
    out.push_str("\nYour output fields are:\n");
    out.push_str(&signature.describe(signature.outputs())?);
    out.push('\n');
    template.write_structure(&mut out, signature)?;
    out.push_str("\nIn adhering to this structure, your objective is: ");
    for line in splitlines(&dedent(&signature.instructions)) {
        out.push_str("\n        ");
        out.push_str(line);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::{Adapter, ChatAdapter};
    use crate::lm::Content;

    fn texts(messages: Vec<Message>) -> Vec<(&'static str, String)> {
        let text = |message: Message| match message.content {
            Content::Text(text) => (message.role, text),
            other => (message.role, format!("{other:?}")),
        };
        messages.into_iter().map(text).collect()
    }

    fn demos(signature: &str, demos: &[Example]) -> Vec<(&'static str, String)> {
        let signature = Signature::parse(signature).unwrap();
        texts(ChatAdapter::default().prefix(&signature, demos).unwrap()).split_off(1)
    }

    #[test]
    fn incomplete_demos_come_first_and_say_so() {
        let complete = Example::new().with("q", "2").with("a", "4").with("b", "5").with("augmented", true);
        let incomplete = Example::new().with("q", "1").with("b", Value::None);
        let useless = [Example::new().with("q", "1"), Example::new().with("a", "1"), Example::new()];
        let given = [&[complete, incomplete], &useless[..]].concat();
        assert_eq!(
            demos("q -> a, b", &given),
            [
                (
                    "user",
                    "This is an example of the task, though some input or output fields are not supplied.\n\n[[ ## q ## ]]\n1"
                        .to_owned()
                ),
                (
                    "assistant",
                    "[[ ## a ## ]]\nNot supplied for this particular example. \n\n[[ ## b ## ]]\nNone\n\n\
                     [[ ## completed ## ]]\n"
                        .to_owned()
                ),
                ("user", "[[ ## q ## ]]\n2".to_owned()),
                ("assistant", "[[ ## a ## ]]\n4\n\n[[ ## b ## ]]\n5\n\n[[ ## completed ## ]]\n".to_owned()),
            ]
        );
    }

    #[test]
    fn only_the_outer_white_space_of_a_message_goes() {
        let shown =
            demos("p, q -> a", &[Example::new().with("p", " x \n").with("q", " y \u{1f}\n").with("a", "\n z\n")]);
        assert_eq!(shown[0].1, "[[ ## p ## ]]\n x \n\n\n[[ ## q ## ]]\n y");
        assert_eq!(shown[1].1, "[[ ## a ## ]]\n\n z\n\n[[ ## completed ## ]]\n");
    }

    #[test]
    fn inputs_stand_in_the_order_of_the_signature_and_others_are_left_out() {
        let signature = Signature::parse("p, q, r -> a").unwrap();
        let inputs = Example::new().with("r", "3").with("x", "9").with("p", Value::None);
        let turns = texts(ChatAdapter::default().turns(&signature, &inputs).unwrap());
        let [(role, text)] = turns.as_slice() else { panic!("one message, not {turns:?}") };
        assert_eq!(*role, "user");
        assert!(text.starts_with("[[ ## p ## ]]\nNone\n\n[[ ## r ## ]]\n3\n\nRespond with "), "{text}");
    }

    #[test]
    fn instructions_are_indented_line_by_line() {
        for (instructions, expected) in [
            ("", ""),
            ("One.\n  Two.\n\nThree.", "\n        One.\n          Two.\n        \n        Three."),
            ("  a\u{2028}b\r\n", "\n        a\n        b"),
        ] {
            let mut signature = Signature::parse("q -> a").unwrap();
            signature.instructions = instructions.into();
            let system = texts(ChatAdapter::default().prefix(&signature, &[]).unwrap()).remove(0).1;
            let task = system.split_once("your objective is: ").map(|(_, task)| task);
            assert_eq!(task, Some(expected));
        }
    }

    #[test]
    fn an_input_that_cannot_be_shown_is_named() {
        let signature = Signature::parse("q -> a").unwrap();
        let inputs = Example::new().with("q", Value::List(vec![1.into()]));
        let error = ChatAdapter::default().turns(&signature, &inputs).unwrap_err();
        assert_eq!((error.field(), error.python_class()), (Some("q"), Some("TypeError")));
        assert!(error.hint().is_some());
    }
}
