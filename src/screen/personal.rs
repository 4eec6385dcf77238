//! Personal data, by its shape, and by its checksum where it has one.

use super::injection::is_allowed_host;
use super::{Finding, Rule};

pub(super) fn emails(text: &str, allow: &[String], found: &mut Vec<Finding>) {
    for (at, _) in text.match_indices('@') {
        let (Some(before), Some(after)) = (text.get(..at), text.get(at + 1..)) else { continue };
        let local = before.len() - before.trim_end_matches(|c: char| c.is_alphanumeric() || "._%+-".contains(c)).len();
        let host = after.find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-')).unwrap_or(after.len());
        let host = after.get(..host).unwrap_or_default().trim_end_matches(['.', '-']);
        let top = host.rsplit('.').next().unwrap_or_default();
        let shaped =
            local > 0 && host.contains('.') && top.chars().count() >= 2 && top.chars().all(char::is_alphabetic);
        let (start, end) = (at - local, at + 1 + host.len());
        let address = text.get(start..end).unwrap_or_default();
        if shaped && !is_allowed_host(host, allow) && !allow.iter().any(|known| known.eq_ignore_ascii_case(address)) {
            found.push(Finding { rule: Rule::Email, start, end });
        }
    }
}

/// A run of digits with single separators between them.
struct Number {
    start: usize,
    end: usize,
    digits: Vec<u8>,
    /// How many digits stand together, group by group.
    groups: Vec<usize>,
    separators: Vec<char>,
    /// What stands right before.
    lead: Option<char>,
}

impl Number {
    fn luhn(&self) -> bool {
        let sum: u32 = self
            .digits
            .iter()
            .rev()
            .enumerate()
            .map(|(i, digit)| {
                let doubled = u32::from(*digit) << (i % 2);
                if doubled > 9 { doubled - 9 } else { doubled }
            })
            .sum();
        sum.is_multiple_of(10)
    }

    fn value(&self, from: usize, count: usize) -> u32 {
        self.digits.iter().skip(from).take(count).fold(0, |value, digit| value * 10 + u32::from(*digit))
    }

    fn is_date(&self, from: usize) -> bool {
        (1..=12).contains(&self.value(from, 2)) && (1..=31).contains(&self.value(from + 2, 2))
    }
}

/// The numbers of a text whose groups are divided by one of `separators`, and which touch no letter.
fn numbers(text: &str, separators: &str) -> Vec<Number> {
    let mut found = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut lead = None;
    while let Some((start, c)) = chars.next() {
        let Some(digit) = digit(c) else {
            lead = Some(c);
            continue;
        };
        let mut number =
            Number { start, end: start + 1, digits: vec![digit], groups: vec![1], separators: Vec::new(), lead };
        while let Some((at, c)) = chars.peek().copied() {
            if let Some(digit) = self::digit(c) {
                number.digits.push(digit);
                if number.end == at {
                    number.groups.last_mut().into_iter().for_each(|count| *count += 1);
                } else {
                    number.groups.push(1);
                }
                number.end = at + 1;
            } else if separators.contains(c) && number.end == at {
                number.separators.push(c);
            } else if separators.contains(c)
                && text.get(number.end..at).is_some_and(|gap| matches!(gap, ")" | "(" | " "))
            {
                // ") " and " (" divide groups too
            } else {
                break;
            }
            chars.next();
        }
        let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let next = text.get(number.end..).and_then(|rest| rest.chars().next());
        if !touches(lead) && !touches(next) {
            number.separators.truncate(number.groups.len() - 1);
            found.push(number);
        }
        lead = Some('0');
        if let Some((at, _)) = chars.peek() {
            lead = text.get(..*at).and_then(|before| before.chars().next_back());
        }
    }
    found
}

fn digit(c: char) -> Option<u8> {
    c.to_digit(10).and_then(|digit| u8::try_from(digit).ok())
}

pub(super) fn phones(text: &str, allow: &[String], found: &mut Vec<Finding>) {
    for number in numbers(text, " -.()/") {
        let international = number.lead == Some('+') && (8..=15).contains(&number.digits.len());
        let looks_like_date = matches!(number.groups.as_slice(), [2, 2, 4] | [2, 2, 2] | [4, 2, 2] | [3, 2, 4]);
        let national = number.digits.first() == Some(&0)
            && number.lead != Some('.')
            && number.groups.len() > 1
            && (9..=11).contains(&number.digits.len())
            && !looks_like_date;
        let american = matches!(number.groups.as_slice(), [3, 3, 4] | [1, 3, 3, 4]) && number.digits.len() <= 11;
        let sign = if number.lead == Some('+') || number.lead == Some('(') { 1 } else { 0 };
        let digits: String = number.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let allowed = allow.iter().filter(|known| !known.contains('@')).any(|known| {
            let block: String = known.chars().filter(char::is_ascii_digit).collect();
            digits == block || (known.ends_with('*') && !block.is_empty() && digits.starts_with(&block))
        });
        if (international || national || american) && !allowed {
            found.push(Finding { rule: Rule::Phone, start: number.start - sign, end: number.end });
        }
    }
}

pub(super) fn cards(text: &str, found: &mut Vec<Finding>) {
    for number in numbers(text, " -") {
        let shaped = (13..=19).contains(&number.digits.len())
            && number.digits.first().is_some_and(|first| (2..=6).contains(first));
        let uneven = number.digits.iter().any(|digit| Some(digit) != number.digits.first());
        if shaped && uneven && number.luhn() && number.groups.iter().all(|count| *count >= 3) {
            found.push(Finding { rule: Rule::Card, start: number.start, end: number.end });
        }
    }
}

pub(super) fn ibans(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    for start in 0..bytes.len() {
        let head = bytes.get(start..start + 4).unwrap_or_default();
        let shaped = matches!(head, [a, b, c, d] if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit());
        let fresh =
            start.checked_sub(1).and_then(|i| bytes.get(i)).is_none_or(|before| !before.is_ascii_alphanumeric());
        if !shaped || !fresh {
            continue;
        }
        // The longest run whose checksum is right: what follows in the sentence may look like one more group.
        let (mut compact, mut right) = (Vec::new(), None);
        for (at, byte) in bytes.iter().enumerate().skip(start) {
            match byte {
                b'0'..=b'9' | b'A'..=b'Z' if compact.len() < 34 => compact.push(*byte),
                b' ' if compact.len() % 4 == 0 => continue,
                _ => break,
            }
            let ends = bytes.get(at + 1).is_none_or(|next| !next.is_ascii_alphanumeric());
            if compact.len() >= 15 && ends && has_right_checksum(&compact) {
                right = Some(at + 1);
            }
        }
        if let Some(end) = right {
            found.push(Finding { rule: Rule::Iban, start, end });
        }
    }
}

/// ISO 13616: with the first four characters moved to the end and letters as 10 to 35, the number is 1 modulo 97.
fn has_right_checksum(iban: &[u8]) -> bool {
    let (head, tail) = iban.split_at_checked(4).unwrap_or_default();
    let rest = tail.iter().chain(head).fold(0u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.saturating_sub(b'A')) + 10) % 97,
    });
    rest == 1
}

pub(super) fn national_ids(text: &str, found: &mut Vec<Finding>) {
    let mut add = |start, end| found.push(Finding { rule: Rule::NationalId, start, end });
    for number in numbers(text, "-+ ") {
        let american = matches!(number.groups.as_slice(), [3, 2, 4])
            && !matches!(number.value(0, 3), 0 | 666 | 900..=999)
            && number.value(3, 2) > 0
            && number.value(5, 4) > 0;
        let swedish = matches!(number.groups.as_slice(), [6, 4] | [8, 4]) && number.separators != [' '] && {
            let century = number.digits.len() - 10;
            let short = Number {
                digits: number.digits.iter().skip(century).copied().collect(),
                groups: Vec::new(),
                separators: Vec::new(),
                ..number
            };
            short.is_date(2) && short.luhn()
        };
        if american || swedish {
            add(number.start, number.end);
        }
    }
    for (start, word) in words_of_code(text) {
        let compact: Vec<u8> = word.bytes().collect();
        if is_nino(&compact) || is_nric(&compact) {
            add(start, start + word.len());
        }
    }
}

/// The runs of ASCII letters and digits, with where they start.
fn words_of_code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices(|c: char| c.is_ascii_alphanumeric()).filter_map(|(start, _)| {
        let fresh = text.get(..start).is_some_and(|before| !before.ends_with(|c: char| c.is_ascii_alphanumeric()));
        let rest = text.get(start..).filter(|_| fresh)?;
        Some((start, rest.get(..rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len()))?))
    })
}

/// UK National Insurance: two letters, six digits, `A` to `D`.
fn is_nino(word: &[u8]) -> bool {
    matches!(word, [a, b, digits @ .., last] if digits.len() == 6
        && [a, b].iter().all(|c| c.is_ascii_uppercase() && !b"DFIQUV".contains(c)) && *b != b'O'
        && digits.iter().all(u8::is_ascii_digit) && (b'A'..=b'D').contains(last))
}

/// Singapore's NRIC: `S` or `T`, seven digits, a check letter.
fn is_nric(word: &[u8]) -> bool {
    let [first @ (b'S' | b'T'), digits @ .., last] = word else { return false };
    if digits.len() != 7 || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let weighed: usize =
        digits.iter().zip([2, 7, 6, 5, 4, 3, 2]).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
    let shift = if *first == b'T' { 4 } else { 0 };
    b"JZIHGFEDCBA".get((weighed + shift) % 11) == Some(last)
}
