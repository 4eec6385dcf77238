//! White space, lines and indentation.

/// What `str.isspace` takes for white space: Unicode's, and the four separators of ASCII.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

/// `str.strip()`.
///
/// ```
/// assert_eq!(lakelet::python::strip("\u{a0} a b \x1f"), "a b");
/// ```
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `str.lstrip()`.
pub fn strip_start(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// `str.rstrip()`.
pub fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// `str.splitlines()`: ends lines at more characters than `\n`, and counts `\r\n` as one.
///
/// ```
/// let lines: Vec<_> = lakelet::python::splitlines("a\r\nb\u{2028}\n").collect();
/// assert_eq!(lines, ["a", "b", ""]);
/// ```
pub fn splitlines(text: &str) -> Lines<'_> {
    Lines { rest: text }
}

/// The lines of a text; see [`splitlines`].
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match line_end(self.rest.as_bytes()) {
            Some((end, width)) => (self.rest.get(..end)?, self.rest.get(end + width..)?),
            None => (self.rest, ""),
        };
        self.rest = rest;
        Some(line)
    }
}

/// Where the first line ends, and how many bytes its end takes.
fn line_end(text: &[u8]) -> Option<(usize, usize)> {
    let next = |i: usize| text.get(i).copied().unwrap_or(0);
    text.iter().enumerate().find_map(|(i, byte)| {
        let width = match byte {
            b'\r' if next(i + 1) == b'\n' => 2,
            b'\n'..=b'\r' | 0x1c..=0x1e => 1,
            0xc2 if next(i + 1) == 0x85 => 2, // U+0085
            0xe2 if next(i + 1) == 0x80 && matches!(next(i + 2), 0xa8 | 0xa9) => 3, // U+2028, U+2029
            _ => return None,
        };
        Some((i, width))
    })
}

/// `textwrap.dedent`: removes the indentation that all lines share; lines of blanks and tabs become empty.
///
/// ```
/// assert_eq!(lakelet::python::dedent("  a\n    b\n \n"), "a\n  b\n\n");
/// ```
pub fn dedent(text: &str) -> String {
    fn blank(c: char) -> bool {
        c == ' ' || c == '\t'
    }
    let mut margin: Option<&str> = None;
    for line in text.split('\n') {
        let content = line.trim_start_matches(blank);
        if content.is_empty() {
            continue;
        }
        let indent = line.get(..line.len() - content.len()).unwrap_or("");
        margin = Some(margin.map_or(indent, |margin| common_prefix(margin, indent)));
    }
    let margin = margin.unwrap_or("");
    let mut out = String::with_capacity(text.len());
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if !line.chars().all(blank) {
            out.push_str(line.strip_prefix(margin).unwrap_or(line));
        }
    }
    out
}

/// What two indentations share at their start; both are ASCII.
fn common_prefix<'a>(a: &'a str, b: &str) -> &'a str {
    let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    a.get(..shared).unwrap_or("")
}

/// `inspect.cleandoc`: the text of a docstring without the indentation of the code around it.
///
/// ```
/// assert_eq!(lakelet::python::cleandoc("\n    Answer.\n      Shortly.\n    "), "Answer.\n  Shortly.");
/// ```
pub fn cleandoc(doc: &str) -> String {
    let doc = expand_tabs(doc);
    let mut lines: Vec<&str> = doc.split('\n').collect();
    let (first, later) = match lines.split_first_mut() {
        Some(split) => split,
        None => return String::new(),
    };
    *first = strip_start(first);
    let margin = later
        .iter()
        .filter_map(|line| {
            let content = strip_start(line);
            (!content.is_empty()).then(|| line.chars().count() - content.chars().count())
        })
        .min()
        .unwrap_or(0);
    for line in later {
        let cut = line.char_indices().nth(margin).map_or(line.len(), |(i, _)| i);
        *line = line.get(cut..).unwrap_or("");
    }
    let start = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let end = lines.iter().rposition(|line| !line.is_empty()).map_or(start, |i| i + 1);
    lines.get(start..end).unwrap_or(&[]).join("\n")
}

/// `str.expandtabs()`, with tab stops every eight characters.
fn expand_tabs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' => {
                let width = 8 - column % 8;
                out.extend(std::iter::repeat_n(' ', width));
                column += width;
            }
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            _ => {
                out.push(c);
                column += 1;
            }
        }
    }
    out
}
