//! Replies in the formats that adapters read, and events as short lines.

use lakelet::run::Event;

use super::Stage;

/// A reply for `ChatAdapter`.
pub fn chat(fields: &[(&str, &str)]) -> String {
    let sections: Vec<String> = fields.iter().map(|(name, text)| format!("[[ ## {name} ## ]]\n{text}\n\n")).collect();
    sections.concat() + "[[ ## completed ## ]]"
}

impl Stage {
    /// What was told, one line an event; text that was told in pieces is put together.
    pub fn told(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut last: Option<(usize, String)> = None;
        for event in self.events.borrow().iter() {
            if let Event::Text { id, step, field, text } = event {
                let this = Some((*id, field.to_string()));
                match lines.last_mut().filter(|_| last == this) {
                    Some(line) => line.push_str(text),
                    None => lines.push(format!("{step}.{field}: {text}")),
                }
                last = this;
                continue;
            }
            last = None;
            lines.push(match event {
                Event::Started { step, .. } => format!("started {step}"),
                Event::Warning { step, message, .. } => format!("warning {step}: {message}"),
                Event::Finished(span) => format!("finished {}", span.name),
                Event::Partial { step, field, value, .. } => {
                    format!("{step}.{field} so far: {}", lakelet::python::repr(value))
                }
                Event::Value { step, field, .. } => format!("done {step}.{field}"),
                Event::Result { stopped_by: None, .. } => "result".to_owned(),
                Event::Result { stopped_by: Some(guard), .. } => format!("stopped by {guard}"),
                Event::Status(message) => format!("status: {message}"),
                Event::Stage { .. } | Event::Text { .. } | Event::Retracted { .. } => continue,
            });
        }
        lines
    }

    /// Everything that was told, as one text to search in.
    pub fn told_text(&self) -> String {
        format!("{:?}", self.events.borrow())
    }
}
