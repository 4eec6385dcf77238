//! Tokens, keys and passwords, by their shape.

use super::{Finding, Rule};

/// How many characters of a token are looked at.
const LONGEST: usize = 4096;

/// Whether a character can be part of a token.
type Kind = fn(char) -> bool;

/// Prefixes of tokens: how many characters of which kind must follow.
const TOKENS: [(&str, usize, Kind); 14] = [
    ("dapi", 32, is_hex),
    ("dose", 32, is_hex),
    ("dkea", 32, is_hex),
    ("AKIA", 16, is_upper_or_digit),
    ("ASIA", 16, is_upper_or_digit),
    ("ghp_", 30, is_token),
    ("gho_", 30, is_token),
    ("ghs_", 30, is_token),
    ("github_pat_", 30, is_token),
    ("xoxb-", 20, is_token),
    ("xoxp-", 20, is_token),
    ("sk-", 20, is_token),
    ("AIza", 35, is_token),
    ("glpat-", 20, is_token),
];
/// Names of secrets; a value assigned to one of them is a secret.
const NAMES: [&str; 14] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "client_secret",
    "api_key",
    "api key",
    "apikey",
    "access_key",
    "secret_access_key",
    "token",
    "auth_token",
];

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let mut add = |start, end| found.push(Finding { rule: Rule::Secrets, start, end });
    let mut end = 0;
    for (start, (prefix, length, kind)) in places(text, &TOKENS, |token| token.0) {
        let rest = text.get(start + prefix.len()..).unwrap_or_default();
        let shaped = rest.chars().take(*length).filter(|c| kind(*c)).count() == *length;
        if shaped && start >= end && starts_a_word(text, start) {
            end = end_of(text, start + prefix.len(), is_token);
            add(start, end);
        }
    }
    let mut end = 0;
    for (start, _) in text.match_indices("-----BEGIN ") {
        if start < end {
            continue;
        }
        let rest = text.get(start..).unwrap_or_default();
        if rest.lines().next().is_some_and(|line| line.contains("PRIVATE KEY")) {
            let tail =
                rest.find("-----END ").and_then(|at| rest.get(at + 9..)?.find("-----").map(|more| at + 9 + more + 5));
            end = start + tail.unwrap_or(rest.len());
            add(start, end);
        }
    }
    let mut end = 0;
    for (start, _) in text.match_indices("eyJ").filter(|(start, _)| starts_a_word(text, *start)) {
        if start < end {
            continue;
        }
        end = end_of(text, start, |c| is_token(c) || c == '.');
        let token = text.get(start..end).unwrap_or_default().trim_end_matches('.');
        if token.split('.').count() == 3 && token.split('.').all(|part| part.len() >= 10) {
            add(start, start + token.len());
        }
    }
    for (start, scheme) in text.match_indices("earer ") {
        let value = start + scheme.len();
        let end = end_of(text, value, |c| is_token(c) || "./+=~".contains(c));
        let long =
            text.get(value..end).is_some_and(|token| token.len() >= 16 && token.chars().any(|c| c.is_ascii_digit()));
        if long && text.get(..start).is_some_and(|before| before.ends_with(['B', 'b'])) {
            add(value, end);
        }
    }
    for (at, _) in text.match_indices("://") {
        let rest = text.get(at + 3..).unwrap_or_default();
        let authority = rest
            .get(..rest.find(|c: char| c.is_whitespace() || "/?#".contains(c)).unwrap_or(rest.len()))
            .unwrap_or_default();
        if let Some((user, _)) = authority.split_once('@')
            && let Some((name, password)) = user.split_once(':')
            && !password.is_empty()
        {
            add(at + 3 + name.len() + 1, at + 3 + user.len());
        }
    }
    assignments(text, &mut add);
}

/// `password: Harbour-7791`, `API_KEY=abc`, "the password is hunter22".
fn assignments(text: &str, add: &mut impl FnMut(usize, usize)) {
    let lower = text.to_ascii_lowercase();
    // A long run without a space need not be read again for every name inside it.
    let mut long_runs: Vec<(&str, usize)> = Vec::new();
    for (start, name) in places(&lower, &NAMES, |name| name) {
        if long_runs.iter().any(|(known, end)| known == name && start < *end) {
            continue;
        }
        let behind = start + name.len();
        let rest = lower.get(behind..).unwrap_or_default();
        let gap = rest.len() - rest.trim_start_matches(|c: char| c == ' ' || "\"'`*".contains(c)).len();
        let rest = rest.get(gap..).unwrap_or_default();
        let (sign, sure) = match rest {
            _ if rest.starts_with('=') => (1, true),
            _ if rest.starts_with(':') => (1, false),
            _ if rest.starts_with("is ") => (3, false),
            _ if rest.starts_with("was ") => (4, false),
            _ => continue,
        };
        let from = behind + gap + sign;
        let lead = text
            .get(from..)
            .map_or(0, |rest| rest.len() - rest.trim_start_matches(|c: char| c == ' ' || "\"'`*".contains(c)).len());
        let value = from + lead;
        let stop = end_of(text, value, |c| !c.is_whitespace() && !"\"'`,;<>|".contains(c));
        if stop - value > 256 {
            long_runs.push((name, stop));
        }
        let word = text.get(value..stop).unwrap_or_default().trim_end_matches(['.', ')', ':', '?', '!', '*']);
        if word.len() >= 6 && !word.starts_with(['[', '{', '(', '$']) && (sure || looks_secret(word)) {
            add(value, value + word.len());
        }
    }
}

/// Letters with digits or signs among them, as no ordinary word has.
fn looks_secret(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let signs = word.chars().filter(|c| "!@#$%^&*+~".contains(*c)).count();
    let starts_with_number = word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('-');
    letters >= 2
        && (digits >= 2 || signs > 0 || (digits == 1 && letters >= 6))
        && !starts_with_number
        && !word.contains("://")
}

/// Where any of the patterns stands, and which one; there are at most 32, of two characters or more. One reading of the text finds them all,
/// because setting up a search for each takes longer than the reading.
fn places<'a, T>(
    text: &'a str,
    patterns: &'a [T],
    pattern: fn(&T) -> &'static str,
) -> impl Iterator<Item = (usize, &'a T)> {
    // A bit for each pattern: by its first character, and by its second one.
    let (mut firsts, mut seconds) = ([0_u32; 128], [0_u32; 128]);
    for (i, item) in patterns.iter().enumerate() {
        for (bits, byte) in [&mut firsts, &mut seconds].into_iter().zip(pattern(item).bytes()) {
            bits.get_mut(usize::from(byte)).into_iter().for_each(|bits| *bits |= 1 << i);
        }
    }
    let bits = |of: &[u32; 128], byte: u8| of.get(usize::from(byte)).copied().unwrap_or(0);
    let begun = move |pair: &[u8]| match pair {
        [first, second] => bits(&firsts, *first) & bits(&seconds, *second),
        _ => 0,
    };
    let pairs = text.as_bytes().windows(2).map(begun).enumerate().filter(|(_, begun)| *begun != 0);
    pairs.flat_map(move |(start, begun)| {
        let rest = text.as_bytes().get(start..).unwrap_or_default();
        let stands = move |(i, item): &(usize, &T)| begun >> i & 1 == 1 && rest.starts_with(pattern(item).as_bytes());
        patterns.iter().enumerate().filter(stands).map(move |(_, item)| (start, item))
    })
}

fn starts_a_word(text: &str, at: usize) -> bool {
    text.get(..at).is_none_or(|before| !before.ends_with(|c: char| c.is_alphanumeric()))
}

/// Where the characters of a kind end, from `start` on.
fn end_of(text: &str, start: usize, kind: impl Fn(char) -> bool) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let found = rest.char_indices().take(LONGEST).find(|(_, c)| !kind(*c)).map(|(at, _)| at);
    start + found.unwrap_or_else(|| rest.char_indices().nth(LONGEST).map_or(rest.len(), |(at, _)| at))
}

fn is_hex(c: char) -> bool {
    c.is_ascii_hexdigit()
}

fn is_upper_or_digit(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit()
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}
