//! Python literals: `ast.literal_eval` of CPython 3.11, which DSPy tries on replies that hold no JSON.

use crate::coerce::{distinct_keys, distinct_values, is_hashable};
use crate::python::is_identifier;
use crate::value::{Map, Value};

/// How deep brackets may nest, in CPython too.
const MAX_DEPTH: usize = 200;

/// CPython refuses longer decimal numbers.
const MAX_DIGITS: usize = 4300;

/// The value of a Python literal; `None` when the text is no literal, or one that has no [`Value`] (a complex number).
///
/// ```
/// use lakelet::{Value, literal};
/// assert_eq!(literal::eval("0x1F"), Some(Value::Int(31)));
/// assert_eq!(literal::eval("1, 'a'"), Some(Value::Tuple(vec![Value::Int(1), Value::from("a")])));
/// assert_eq!(literal::eval("print(1)"), None);
/// ```
pub fn eval(text: &str) -> Option<Value> {
    let text = text.trim_start_matches([' ', '\t']).replace("\r\n", "\n").replace('\r', "\n");
    if text.contains('\0') {
        return None;
    }
    let mut reader = Reader { text: &text, at: 0, open: 0 };
    reader.skip_blank_lines()?;
    let value = reader.tuple_or_value()?;
    // Line ends count for nothing after the value.
    reader.open = 1;
    reader.skip_space();
    (reader.at == text.len()).then_some(value)
}

/// `int(digits)` of ASCII digits with an optional minus sign.
pub(crate) fn whole_number(text: &str) -> Option<Value> {
    if let Ok(small) = text.parse() {
        return Some(Value::Int(small)).filter(|_| !text.starts_with('+'));
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    if digits.is_empty() || digits.len() > MAX_DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let text = format!("{sign}{digits}");
    Some(text.parse().map_or_else(|_| if digits.is_empty() { Value::Int(0) } else { Value::BigInt(text) }, Value::Int))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Brackets open around the cursor; inside of any, lines may end anywhere.
    open: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Passes empty lines and comments before the value, which must not be indented after them.
    fn skip_blank_lines(&mut self) -> Option<()> {
        let start = self.at;
        self.open = 1;
        self.skip_space();
        self.open = 0;
        let skipped = self.text.get(start..self.at)?;
        (skipped.is_empty() || skipped.ends_with('\n')).then_some(())
    }

    fn skip_space(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\x0c') => self.at += 1,
                Some('\n') if self.open > 0 => self.at += 1,
                Some('\\') if self.rest().starts_with("\\\n") => self.at += 2,
                Some('#') => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                _ => return,
            }
        }
    }

    /// A value, or a tuple without parentheses.
    fn tuple_or_value(&mut self) -> Option<Value> {
        let first = self.value()?;
        self.skip_space();
        if self.peek() != Some(',') {
            return Some(first);
        }
        let mut items = vec![first];
        while self.eat(",") {
            self.skip_space();
            if matches!(self.peek(), None | Some(')' | '\n')) {
                break;
            }
            items.push(self.value()?);
            self.skip_space();
        }
        Some(Value::Tuple(items))
    }

    fn value(&mut self) -> Option<Value> {
        self.skip_space();
        match self.peek()? {
            '-' => {
                self.at += 1;
                self.skip_space();
                negate(self.unsigned()?)
            }
            '+' => {
                self.at += 1;
                self.skip_space();
                self.unsigned()
            }
            '(' | '[' | '{' => self.bracketed(),
            c if c.is_ascii_digit() || c == '.' => self.number(),
            '\'' | '"' => self.strings(),
            _ => self.word(),
        }
    }

    /// A number after a sign; parentheses may stand around it.
    fn unsigned(&mut self) -> Option<Value> {
        let value = if self.peek() == Some('(') { self.bracketed()? } else { self.number()? };
        matches!(value, Value::Int(_) | Value::BigInt(_) | Value::Float(_)).then_some(value)
    }

    fn word(&mut self) -> Option<Value> {
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let word = rest.get(..length)?;
        if rest.get(length..)?.starts_with(['\'', '"']) {
            return self.strings();
        }
        if !is_identifier(word) {
            return None;
        }
        self.at += length;
        match word {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::None),
            "set" => {
                self.skip_space();
                let call = self.eat("(");
                self.open += 1;
                self.skip_space();
                self.open -= 1;
                (call && self.eat(")")).then(|| Value::Set(Vec::new()))
            }
            _ => None,
        }
    }

    fn bracketed(&mut self) -> Option<Value> {
        let bracket = self.peek()?;
        if self.open >= MAX_DEPTH {
            return None;
        }
        self.at += 1;
        self.open += 1;
        let value = match bracket {
            '(' => self.parenthesis(),
            '[' => self.items("]").map(Value::List),
            _ => self.braces(),
        }?;
        self.open -= 1;
        Some(value)
    }

    fn parenthesis(&mut self) -> Option<Value> {
        self.skip_space();
        if self.eat(")") {
            return Some(Value::Tuple(Vec::new()));
        }
        let value = self.tuple_or_value()?;
        self.skip_space();
        self.eat(")").then_some(value)
    }

    /// Values up to a closing bracket.
    fn items(&mut self, close: &str) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        loop {
            self.skip_space();
            if self.eat(close) {
                return Some(items);
            }
            items.push(self.value()?);
            self.skip_space();
            if !self.eat(",") {
                return self.eat(close).then_some(items);
            }
        }
    }

    fn braces(&mut self) -> Option<Value> {
        self.skip_space();
        if self.eat("}") {
            return Some(Value::Dict(Map::new()));
        }
        let first = self.value()?;
        self.skip_space();
        if self.peek() == Some(':') {
            return self.dict(first);
        }
        let mut set = vec![first];
        if self.eat(",") {
            set.extend(self.items("}")?);
        } else if !self.eat("}") {
            return None;
        }
        set.iter().all(is_hashable).then(|| Value::Set(distinct_values(set)))
    }

    fn dict(&mut self, first: Value) -> Option<Value> {
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        let mut key = first;
        loop {
            self.skip_space();
            if !self.eat(":") || !is_hashable(&key) {
                return None;
            }
            let value = self.value()?;
            pairs.push((key, value));
            self.skip_space();
            let more = self.eat(",");
            self.skip_space();
            if self.eat("}") {
                return Some(dict_of(distinct_keys(pairs)));
            }
            if !more {
                return None;
            }
            key = self.value()?;
        }
    }

    fn number(&mut self) -> Option<Value> {
        let rest = self.rest();
        let radix = match rest.get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("0x") => 16,
            Some("0o") => 8,
            Some("0b") => 2,
            _ => return self.decimal(),
        };
        self.at += 2;
        self.eat("_");
        let digits = self.digits(radix)?;
        self.ends_number()?;
        from_radix(&digits, radix)
    }

    fn decimal(&mut self) -> Option<Value> {
        let mut text = self.digits(10).unwrap_or_default();
        let mut float = self.eat(".");
        if float {
            text.push('.');
            if self.peek().is_some_and(|c| c.is_ascii_digit()) {
                text += &self.digits(10)?;
            }
        }
        if text == "." || text.is_empty() {
            return None;
        }
        if self.eat("e") || self.eat("E") {
            float = true;
            text.push('e');
            if self.eat("-") {
                text.push('-');
            } else {
                self.eat("+");
            }
            text += &self.digits(10)?;
        }
        self.ends_number()?;
        if float {
            return text.parse().ok().map(Value::Float);
        }
        let padded = text.starts_with('0') && text.bytes().any(|b| b != b'0');
        if padded { None } else { whole_number(&text) }
    }

    /// Digits, with single underscores between them.
    fn digits(&mut self, radix: u32) -> Option<String> {
        let mut out = String::new();
        while let Some(c) = self.peek() {
            let next = self.rest().chars().nth(1);
            if c == '_' && !out.is_empty() && next.is_some_and(|c| c.is_digit(radix)) {
                self.at += 1;
                continue;
            }
            if !c.is_digit(radix) {
                break;
            }
            out.push(c);
            self.at += 1;
        }
        (!out.is_empty()).then_some(out)
    }

    /// Nothing that could go on with a number may follow it.
    fn ends_number(&self) -> Option<()> {
        let goes_on = self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
        (!goes_on).then_some(())
    }

    /// Strings next to each other, which are one.
    fn strings(&mut self) -> Option<Value> {
        let mut text = String::new();
        let mut bytes = Vec::new();
        let mut kinds = (false, false);
        loop {
            let rest = self.rest();
            let prefix = rest.get(..rest.find(['\'', '"'])?)?.to_ascii_lowercase();
            let (is_bytes, raw) = match prefix.as_str() {
                "" | "u" => (false, false),
                "r" => (false, true),
                "b" => (true, false),
                "br" | "rb" => (true, true),
                _ => return None,
            };
            self.at += prefix.len();
            let body = self.quoted()?;
            if is_bytes {
                kinds.0 = true;
                unescape_bytes(body, raw, &mut bytes)?;
            } else {
                kinds.1 = true;
                unescape(body, raw, false, &mut text)?;
            }
            self.skip_space();
            let next = self.rest().trim_start_matches(|c: char| c.is_ascii_alphabetic());
            if !next.starts_with(['\'', '"']) {
                break;
            }
        }
        match kinds {
            (true, true) => None,
            (true, false) => Some(Value::Bytes(bytes)),
            _ => Some(Value::Str(text)),
        }
    }

    /// The text between quotes, escapes and all.
    fn quoted(&mut self) -> Option<&'a str> {
        let quote = if self.eat("'''") {
            "'''"
        } else if self.eat("\"\"\"") {
            "\"\"\""
        } else if self.eat("'") {
            "'"
        } else if self.eat("\"") {
            "\""
        } else {
            return None;
        };
        let start = self.at;
        loop {
            if self.rest().starts_with(quote) {
                let body = self.text.get(start..self.at);
                self.at += quote.len();
                return body;
            }
            match self.peek()? {
                '\n' if quote.len() == 1 => return None,
                '\\' => {
                    self.at += 1;
                    self.at += self.peek()?.len_utf8();
                }
                c => self.at += c.len_utf8(),
            }
        }
    }
}

fn negate(value: Value) -> Option<Value> {
    Some(match value {
        Value::Int(number) => match number.checked_neg() {
            Some(negative) => Value::Int(negative),
            None => Value::BigInt(number.to_string().trim_start_matches('-').to_owned()),
        },
        Value::BigInt(digits) => whole_number(&match digits.strip_prefix('-') {
            Some(positive) => positive.to_owned(),
            None => format!("-{digits}"),
        })?,
        Value::Float(number) => Value::Float(-number),
        _ => return None,
    })
}

/// A whole number of any length from hexadecimal, octal or binary digits.
fn from_radix(digits: &str, radix: u32) -> Option<Value> {
    if let Ok(small) = i64::from_str_radix(digits, radix) {
        return Some(Value::Int(small));
    }
    if digits.len() > MAX_DIGITS {
        return None;
    }
    let mut decimal = vec![0u8];
    for c in digits.chars() {
        let mut carry = c.to_digit(radix)?;
        for place in &mut decimal {
            let sum = u32::from(*place) * radix + carry;
            *place = (sum % 10) as u8;
            carry = sum / 10;
        }
        while carry > 0 {
            decimal.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    whole_number(&decimal.iter().rev().map(|d| char::from(b'0' + d)).collect::<String>())
}

/// A dict of pairs with distinct keys.
pub(crate) fn dict_of(pairs: Vec<(Value, Value)>) -> Value {
    if !pairs.iter().all(|(key, _)| matches!(key, Value::Str(_))) {
        return Value::MixedDict(pairs);
    }
    let name = |key| if let Value::Str(name) = key { name } else { String::new() };
    Value::Dict(pairs.into_iter().map(|(key, value)| (name(key), value)).collect())
}

fn unescape_bytes(body: &str, raw: bool, out: &mut Vec<u8>) -> Option<()> {
    let mut text = String::new();
    unescape(body, raw, true, &mut text)?;
    out.extend(text.chars().map(|c| c as u32 as u8));
    body.is_ascii().then_some(())
}

/// Adds the text that a string's body stands for. Among bytes, `\u`, `\U` and `\N` stand for themselves.
fn unescape(body: &str, raw: bool, bytes: bool, out: &mut String) -> Option<()> {
    if raw || !body.contains('\\') {
        out.push_str(body);
        return Some(());
    }
    let mut rest = body;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let letter = escape.chars().next()?;
        rest = escape.get(letter.len_utf8()..)?;
        let plain = match letter {
            '\n' => continue,
            '\\' | '\'' | '"' => letter,
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' | 'u' | 'U' if letter == 'x' || !bytes => {
                let digits = match letter {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let hex = rest.get(..digits).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
                rest = rest.get(digits..)?;
                let code = u32::from_str_radix(hex, 16).ok().filter(|code| *code <= 0x10_ffff)?;
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            '0'..='7' => {
                let more = rest.bytes().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count();
                let digits = escape.get(..=more)?;
                rest = escape.get(more + 1..)?;
                char::from_u32(u32::from_str_radix(digits, 8).ok()?)?
            }
            'N' if !bytes => return None,
            other => {
                out.push('\\');
                other
            }
        };
        out.push(plain);
    }
    out.push_str(rest);
    Some(())
}
