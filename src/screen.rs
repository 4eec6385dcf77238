//! Rules in code: what a question may not ask for, what a passage may not say, and what an answer may not show.
//!
//! A model's opinion alone is not security: small models approve documents that give them orders. These rules need no
//! model, and no verdict of a model loosens them. They look for shapes (checksums where there are some) and for a few
//! turns of phrase, in English; they are a net with known meshes, not a proof.

mod injection;
mod personal;
mod redactor;
mod request;
mod secrets;
mod words;

pub use redactor::Redactor;

use std::borrow::Cow;

use crate::sort::sort_by;
use crate::value::{Map, Value};

/// One kind of thing that the rules look for. Documents name them as [`Rule::name`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Tokens, keys and passwords.
    Secrets,
    /// E-mail addresses outside the allowed domains.
    Email,
    Phone,
    /// International bank account numbers with a right checksum.
    Iban,
    /// Payment card numbers with a right checksum.
    Card,
    /// National identity numbers: US SSN, UK NINO, Swedish personnummer, Singapore NRIC.
    NationalId,
    /// Orders to the model that reads the text, in clear, in a comment or in invisible characters.
    Injection,
    /// Images and links that would carry text out to a foreign host.
    Exfiltration,
    /// Questions for somebody's or some system's credentials.
    CredentialRequest,
    /// Questions for a way around a protection.
    BypassRequest,
    /// Questions for personal data of everybody at once.
    MassExport,
    /// Questions for what another person earns.
    PrivatePay,
    /// Questions for where another person lives, and the like.
    PrivateData,
}

/// Every rule, by the name that documents use.
pub const RULES: [(&str, Rule); 13] = [
    ("secrets", Rule::Secrets),
    ("email", Rule::Email),
    ("phone", Rule::Phone),
    ("iban", Rule::Iban),
    ("card", Rule::Card),
    ("national_id", Rule::NationalId),
    ("injection", Rule::Injection),
    ("exfiltration", Rule::Exfiltration),
    ("credential_request", Rule::CredentialRequest),
    ("bypass_request", Rule::BypassRequest),
    ("mass_export", Rule::MassExport),
    ("private_pay", Rule::PrivatePay),
    ("private_data", Rule::PrivateData),
];

impl Rule {
    /// The rule that documents call so.
    pub fn named(name: &str) -> Option<Self> {
        RULES.iter().find(|(known, _)| *known == name).map(|(_, rule)| *rule)
    }

    /// The name that documents use.
    pub fn name(self) -> &'static str {
        RULES.iter().find(|(_, rule)| *rule == self).map_or("", |(name, _)| name)
    }

    /// Where a text holds fewer digits the rule has nothing to find.
    fn fewest_digits(self) -> usize {
        match self {
            Self::Phone => 8,
            Self::Iban => 2,
            Self::Card => 13,
            Self::NationalId => 6,
            _ => 0,
        }
    }

    /// What stands in the place of what the rule found.
    fn mark(self) -> &'static str {
        match self {
            Self::Secrets => "[redacted secret]",
            Self::Email => "[redacted e-mail]",
            Self::Phone => "[redacted phone number]",
            Self::Iban => "[redacted bank account]",
            Self::Card => "[redacted card number]",
            Self::NationalId => "[redacted identity number]",
            Self::Injection => "[removed: an instruction to an AI]",
            Self::Exfiltration => "[removed: a link to a foreign site]",
            Self::CredentialRequest | Self::BypassRequest | Self::MassExport | Self::PrivatePay | Self::PrivateData => {
                "[refused]"
            }
        }
    }

    /// Why a question is refused, for the person who asked it.
    fn reason(self) -> &'static str {
        match self {
            Self::Injection => "The question gives instructions to the assistant instead of asking for information.",
            Self::CredentialRequest => "The question asks for credentials.",
            Self::BypassRequest => "The question asks for a way around a security control.",
            Self::MassExport => "The question asks for personal data of many people at once.",
            Self::PrivatePay => "The question asks for another person's pay.",
            Self::PrivateData => "The question asks for private data of another person.",
            Self::Secrets => "The question contains a secret. Treat that secret as exposed, and replace it.",
            _ => "The question contains personal data that is not needed to answer it.",
        }
    }
}

/// A place in a text where a rule applies; `start` and `end` count bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    pub rule: Rule,
    pub start: usize,
    pub end: usize,
}

/// Which rules apply, and what they let pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    pub on: Vec<Rule>,
    /// Domains of e-mail addresses and links (`example.com`, with the hosts below it), addresses, phone numbers, and
    /// blocks of phone numbers (`+1-202-555-01*`).
    pub allow: Vec<String>,
}

impl Rules {
    /// These rules, without exceptions.
    pub fn new(on: &[Rule]) -> Self {
        Self { on: on.to_vec(), allow: Vec::new() }
    }

    /// What is found in a text, from its start to its end, nothing twice.
    pub fn find(&self, text: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        // Every text of a run passes here several times, and few hold numbers.
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        for rule in &self.on {
            match rule {
                _ if digits < rule.fewest_digits() => {}
                Rule::Secrets => secrets::find(text, &mut found),
                Rule::Email => personal::emails(text, &self.allow, &mut found),
                Rule::Phone => personal::phones(text, &self.allow, &mut found),
                Rule::Iban => personal::ibans(text, &mut found),
                Rule::Card => personal::cards(text, &mut found),
                Rule::NationalId => personal::national_ids(text, &mut found),
                Rule::Injection => injection::find(text, &mut found),
                Rule::Exfiltration => injection::links(text, &self.allow, &mut found),
                Rule::CredentialRequest
                | Rule::BypassRequest
                | Rule::MassExport
                | Rule::PrivatePay
                | Rule::PrivateData => {}
            }
        }
        sort_by(&mut found, |a, b| (a.start, b.end).cmp(&(b.start, a.end)));
        let mut end = 0;
        found.retain(|finding| {
            let fresh = finding.start >= end;
            end = end.max(finding.end);
            fresh
        });
        found
    }

    /// The text with a mark in the place of everything that is found.
    ///
    /// ```
    /// use lakelet::screen::{Rule, Rules};
    /// let rules = Rules { on: vec![Rule::Email], allow: vec!["example.com".into()] };
    /// assert_eq!(rules.redact("ann@mail.test or help@example.com"), "[redacted e-mail] or help@example.com");
    /// ```
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        replace(text, &self.find(text))
    }

    /// Redacts every text inside a value.
    pub fn redact_value(&self, value: &mut Value) {
        match value {
            Value::Str(text) => {
                if let Cow::Owned(redacted) = self.redact(text) {
                    *text = redacted;
                }
            }
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
                items.iter_mut().for_each(|item| self.redact_value(item));
            }
            Value::Dict(fields) | Value::Model(_, fields) => self.redact_fields(fields),
            _ => {}
        }
    }

    /// Redacts every text inside the values of a map.
    pub fn redact_fields(&self, fields: &mut Map) {
        fields.values_mut().for_each(|value| self.redact_value(value));
    }

    /// Why a question must be refused before any model sees it; `None` when nothing speaks against it.
    ///
    /// ```
    /// use lakelet::screen::{Rule, Rules};
    /// let rules = Rules::new(&[Rule::CredentialRequest]);
    /// assert!(rules.refuses("What is the admin password of the payroll database?").is_some());
    /// assert_eq!(rules.refuses("How do I reset my password?"), None);
    /// ```
    pub fn refuses(&self, question: &str) -> Option<&'static str> {
        let asked = request::find(question, &self.on).or_else(|| self.find(question).first().map(|found| found.rule));
        asked.map(Rule::reason)
    }
}

/// The text with a mark in the place of each finding.
fn replace<'a>(text: &'a str, findings: &[Finding]) -> Cow<'a, str> {
    if findings.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for finding in findings {
        out.push_str(text.get(from..finding.start).unwrap_or_default());
        out.push_str(finding.rule.mark());
        from = finding.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
