//! Questions that must not be answered, whatever the documents say.

use super::Rule;
use super::words::Words;
use crate::text::sentences;

const SECRETS: [&str; 18] = [
    "password",
    "passwords",
    "passcode",
    "passphrase",
    "credentials",
    "credential",
    "secret",
    "secrets",
    "pin",
    "token",
    "tokens",
    "key",
    "keys",
    "login",
    "logins",
    "pincode",
    "apikey",
    "codes",
];
/// Of which kind a `key`, `token` or `code` must be to be a secret.
const KINDS: [&str; 10] =
    ["api", "private", "secret", "access", "ssh", "encryption", "signing", "recovery", "root", "master"];
const OWNERS: [&str; 38] = [
    "admin",
    "administrator",
    "administrators",
    "root",
    "production",
    "prod",
    "database",
    "databases",
    "db",
    "server",
    "servers",
    "service",
    "shared",
    "master",
    "ceo",
    "cfo",
    "cto",
    "ciso",
    "his",
    "her",
    "their",
    "colleague",
    "colleagues",
    "manager",
    "managers",
    "users",
    "user",
    "everyone",
    "databricks",
    "aws",
    "azure",
    "github",
    "workspace",
    "payroll",
    "account",
    "accounts",
    "emergency",
    "break-glass",
];
/// Behind a secret's name, these make it a matter of policy.
const POLICY: [&str; 20] = [
    "policy",
    "policies",
    "rules",
    "requirements",
    "requirement",
    "length",
    "manager",
    "managers",
    "reset",
    "resets",
    "rotation",
    "expiry",
    "standard",
    "guidelines",
    "procedure",
    "process",
    "vault",
    "management",
    "storage",
    "rotated",
];
/// What is private about a person.
const PRIVATE: [&str; 7] = ["birthday", "birthdate", "passport", "iban", "ssn", "diagnosis", "religion"];
/// What is private only together with one of [`DETAILS`]: a home address, but not a home office.
const KEPT: [&str; 7] = ["home", "private", "personal", "bank", "medical", "social", "sick"];
const DETAILS: [&str; 13] = [
    "address",
    "addresses",
    "phone",
    "mobile",
    "number",
    "email",
    "e-mail",
    "mail",
    "details",
    "account",
    "record",
    "records",
    "security",
];
const ASKING: [&str; 21] = [
    "what", "what's", "whats", "which", "tell", "give", "show", "send", "share", "reveal", "print", "list", "need",
    "have", "provide", "dump", "display", "get", "fetch", "leak", "find",
];

const AROUND: [&str; 12] = [
    "bypass",
    "disable",
    "skip",
    "circumvent",
    "avoid",
    "evade",
    "defeat",
    "deactivate",
    "hack",
    "around",
    "off",
    "without",
];
const CONTROLS: [&str; 15] = [
    "mfa",
    "2fa",
    "multi-factor",
    "two-factor",
    "multifactor",
    "authenticator",
    "firewall",
    "dlp",
    "antivirus",
    "edr",
    "monitoring",
    "logging",
    "audit",
    "authentication",
    "approval",
];
const SEEKING: [&str; 12] =
    ["how", "help", "want", "need", "trick", "tricks", "me", "let", "show", "explain", "steps", "way"];
/// Asking whether something is allowed, or what follows from it, is asking for the policy.
const PERMISSION: [&str; 14] = [
    "can i",
    "may i",
    "am i allowed",
    "is it allowed",
    "is it ok",
    "are we allowed",
    "should i",
    "do i have to",
    "who can",
    "who may",
    "what happens",
    "when",
    "why",
    "is there a rule",
];

const TAKING: [&str; 15] = [
    "export", "list", "dump", "download", "give", "send", "show", "extract", "compile", "share", "print", "get",
    "provide", "collect", "email",
];
const EVERYBODY: [&str; 8] = ["all", "every", "everyone", "everyone's", "each", "full", "complete", "entire"];
const PEOPLE: [&str; 18] = [
    "employee's",
    "customer's",
    "employees",
    "employee",
    "employees'",
    "staff",
    "customers",
    "customer",
    "customers'",
    "users",
    "colleagues",
    "people",
    "everyone",
    "everyone's",
    "candidates",
    "contractors",
    "members",
    "personnel",
];
const DATA: [&str; 24] = [
    "address",
    "addresses",
    "email",
    "emails",
    "e-mail",
    "e-mails",
    "phone",
    "phones",
    "numbers",
    "salary",
    "salaries",
    "birthdays",
    "birth",
    "ssn",
    "ssns",
    "security",
    "bank",
    "iban",
    "ibans",
    "personal",
    "records",
    "passport",
    "medical",
    "database",
];

const PAY: [&str; 14] = [
    "salary",
    "salaries",
    "pay",
    "compensation",
    "bonus",
    "wage",
    "wages",
    "payslip",
    "payslips",
    "earnings",
    "paycheck",
    "income",
    "raise",
    "remuneration",
];
/// Behind a word for pay, these make it a matter of policy.
const SCHEMES: [&str; 18] = [
    "review",
    "reviews",
    "process",
    "bands",
    "band",
    "policy",
    "rules",
    "increase",
    "increases",
    "scheme",
    "plan",
    "plans",
    "pool",
    "day",
    "date",
    "structure",
    "transparency",
    "cycle",
];
const PERSONS: [&str; 22] = [
    "manager",
    "boss",
    "colleague",
    "coworker",
    "co-worker",
    "teammate",
    "ceo",
    "cfo",
    "cto",
    "coo",
    "founder",
    "director",
    "he",
    "she",
    "they",
    "him",
    "colleagues",
    "coworkers",
    "teammates",
    "everyone",
    "everybody",
    "anyone",
];
const GENERIC: [&str; 8] = ["a", "an", "each", "every", "the", "one", "any", "no"];
/// Words that end in `'s` and own nothing, or are nobody in particular.
const NOBODY: [&str; 17] = [
    "company's",
    "employee's",
    "year's",
    "month's",
    "that's",
    "what's",
    "it's",
    "let's",
    "who's",
    "here's",
    "there's",
    "one's",
    "how's",
    "where's",
    "today's",
    "week's",
    "when's",
];

/// The first of the rules that a question offends.
pub(super) fn find(question: &str, on: &[Rule]) -> Option<Rule> {
    let parts = sentences(question);
    let parts: Vec<Words> =
        parts.iter().map(|(start, end)| Words::of(question.get(*start..*end).unwrap_or_default())).collect();
    on.iter().copied().find(|rule| {
        parts.iter().any(|words| match rule {
            Rule::CredentialRequest => asks_for_credentials(words),
            Rule::BypassRequest => asks_for_a_way_around(words),
            Rule::MassExport => asks_for_everybodys_data(words),
            Rule::PrivatePay => asks_for_anothers_pay(words),
            Rule::PrivateData => asks_for_anothers_data(words),
            _ => false,
        })
    })
}

fn asks_for_credentials(words: &Words) -> bool {
    if !words.any(&ASKING) || asks_permission(words) {
        return false;
    }
    words.all(&SECRETS).any(|at| {
        let needs_kind =
            matches!(words.at(at), "key" | "keys" | "token" | "tokens" | "codes" | "pin" | "login" | "logins");
        let secret = !needs_kind || words.before(at, 1, &KINDS);
        let owned = words.before(at, 4, &OWNERS)
            || (at.saturating_sub(3)..at).any(|i| owns(words, i))
            || words.within(at + 1, 1, &["of", "for", "to"]).is_some_and(|of| {
                let own = words.within(of + 1, 2, &["my", "our"]).is_some();
                (words.within(of + 1, 4, &OWNERS).is_some() && !own)
                    || words.0.get(of + 1).is_some_and(|word| word.capital)
            });
        let policy = words.within(at + 1, 1, &POLICY).is_some();
        let own = words.before(at, 2, &["my", "our", "own", "a", "an"]);
        secret && owned && !policy && !own
    })
}

fn asks_for_a_way_around(words: &Words) -> bool {
    if asks_permission(words) {
        return false;
    }
    let seeks =
        words.any(&SEEKING) || AROUND.contains(&words.at(0)) || words.at(0) == "turn" || words.at(0) == "please";
    seeks
        && words.all(&AROUND).any(|at| {
            let idiom = match words.at(at) {
                "around" => words.before(at, 1, &["get", "work", "go", "way"]),
                "off" => words.before(at, 3, &["turn", "switch"]),
                "without" => words.before(at, 6, &["log", "sign", "login", "access", "get", "connect"]),
                _ => {
                    !words.before(at, 2, &["not", "never", "to"])
                        || words.before(at, 2, &["how", "want", "need", "way"])
                }
            };
            idiom && words.within(at + 1, 5, &CONTROLS).is_some()
        })
}

fn asks_for_everybodys_data(words: &Words) -> bool {
    !asks_permission(words)
        && words.all(&TAKING).any(|at| {
            let everybody = words.within(at + 1, 8, &EVERYBODY).is_some();
            everybody && words.within(at + 1, 14, &PEOPLE).is_some() && words.within(at + 1, 14, &DATA).is_some()
        })
}

fn asks_for_anothers_pay(words: &Words) -> bool {
    let owned = words.all(&PAY).any(|at| {
        let policy = words.within(at + 1, 1, &SCHEMES).is_some();
        let owner =
            (at.saturating_sub(2)..at).any(|i| owns(words, i) || matches!(words.at(i), "his" | "her" | "their"));
        let of = words.at(at + 1) == "of" && is_person(words, at + 2);
        !policy && (owner || of)
    });
    let earns = words.phrase("how much").is_some_and(|start| {
        let verb =
            words.within(start + 3, 6, &["earn", "earns", "make", "makes", "paid", "earning", "making", "get", "gets"]);
        verb.is_some_and(|verb| (start + 3..verb).any(|i| is_person(words, i)) && is_pay(words, verb))
    });
    let what_earns = words.phrase("what does").is_some_and(|start| {
        words.within(start + 2, 5, &["earn", "make"]).is_some_and(|verb| (start + 2..verb).any(|i| is_person(words, i)))
    });
    owned || earns || what_earns || words.any_phrase(&["who earns", "who makes the most", "who is paid"])
}

/// "Ann's home address", "her private number", "where does Ann live".
fn asks_for_anothers_data(words: &Words) -> bool {
    let owned = words.all(&[PRIVATE.as_slice(), &KEPT].concat()).any(|at| {
        if KEPT.contains(&words.at(at)) && words.within(at + 1, 1, &DETAILS).is_none() {
            return false;
        }
        // "His bank account has changed" tells; only "what is his bank account" asks.
        if at >= 5 && !words.before(at, 10, &ASKING) {
            return false;
        }
        let of = words.within(at + 1, 3, &["of"]).is_some_and(|of| is_person(words, of + 1));
        of || (at.saturating_sub(2)..at).any(|i| owns(words, i) || matches!(words.at(i), "his" | "her"))
    });
    let lives = words.all(&["live", "lives"]).any(|at| {
        words.before(at, 5, &["where"])
            && (at.saturating_sub(4)..at).any(|i| words.at(i) != "they" && is_person(words, i))
    });
    owned || lives
}

/// "make" and "get" speak of pay only at the end of a clause: "how much does Ann make?".
fn is_pay(words: &Words, verb: usize) -> bool {
    !matches!(words.at(verb), "get" | "gets" | "make" | "makes")
        || verb + 1 == words.0.len()
        || words.at(verb + 1) == "paid"
}

/// A person in particular: a name, or "my manager", "the CEO".
fn is_person(words: &Words, at: usize) -> bool {
    let Some(word) = words.0.get(at) else { return false };
    let title = PERSONS.contains(&word.text.as_str());
    let someone = title && !words.before(at, 1, &["a", "an", "each", "every", "any"]);
    someone
        || (word.capital
            && !title
            && !["i", "eu", "us", "uk", "apac", "n2", "n3", "n4", "n5", "n6", "n7", "n8"].contains(&word.text.as_str())
            && !words.before(at, 1, &GENERIC))
}

/// A possessive that names somebody: "Ann's", "my manager's", but not "the company's".
fn owns(words: &Words, at: usize) -> bool {
    let word = words.at(at);
    word.ends_with("'s") && !NOBODY.contains(&word) && !words.before(at, 1, &["a", "an", "each", "every", "any", "one"])
}

fn asks_permission(words: &Words) -> bool {
    PERMISSION.iter().any(|phrase| words.phrase_at(0, phrase))
}
