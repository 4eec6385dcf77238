//! A strict reader of XML: it accepts and refuses what expat does inside of an element, as Python's `ElementTree` uses it.

use super::names::{continues_name, starts_name};
use super::tree::{Element, Tree, XML};

/// How deep elements may nest: what reads the tree goes down it by calls.
const MAX_DEPTH: usize = 250;

/// How many attributes an element may have, and how many namespaces may be known. They are looked up one by one.
const MAX_ATTRIBUTES: usize = 250;

/// The namespace of namespace declarations.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// What is wrong with a text that is no XML.
pub(super) type Problem = &'static str;

const NOT_WELL_FORMED: Problem = "not well-formed";

/// Reads XML that may arrive in pieces. What surrounds it is an element that is always open, so that text may stand anywhere.
#[derive(Default)]
pub(super) struct Reader {
    tree: Tree,
    /// The open elements but the outermost, innermost last.
    open: Vec<Open>,
    /// Prefixes and the namespaces that they stand for, newest last.
    namespaces: Vec<(String, String)>,
    place: Place,
    /// The reference or markup that is being read, without its first character.
    held: String,
    after_return: bool,
    /// How many `]` stand just before.
    brackets: usize,
    problem: Option<Problem>,
}

struct Open {
    element: usize,
    /// The name as it was written.
    name: String,
    /// How many namespaces were known before.
    namespaces: usize,
}

#[derive(Clone, Copy, Default)]
enum Place {
    #[default]
    Text,
    /// Behind an `&`.
    Reference,
    /// Behind a `<`; in a quoted value when there is a quote.
    Markup { quote: Option<char> },
}

impl Reader {
    /// Takes the next piece. Once something is wrong, nothing more is read.
    pub fn push(&mut self, piece: &str) {
        for c in piece.chars() {
            if self.problem.is_none() {
                self.problem = self.take(c).err();
            }
        }
    }

    /// The tree of all that was read.
    pub fn finish(self) -> Result<Tree, Problem> {
        match (self.problem, self.place) {
            (Some(problem), _) => Err(problem),
            (None, Place::Text) if self.open.is_empty() => Ok(self.tree),
            (None, Place::Text) => Err("an element is not closed"),
            (None, _) => Err("markup is not closed"),
        }
    }

    /// The element directly in the reply that is open, and its place, while nothing stands in it but text.
    pub fn open_field(&self) -> Option<(usize, &Element)> {
        let (None, [open]) = (self.problem, self.open.as_slice()) else { return None };
        let element = self.tree.elements.get(open.element)?;
        element.children.is_empty().then_some((open.element, element))
    }

    fn take(&mut self, c: char) -> Result<(), Problem> {
        if std::mem::take(&mut self.after_return) && c == '\n' {
            return Ok(());
        }
        self.after_return = c == '\r';
        let c = if c == '\r' { '\n' } else { c };
        if !is_char(c) {
            return Err(NOT_WELL_FORMED);
        }
        match self.place {
            Place::Text => self.text(c),
            Place::Reference if c == ';' => {
                let character = reference(&std::mem::take(&mut self.held)).ok_or("undefined entity")?;
                self.add(character);
                self.place = Place::Text;
                Ok(())
            }
            Place::Reference if c.is_ascii_alphanumeric() || c == '#' => {
                self.held.push(c);
                Ok(())
            }
            Place::Reference => Err(NOT_WELL_FORMED),
            Place::Markup { quote } => {
                self.held.push(c);
                self.markup(c, quote)
            }
        }
    }

    fn text(&mut self, c: char) -> Result<(), Problem> {
        let brackets = std::mem::take(&mut self.brackets);
        match c {
            '<' => self.place = Place::Markup { quote: None },
            '&' => self.place = Place::Reference,
            '>' if brackets > 1 => return Err(NOT_WELL_FORMED),
            _ => {
                self.brackets = if c == ']' { brackets + 1 } else { 0 };
                self.add(c);
            }
        }
        Ok(())
    }

    /// Takes a character of markup, and reads the markup when that was its last.
    fn markup(&mut self, c: char, quote: Option<char>) -> Result<(), Problem> {
        const COMMENT: &str = "!--";
        const CDATA: &str = "![CDATA[";
        let ends = |end: &str, least: usize| c == '>' && self.held.ends_with(end) && self.held.len() >= least;
        if self.held.starts_with(COMMENT) {
            if ends("-->", 6) {
                let held = self.close_markup();
                let comment = held.get(COMMENT.len()..held.len() - 3).unwrap_or_default();
                return if comment.contains("--") || comment.ends_with('-') { Err(NOT_WELL_FORMED) } else { Ok(()) };
            }
        } else if self.held.starts_with(CDATA) {
            if ends("]]>", 11) {
                let held = self.close_markup();
                held.get(CDATA.len()..held.len() - 3).unwrap_or_default().chars().for_each(|c| self.add(c));
            }
        } else if self.held.starts_with('!') {
            if !COMMENT.starts_with(&self.held) && !CDATA.starts_with(&self.held) {
                return Err(NOT_WELL_FORMED);
            }
        } else if self.held.starts_with('?') {
            if ends("?>", 3) {
                return instruction(&self.close_markup());
            }
        } else {
            match (quote, c) {
                (_, '<') => return Err(NOT_WELL_FORMED),
                (None, '>') => {
                    let mut held = self.close_markup();
                    held.pop();
                    return match held.strip_prefix('/') {
                        Some(name) => self.end_tag(name),
                        None => self.start_tag(&held),
                    };
                }
                (None, '"' | '\'') => self.place = Place::Markup { quote: Some(c) },
                (Some(quote), _) if c == quote => self.place = Place::Markup { quote: None },
                _ => {}
            }
        }
        Ok(())
    }

    fn close_markup(&mut self) -> String {
        self.place = Place::Text;
        std::mem::take(&mut self.held)
    }

    /// Adds a character of text.
    fn add(&mut self, c: char) {
        let elements = &mut self.tree.elements;
        let open = self.open.last().map_or(0, |open| open.element);
        match elements.get(open).and_then(|element| element.children.last()).copied() {
            Some(child) => elements.get_mut(child).into_iter().for_each(|child| child.tail.push(c)),
            None => elements.get_mut(open).into_iter().for_each(|element| element.text.push(c)),
        }
    }

    fn start_tag(&mut self, tag: &str) -> Result<(), Problem> {
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let mut scan = Scan { rest: tag };
        let name = scan.name()?;
        let known = self.namespaces.len();
        let mut given: Vec<(&str, String)> = Vec::new();
        while scan.space() && !scan.rest.is_empty() {
            let (name, value) = scan.attribute()?;
            if given.len() == MAX_ATTRIBUTES || given.iter().any(|(other, _)| *other == name) {
                return Err("duplicate attribute");
            }
            given.push((name, value));
        }
        if !scan.rest.is_empty() || self.open.len() == MAX_DEPTH {
            return Err(NOT_WELL_FORMED);
        }
        for (name, uri) in &given {
            if let Some(prefix) = declared(name) {
                self.declare(prefix, uri)?;
            }
        }
        let mut element = Element { name: self.qualified(name, true)?, ..Element::default() };
        for (name, value) in given.into_iter().filter(|(name, _)| declared(name).is_none()) {
            let name = self.qualified(name, false)?;
            if element.attributes.iter().any(|(other, _)| *other == name) {
                return Err("duplicate attribute");
            }
            element.attributes.push((name, value));
        }
        let place = self.tree.elements.len();
        let parent = self.open.last().map_or(0, |open| open.element);
        self.tree.elements.get_mut(parent).into_iter().for_each(|parent| parent.children.push(place));
        self.tree.elements.push(element);
        if is_empty {
            self.namespaces.truncate(known);
        } else {
            self.open.push(Open { element: place, name: name.to_owned(), namespaces: known });
        }
        Ok(())
    }

    fn end_tag(&mut self, tag: &str) -> Result<(), Problem> {
        let mut scan = Scan { rest: tag };
        let name = scan.name()?;
        scan.space();
        let open = self.open.pop().filter(|open| open.name == name && scan.rest.is_empty()).ok_or("mismatched tag")?;
        self.namespaces.truncate(open.namespaces);
        Ok(())
    }

    /// Makes a prefix stand for a namespace; the empty prefix is that of names without one.
    fn declare(&mut self, prefix: &str, uri: &str) -> Result<(), Problem> {
        let is_reserved = prefix == "xmlns" || uri == XMLNS || (prefix == "xml") != (uri == XML);
        let is_undone = uri.is_empty() && !prefix.is_empty();
        if is_reserved || is_undone || uri.contains('}') || self.namespaces.len() == MAX_ATTRIBUTES {
            return Err("a namespace that cannot be declared");
        }
        self.namespaces.push((prefix.to_owned(), uri.to_owned()));
        Ok(())
    }

    /// A name with its namespace. Names without prefix have one only when they are of elements.
    fn qualified(&self, name: &str, is_element: bool) -> Result<String, Problem> {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let known = self.namespaces.iter().rfind(|(known, _)| known == prefix).map(|(_, uri)| uri.as_str());
        let uri = match (prefix, known) {
            ("", uri) => uri.filter(|_| is_element).unwrap_or_default(),
            ("xml", _) => XML,
            (_, uri) => uri.ok_or("unbound prefix")?,
        };
        Ok(if uri.is_empty() { local.to_owned() } else { ["{", uri, "}", local].concat() })
    }
}

/// The prefix that an attribute declares.
fn declared(attribute: &str) -> Option<&str> {
    if attribute == "xmlns" { Some("") } else { attribute.strip_prefix("xmlns:") }
}

/// A character that XML may hold.
fn is_char(c: char) -> bool {
    c >= ' ' && c != '\u{fffe}' && c != '\u{ffff}' || matches!(c, '\t' | '\n' | '\r')
}

/// The character that a reference stands for.
fn reference(name: &str) -> Option<char> {
    let code = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = code.strip_prefix('x').map_or((code, 10), |digits| (digits, 16));
    let is_number = digits.chars().all(|digit| digit.is_digit(radix));
    let number = u32::from_str_radix(digits.trim_start_matches('0'), radix).ok().filter(|_| is_number)?;
    char::from_u32(number).filter(|c| is_char(*c))
}

/// Checks a processing instruction, of which nothing is kept.
fn instruction(held: &str) -> Result<(), Problem> {
    let inner = held.strip_prefix('?').and_then(|inner| inner.strip_suffix("?>")).ok_or(NOT_WELL_FORMED)?;
    let mut scan = Scan { rest: inner };
    let target = scan.name()?;
    let ends = scan.rest.is_empty() || scan.space();
    let is_reserved = target.contains(':') || target.eq_ignore_ascii_case("xml");
    if ends && !is_reserved { Ok(()) } else { Err(NOT_WELL_FORMED) }
}

/// Goes through a tag.
struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    /// A name, with a prefix or without.
    fn name(&mut self) -> Result<&'a str, Problem> {
        let end = self.rest.find(|c| !continues_name(c) && c != ':').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end).ok_or(NOT_WELL_FORMED)?;
        self.rest = rest;
        let (prefix, local) = name.split_once(':').unwrap_or((name, name));
        let is_part = |part: &str| part.starts_with(starts_name) && !part.contains(':');
        if is_part(prefix) && is_part(local) { Ok(name) } else { Err(NOT_WELL_FORMED) }
    }

    /// Passes white space, if there is any.
    fn space(&mut self) -> bool {
        let rest = self.rest.trim_start_matches([' ', '\t', '\n']);
        let found = rest.len() < self.rest.len();
        self.rest = rest;
        found
    }

    fn attribute(&mut self) -> Result<(&'a str, String), Problem> {
        let name = self.name()?;
        self.space();
        self.rest = self.rest.strip_prefix('=').ok_or(NOT_WELL_FORMED)?;
        self.space();
        let quote = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(NOT_WELL_FORMED)?;
        let inner = self.rest.get(1..).unwrap_or_default();
        let (mut raw, rest) = inner.split_once(quote).ok_or(NOT_WELL_FORMED)?;
        self.rest = rest;
        let mut value = String::with_capacity(raw.len());
        while let Some((text, after)) = raw.split_once('&') {
            value.extend(text.chars().map(space_of));
            let (name, after) = after.split_once(';').ok_or(NOT_WELL_FORMED)?;
            value.push(reference(name).ok_or("undefined entity")?);
            raw = after;
        }
        value.extend(raw.chars().map(space_of));
        Ok((name, value))
    }
}

/// In attributes all white space is blanks.
fn space_of(c: char) -> char {
    if matches!(c, '\n' | '\t') { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in the reply, as XML again.
    fn read(text: &str) -> Result<String, Problem> {
        let mut reader = Reader::default();
        reader.push(text);
        let tree = reader.finish()?;
        Ok(tree.elements.first().map(|reply| tree.inner_xml(reply)).unwrap_or_default())
    }

    #[test]
    fn what_expat_accepts_is_read_as_python_reads_it() {
        for (text, expected) in [
            ("", ""),
            ("a\r\nb\rc", "a\nb\nc"),
            ("<a>1 &lt; 2 &amp; &#x41;&#0066;</a> &gt;", "<a>1 &lt; 2 &amp; AB</a> &gt;"),
            ("<a><![CDATA[<b> ]] &amp;]]></a>", "<a>&lt;b&gt; ]] &amp;amp;</a>"),
            ("<a>x<!-- - <b> -->y<?pi ?x?>z</a\n>", "<a>xyz</a>"),
            ("<a b='\"&#10;' c = \"1\n2\" />", "<a b=\"&quot;&#10;\" c=\"1 2\" />"),
            ("<é.-1>]] ></é.-1>", "<é.-1>]] &gt;</é.-1>"),
            ("<a xmlns='u' b='1'><c/></a>", "<ns0:a xmlns:ns0=\"u\" b=\"1\"><ns0:c /></ns0:a>"),
            ("<p:a xmlns:p='u' xml:lang='en' p:b=''/>", "<ns0:a xmlns:ns0=\"u\" xml:lang=\"en\" ns0:b=\"\" />"),
            ("<a xmlns='http://www.w3.org/1999/xhtml'/>", "<html:a xmlns:html=\"http://www.w3.org/1999/xhtml\" />"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_expat_refuses_is_refused() {
        for text in [
            "<a>",
            "</a>",
            "<a></b>",
            "<a/ >",
            "< a/>",
            "<1/>",
            "<a:b/>",
            "<:a/>",
            "<a:b:c xmlns:a='u'/>",
            "<a b/>",
            "<a b=1/>",
            "<a b='1'c='2'/>",
            "<a b='1' b='2'/>",
            "<a b='<'/>",
            "<a b='&'/>",
            "<a b='&x;'/>",
            "<a b='/>",
            "&",
            "& ",
            "&nbsp;",
            "&#0;",
            "&#xd800;",
            "&#x110000;",
            "&#+5;",
            "&#;",
            "1 < 2",
            "]]>",
            "<!DOCTYPE a>",
            "<!-- a -- b -->",
            "<!-- a --->",
            "<!-->",
            "<![CDATA[",
            "<![cdata[]]>",
            "<?xml version='1.0'?>",
            "<?XML?>",
            "<??>",
            "<?a",
            "\u{1}",
            "\u{ffff}",
            "<𐐷/>",
            "<a xmlns:b=''/>",
            "<a xmlns:xml='u'/>",
            "<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_and_attributes_have_limits() {
        let nested = |depth: usize| read(&("<a>".repeat(depth) + &"</a>".repeat(depth))).is_ok();
        assert_eq!((nested(MAX_DEPTH), nested(MAX_DEPTH + 1)), (true, false));
        let attributes =
            |count: usize| read(&format!("<a{}/>", (0..count).map(|i| format!(" a{i}=''")).collect::<String>()));
        assert_eq!((attributes(MAX_ATTRIBUTES).is_ok(), attributes(MAX_ATTRIBUTES + 1).is_ok()), (true, false));
    }
}
