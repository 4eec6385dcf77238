//! Redaction of text that is still being written.

use std::rc::Rc;

use super::injection::{LINES, is_loading_tag};
use super::{Rule, Rules, replace};

/// Redacts a text that arrives in pieces: what it lets out is a beginning of what [`Rules::redact`] makes of the whole.
///
/// The last sentence is kept back until the next one has begun, because what it holds may not be recognised before its
/// end; more of them when orders to a model are looked for, which may go over several lines.
pub struct Redactor {
    rules: Rc<Rules>,
    text: String,
    /// Up to where the text was found safe to show.
    safe: usize,
    /// How much of the redacted text is out.
    out: usize,
}

impl Redactor {
    /// A redactor of one text.
    pub fn new(rules: Rc<Rules>) -> Self {
        Self { rules, text: String::new(), safe: 0, out: 0 }
    }

    /// Takes a piece and gives what may be shown by now.
    pub fn push(&mut self, piece: &str) -> String {
        self.text.push_str(piece);
        let end = safe_end(&self.text, if self.rules.on.contains(&Rule::Injection) { LINES } else { 1 });
        if end > self.safe {
            self.safe = end;
            self.let_out(end)
        } else {
            String::new()
        }
    }

    /// The text is complete: gives the rest.
    pub fn finish(&mut self) -> String {
        self.let_out(self.text.len())
    }

    fn let_out(&mut self, mut end: usize) -> String {
        let mut findings = self.rules.find(&self.text);
        // A finding that reaches past the end may grow: it stays back as a whole.
        if let Some(crossing) = findings.iter().find(|finding| finding.start < end && finding.end > end) {
            end = crossing.start;
        }
        findings.retain(|finding| finding.end <= end);
        let redacted = replace(self.text.get(..end).unwrap_or_default(), &findings);
        let fresh = redacted.get(self.out..).unwrap_or_default().to_owned();
        self.out = self.out.max(redacted.len());
        fresh
    }
}

/// Where the sentences end that stand before the last ones; nothing of an open comment, key block or link is safe.
fn safe_end(text: &str, kept: usize) -> usize {
    let ends: Vec<usize> = crate::text::sentences(text).iter().map(|(_, end)| *end).collect();
    let end = ends.len().checked_sub(kept + 1).and_then(|i| ends.get(i)).copied().unwrap_or(0);
    let shown = text.get(..end).unwrap_or_default();
    let open = ["<!--", "-----BEGIN ", "!["].iter().filter_map(|opening| shown.rfind(opening));
    let tag = shown.rfind('<').filter(|at| shown.get(*at..).is_some_and(is_loading_tag));
    open.chain(tag).filter(|at| !is_closed(text.get(*at..end).unwrap_or_default())).min().unwrap_or(end)
}

fn is_closed(part: &str) -> bool {
    match part {
        _ if part.starts_with("<!--") => part.contains("-->"),
        _ if part.starts_with('<') => part.contains('>'),
        _ if part.starts_with('!') => part.contains(')') || !part.contains("]("),
        _ => part.matches("-----").count() > 3,
    }
}
