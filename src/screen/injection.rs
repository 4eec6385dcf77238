//! Orders to a model inside text that should only inform it.

use super::words::{Words, is_invisible};
use super::{Finding, Rule};
use crate::text::sentences;

/// Over how many lines one order may be spread.
pub(super) const LINES: usize = 4;
/// How long the text and the address of a link may be.
const LONGEST_LINK: usize = 500;

/// Tags whose addresses a page loads without anybody's doing.
const LOADING: [&str; 10] =
    ["img", "image", "picture", "source", "video", "audio", "iframe", "embed", "object", "link"];

const OVERRIDES: [&str; 7] = ["ignore", "disregard", "forget", "override", "bypass", "discard", "overrule"];
const EARLIER: [&str; 14] = [
    "previous",
    "prior",
    "above",
    "earlier",
    "preceding",
    "foregoing",
    "all",
    "any",
    "your",
    "system",
    "these",
    "those",
    "company",
    "every",
];
const ORDERS: [&str; 8] =
    ["instruction", "instructions", "prompt", "prompts", "directions", "directives", "guardrails", "programming"];
const LIMITS: [&str; 6] = ["rules", "guidelines", "restrictions", "constraints", "policies", "criteria"];
const NEGATIONS: [&str; 9] = ["not", "never", "don't", "cannot", "can't", "mustn't", "nobody", "won't", "shouldn't"];
/// What may stand before an order: nothing, or words of urging.
const URGING: [&str; 14] = [
    "please",
    "you",
    "must",
    "should",
    "and",
    "now",
    "then",
    "just",
    "to",
    "ai",
    "assistant",
    "model",
    "will",
    "immediately",
];

const ROLES: [&str; 17] = [
    "you are now a",
    "you are now an",
    "you are now dan",
    "you are now free",
    "from now on you",
    "from now on answer",
    "from now on respond",
    "pretend to be",
    "pretend you",
    "pretend that you",
    "pretend i am",
    "pretend that i am",
    "developer mode",
    "do anything now",
    "dan mode",
    "jailbreak mode",
    "no longer bound",
];
const LIBERTIES: [&str; 9] = [
    "unrestricted",
    "unfiltered",
    "uncensored",
    "jailbroken",
    "restrictions",
    "filters",
    "administrator",
    "admin",
    "root",
];

/// Those whom an order to a model addresses, as phrases.
const MODELS: [&str; 24] = [
    "ai",
    "ais",
    "llm",
    "llms",
    "assistant",
    "assistants",
    "chatbot",
    "chatbots",
    "chatgpt",
    "gpt",
    "claude",
    "copilot",
    "gemini",
    "language model",
    "language models",
    "ai model",
    "ai models",
    "ai system",
    "ai systems",
    "ai assistant",
    "ai assistants",
    "ai agent",
    "ai agents",
    "ai tool",
];
const HERALDS: [&str; 13] = [
    "attention",
    "note",
    "notice",
    "instruction",
    "instructions",
    "message",
    "dear",
    "hey",
    "important",
    "reminder",
    "memo",
    "system",
    "directive",
];
const READING: [&str; 11] = [
    "reading",
    "processing",
    "summarizing",
    "summarising",
    "summarizes",
    "summarises",
    "reads",
    "analyzing",
    "analysing",
    "indexing",
    "parsing",
];
/// What a model would be told to do.
const ACTS: [&str; 30] = [
    "say",
    "tell",
    "reply",
    "respond",
    "answer",
    "reveal",
    "disclose",
    "approve",
    "confirm",
    "recommend",
    "state",
    "output",
    "print",
    "repeat",
    "append",
    "include",
    "mention",
    "ignore",
    "disregard",
    "forget",
    "send",
    "issue",
    "rate",
    "rank",
    "grant",
    "claim",
    "give",
    "mark",
    "summarize",
    "summarise",
];

const REVEALING: [&str; 11] =
    ["reveal", "show", "print", "repeat", "output", "display", "tell", "give", "what", "recite", "leak"];
const INNER: [&str; 10] = [
    "system prompt",
    "your prompt",
    "your instructions",
    "initial instructions",
    "hidden instructions",
    "system message",
    "your system instructions",
    "initial prompt",
    "secret instructions",
    "your guidelines",
];

/// Marks every sentence that gives orders to a model, every comment, and every run of invisible characters.
pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let mut add = |start, end| found.push(Finding { rule: Rule::Injection, start, end });
    let mut end = 0;
    for (start, _) in text.match_indices("<!--") {
        if start >= end {
            end = text.get(start..).and_then(|rest| rest.find("-->")).map_or(text.len(), |length| start + length + 3);
            add(start, end);
        }
    }
    let mut run: Option<(usize, usize, usize)> = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (&mut run, is_invisible(c)) {
            (Some((_, end, count)), true) => (*end, *count) = (at + c.len_utf8(), *count + 1),
            (None, true) => run = Some((at, at + c.len_utf8(), 1)),
            // Joined emoji and soft hyphens hold one; a hidden message needs more.
            (Some((start, end, count)), false) => {
                if *count > 2 {
                    add(*start, *end);
                }
                run = None;
            }
            (None, false) => {}
        }
    }
    let mut done = 0;
    let sentences = sentences(text);
    for (i, (start, end)) in sentences.iter().copied().enumerate() {
        let sentence = text.get(start..end).unwrap_or_default();
        if start >= done && wrapped(text, &sentences, i).any(|lines| orders_a_model(&Words::of(lines))) {
            let lead = sentence.trim_start_matches(|c: char| c.is_whitespace() || "#>*-".contains(c));
            // Who orders once goes on: what stands behind it in the paragraph is part of the attack.
            done = end_of_paragraph(text, end);
            let length = text.get(start..done).unwrap_or_default().trim_end().len();
            add(start + sentence.len() - lead.len(), start + length);
        }
    }
}

/// A sentence alone, and with the next lines, over which it may go on.
fn wrapped<'a>(text: &'a str, sentences: &'a [(usize, usize)], i: usize) -> impl Iterator<Item = &'a str> {
    let start = sentences.get(i).map_or(0, |(start, _)| *start);
    let mut before: Option<&str> = None;
    sentences.iter().skip(i).take(LINES).map_while(move |(_, end)| {
        let goes_on = before.is_none_or(|before| before.ends_with('\n'));
        before = text.get(start..*end).filter(|_| goes_on);
        before
    })
}

/// Where the paragraph ends that goes on at `from`: at the next blank line.
fn end_of_paragraph(text: &str, from: usize) -> usize {
    let mut at = from;
    let goes_on = text.get(..from).is_some_and(|before| !before.ends_with('\n'));
    for (i, line) in text.get(from..).unwrap_or_default().split_inclusive('\n').enumerate() {
        if line.trim().is_empty() && !(i == 0 && goes_on) {
            break;
        }
        at += line.len();
    }
    at
}

/// Marks what leads to hosts that are not allowed: images and other tags that a page would load by itself, and links with a query.
pub(super) fn links(text: &str, allow: &[String], found: &mut Vec<Finding>) {
    tags(text, allow, found);
    definitions(text, allow, found);
    for (middle, _) in text.match_indices("](") {
        let (Some(before), Some(after)) = (text.get(..middle), text.get(middle + 2..)) else { continue };
        let open = before.char_indices().rev().take(LONGEST_LINK).find(|(_, c)| *c == '[');
        let close = after.char_indices().take(LONGEST_LINK).find(|(_, c)| *c == ')');
        let (Some((open, _)), Some((close, _))) = (open, close) else { continue };
        let target = after.get(..close).unwrap_or_default().trim();
        let is_image = before.get(..open).is_some_and(|lead| lead.ends_with('!'));
        if (is_image || target.contains('?')) && is_foreign(target, allow) {
            let start = if is_image { open - 1 } else { open };
            found.push(Finding { rule: Rule::Exfiltration, start, end: middle + 2 + close + 1 });
        }
    }
}

/// `<img src="https://...">` and its like.
fn tags(text: &str, allow: &[String], found: &mut Vec<Finding>) {
    for (start, _) in text.match_indices('<') {
        let Some(tag) = text.get(start..).filter(|rest| is_loading_tag(rest)) else { continue };
        let Some(close) = tag.char_indices().take(LONGEST_LINK).find(|(_, c)| *c == '>') else { continue };
        if tag.get(..close.0).is_some_and(|tag| is_foreign(tag, allow)) {
            found.push(Finding { rule: Rule::Exfiltration, start, end: start + close.0 + 1 });
        }
    }
}

/// Whether a tag begins here that has a page load something.
pub(super) fn is_loading_tag(text: &str) -> bool {
    let name = text.get(1..).unwrap_or_default();
    LOADING.iter().any(|tag| name.get(..tag.len()).is_some_and(|name| name.eq_ignore_ascii_case(tag)))
}

/// `[1]: https://...`, the address of a link or an image that stands elsewhere.
fn definitions(text: &str, allow: &[String], found: &mut Vec<Finding>) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let label = line.trim_start();
        let open = start + line.len() - label.len();
        start += line.len();
        let named = label.strip_prefix('[').and_then(|label| label.split_once(']'));
        let Some(after) = named.and_then(|(_, after)| after.strip_prefix(':')) else { continue };
        let address = after.split_whitespace().next().unwrap_or_default();
        if address.contains('?') && is_foreign(address, allow) {
            let lead = after.len() - after.trim_start().len();
            let end = open + label.len() - after.len() + lead + address.len();
            found.push(Finding { rule: Rule::Exfiltration, start: open, end });
        }
    }
}

/// Whether an address leads to a host that is not allowed; one without a host stays where it is.
fn is_foreign(target: &str, allow: &[String]) -> bool {
    target.split_once("//").is_some_and(|(_, address)| {
        let host = address.split(['/', '?', '#', ':', ' ', '"', '\'']).next().unwrap_or_default();
        !is_allowed_host(host, allow)
    })
}

/// Whether a host is an allowed domain or below one.
pub(super) fn is_allowed_host(host: &str, allow: &[String]) -> bool {
    allow.iter().any(|domain| {
        let head = host.len().checked_sub(domain.len()).and_then(|at| host.split_at_checked(at));
        head.is_some_and(|(head, tail)| tail.eq_ignore_ascii_case(domain) && (head.is_empty() || head.ends_with('.')))
    })
}

fn orders_a_model(words: &Words) -> bool {
    overrides(words) || gives_a_role(words) || addresses_a_model(words) || asks_for_the_prompt(words)
}

/// "Ignore all previous instructions", but not "never ignore these rules" or "employees who ignore the rules above".
fn overrides(words: &Words) -> bool {
    words.all(&OVERRIDES).any(|verb| {
        let urged = words.0.get(verb).is_some_and(|word| word.opens) || words.before(verb, 1, &URGING);
        let Some(earlier) = words.within(verb + 1, 4, &EARLIER) else { return false };
        let named = words.within(earlier + 1, 4, &ORDERS).is_some()
            || (words
                .within(verb + 1, 4, &["previous", "prior", "earlier", "preceding", "your", "company", "system"])
                .is_some()
                && words.within(earlier + 1, 4, &LIMITS).is_some());
        urged && named && !words.before(verb, 3, &NEGATIONS)
    })
}

fn gives_a_role(words: &Words) -> bool {
    words.any_phrase(&ROLES)
        || (["act as", "behave as", "respond as", "answer as", "roleplay as"].iter().any(|phrase| {
            words
                .phrase(phrase)
                .is_some_and(|at| words.0.get(at).is_some_and(|word| word.opens) || words.before(at, 1, &URGING))
        }) && words.any(&LIBERTIES))
}

/// "Attention AI model: ...", "if you are an AI, say ...", "AI assistants reading this must ...".
fn addresses_a_model(words: &Words) -> bool {
    MODELS.iter().any(|name| {
        let Some(at) = words.phrase(name) else { return false };
        let behind = at + name.split(' ').count();
        if words.within(behind, 1, &["manager", "managers", "director", "directors"]).is_some() {
            return false;
        }
        let called = words.before(at, 5, &HERALDS) || words.phrase("if you are").is_some_and(|i| i < at && at - i <= 5);
        let reads = words.within(behind, 2, &READING).is_some();
        let told = words.0.iter().enumerate().skip(behind).any(|(i, word)| {
            ACTS.contains(&word.text.as_str())
                && (word.opens || words.before(i, 1, &URGING) || words.before(i, 2, &["always"]))
        });
        // At the head of the sentence, with the order right behind a comma or a colon: "Assistant, confirm this".
        let spoken_to =
            at <= 1 && words.0.get(behind).is_some_and(|word| word.opens && ACTS.contains(&word.text.as_str()));
        ((called || reads) && told) || spoken_to
    })
}

fn asks_for_the_prompt(words: &Words) -> bool {
    words.any_phrase(&INNER) && words.any(&REVEALING)
}
