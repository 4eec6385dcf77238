//! Python's expressions, by precedence climbing.

use std::borrow::Cow;

use super::lexer::{Lexer, Token};
use super::parameters::lambda_parameters;
use super::{DEPTH, Expr, constants, dump_all};
use crate::error::{Error, ErrorKind, Result};
use crate::python::is_keyword;
use crate::value::Value;

/// Reads a text that is one type and nothing else.
pub(in crate::signature) fn parse_type(text: &str) -> Result<Expr<'_>> {
    let mut parser = Parser { lexer: Lexer::new(text)?, depth: 0 };
    let expr = parser.expression()?;
    match parser.lexer.token {
        Token::End => Ok(expr),
        _ => Err(parser.lexer.error("invalid syntax")),
    }
}

/// A parser of expressions; `depth` counts what is open around the current token.
pub(super) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    depth: usize,
}

/// The operators between two values: sign, name in `ast.dump`, how tightly they bind.
const BINARY: [(&str, &str, u8); 13] = [
    ("|", "BitOr", 1),
    ("^", "BitXor", 2),
    ("&", "BitAnd", 3),
    ("<<", "LShift", 4),
    (">>", "RShift", 4),
    ("+", "Add", 5),
    ("-", "Sub", 5),
    ("*", "Mult", 6),
    ("/", "Div", 6),
    ("//", "FloorDiv", 6),
    ("%", "Mod", 6),
    ("@", "MatMult", 6),
    ("**", "Pow", 8),
];
const POWER: u8 = 8;
const LOOSEST: u8 = 1;

const COMPARISONS: [(&str, &str); 6] =
    [("==", "Eq"), ("!=", "NotEq"), ("<", "Lt"), ("<=", "LtE"), (">", "Gt"), (">=", "GtE")];

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self> {
        Ok(Self { lexer: Lexer::new(text)?, depth: 0 })
    }

    /// Goes one level deeper for as long as `read` runs.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEPTH {
            return Err(Error::new(ErrorKind::Signature, format!("the type nests deeper than {DEPTH} levels"))
                .with_hint("Give the inner type a name, and register it under that name.")
                .with_python_class("SyntaxError"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// `a`, `a if b else c`, `lambda: a`
    pub(super) fn expression(&mut self) -> Result<Expr<'a>> {
        self.nested(|parser| {
            if parser.lexer.take_word("lambda")? {
                let parameters = lambda_parameters(parser)?;
                let body = parser.expression()?.dump();
                return Ok(Expr::Other(format!("Lambda(args={parameters}, body={body})")));
            }
            let body = parser.disjunction()?;
            if !parser.lexer.take_word("if")? {
                return Ok(body);
            }
            let test = parser.disjunction()?.dump();
            if !parser.lexer.take_word("else")? {
                return Err(parser.lexer.error("expected `else` after `if` expression"));
            }
            let otherwise = parser.expression()?.dump();
            Ok(Expr::Other(format!("IfExp(test={test}, body={}, orelse={otherwise})", body.dump())))
        })
    }

    fn disjunction(&mut self) -> Result<Expr<'a>> {
        self.joined("or", "Or", |parser| parser.joined("and", "And", Self::negation))
    }

    /// `a or b or c`
    fn joined(&mut self, word: &str, name: &str, next: impl Fn(&mut Self) -> Result<Expr<'a>>) -> Result<Expr<'a>> {
        let first = next(self)?;
        if !self.lexer.is_word(word) {
            return Ok(first);
        }
        let mut values = vec![first];
        while self.lexer.take_word(word)? {
            values.push(next(self)?);
        }
        Ok(Expr::Other(format!("BoolOp(op={name}(), values=[{}])", dump_all(&values))))
    }

    fn negation(&mut self) -> Result<Expr<'a>> {
        if self.lexer.take_word("not")? {
            let operand = self.nested(Self::negation)?.dump();
            return Ok(Expr::Other(format!("UnaryOp(op=Not(), operand={operand})")));
        }
        let left = self.binary(LOOSEST)?;
        let mut signs = Vec::new();
        let mut values = Vec::new();
        while let Some(sign) = self.comparison()? {
            signs.push(sign);
            values.push(self.binary(LOOSEST)?);
        }
        if signs.is_empty() {
            return Ok(left);
        }
        let (left, values) = (left.dump(), dump_all(&values));
        Ok(Expr::Other(format!("Compare(left={left}, ops=[{}()], comparators=[{values}])", signs.join("(), "))))
    }

    fn comparison(&mut self) -> Result<Option<&'static str>> {
        if let Token::Op(op) = self.lexer.token {
            let found = COMPARISONS.iter().find(|(sign, _)| *sign == op);
            if found.is_some() {
                self.lexer.advance()?;
            }
            return Ok(found.map(|(_, name)| *name));
        }
        if self.lexer.take_word("in")? {
            return Ok(Some("In"));
        }
        if self.lexer.take_word("is")? {
            return Ok(Some(if self.lexer.take_word("not")? { "IsNot" } else { "Is" }));
        }
        if self.lexer.take_word("not")? {
            return if self.lexer.take_word("in")? {
                Ok(Some("NotIn"))
            } else {
                Err(self.lexer.error("expected `in`"))
            };
        }
        Ok(None)
    }

    /// Values between operators that bind at least as tightly as `least`.
    fn binary(&mut self, least: u8) -> Result<Expr<'a>> {
        let mut left = self.unary()?;
        let mut links = 0;
        while let Token::Op(op) = self.lexer.token {
            let Some((_, name, binds)) = BINARY.iter().find(|(sign, _, binds)| *sign == op && *binds >= least) else {
                break;
            };
            self.lexer.advance()?;
            // Powers group to the right, and their exponent may carry a sign.
            let right = self.nested(|parser| parser.binary(if *binds == POWER { POWER } else { binds + 1 }))?;
            links = self.link(links)?;
            left = match left {
                Expr::Union(mut members) if op == "|" => {
                    members.push(right);
                    Expr::Union(members)
                }
                left if op == "|" => Expr::Union(vec![left, right]),
                left => Expr::Other(format!("BinOp(left={}, op={name}(), right={})", left.dump(), right.dump())),
            };
        }
        Ok(left)
    }

    /// Counts the links of a chain like `a.b.c` or `a | b | c`, which nests to the left.
    fn link(&self, links: usize) -> Result<usize> {
        if links >= DEPTH {
            return Err(self.lexer.error(&format!("more than {DEPTH} operations in a row")));
        }
        Ok(links + 1)
    }

    fn unary(&mut self) -> Result<Expr<'a>> {
        for (sign, name) in [("-", "USub"), ("+", "UAdd"), ("~", "Invert")] {
            if self.lexer.take_op(sign)? {
                let operand = self.nested(|parser| parser.binary(POWER))?.dump();
                return Ok(Expr::Other(format!("UnaryOp(op={name}(), operand={operand})")));
            }
        }
        if self.lexer.take_word("await")? {
            let value = self.nested(Self::primary)?.dump();
            return Ok(Expr::Other(format!("Await(value={value})")));
        }
        self.primary()
    }

    /// An atom and what hangs on it: `a.b`, `a[b]`, `a(b)`.
    fn primary(&mut self) -> Result<Expr<'a>> {
        let mut base = self.atom()?;
        let mut links = 0;
        loop {
            if self.lexer.take_op(".")? {
                base = Expr::Attribute(Box::new(base), self.name()?);
            } else if self.lexer.take_op("[")? {
                let index = self.nested(Self::index)?;
                self.lexer.expect_op("]")?;
                base = Expr::Subscript(Box::new(base), Box::new(index));
            } else if self.lexer.take_op("(")? {
                base = self.nested(|parser| parser.call(base))?;
            } else {
                return Ok(base);
            }
            links = self.link(links)?;
        }
    }

    /// A name that is not a keyword.
    pub(super) fn name(&mut self) -> Result<Cow<'a, str>> {
        match &self.lexer.token {
            Token::Name(name) if !is_keyword(name) => match self.lexer.advance()? {
                Token::Name(name) => Ok(name),
                _ => Err(self.lexer.error("expected a name")),
            },
            _ => Err(self.lexer.error("expected a name")),
        }
    }

    fn atom(&mut self) -> Result<Expr<'a>> {
        let expr = match &self.lexer.token {
            Token::Name(word) => match word.as_ref() {
                "None" => Expr::Constant(Value::None),
                "True" => Expr::Constant(Value::Bool(true)),
                "False" => Expr::Constant(Value::Bool(false)),
                _ => return self.name().map(Expr::Name),
            },
            Token::Number(number) => match constants::number(number) {
                Some(value) => Expr::Constant(value),
                None => return Err(self.lexer.error("invalid number")),
            },
            Token::Text(_) => return self.texts(),
            Token::Op("...") => Expr::Ellipsis,
            Token::Op("(") => return self.group(),
            Token::Op("[") => {
                self.lexer.advance()?;
                let items = self.nested(|parser| parser.items("]"))?.0;
                return Ok(Expr::Other(format!("List(elts=[{}], ctx=Load())", dump_all(&items))));
            }
            Token::Op("{") => return self.braces(),
            _ => return Err(self.lexer.error("expected a type")),
        };
        self.lexer.advance()?;
        Ok(expr)
    }

    /// Strings side by side are one.
    fn texts(&mut self) -> Result<Expr<'a>> {
        let mut whole: Option<Value> = None;
        while let Token::Text(token) = self.lexer.token {
            if token.split(['\'', '"']).next().is_some_and(|prefix| prefix.contains(['f', 'F'])) {
                return Err(refused("JoinedStr"));
            }
            let Some(part) = constants::text(token) else {
                return Err(self.lexer.error("a text with a broken escape"));
            };
            whole = Some(match (whole, part) {
                (None, part) => part,
                (Some(Value::Str(text)), Value::Str(part)) => Value::Str(text + &part),
                (Some(Value::Bytes(mut bytes)), Value::Bytes(part)) => {
                    bytes.extend(part);
                    Value::Bytes(bytes)
                }
                _ => return Err(self.lexer.error("cannot mix bytes and nonbytes literals")),
            });
            self.lexer.advance()?;
        }
        Ok(Expr::Constant(whole.unwrap_or(Value::None)))
    }

    /// `(a)` is `a`; `()`, `(a,)` and `(a, b)` are tuples.
    fn group(&mut self) -> Result<Expr<'a>> {
        self.lexer.advance()?;
        if self.lexer.is_word("yield") {
            return Err(refused("Yield()"));
        }
        let (mut items, trailing_comma) = self.nested(|parser| parser.items(")"))?;
        let single = items.len() == 1 && !trailing_comma;
        if single && matches!(items.first(), Some(Expr::Other(dump)) if dump.starts_with("Starred(")) {
            return Err(self.lexer.error("cannot use starred expression here"));
        }
        match items.pop() {
            Some(item) if single => Ok(item),
            last => {
                items.extend(last);
                Ok(Expr::Tuple(items))
            }
        }
    }

    /// Expressions up to a closing bracket, and whether a comma came last.
    fn items(&mut self, close: &str) -> Result<(Vec<Expr<'a>>, bool)> {
        let mut items = Vec::new();
        let mut trailing_comma = false;
        while !self.lexer.take_op(close)? {
            if !items.is_empty() && !trailing_comma {
                return Err(self.missing_comma());
            }
            items.push(self.item()?);
            trailing_comma = self.lexer.take_op(",")?;
        }
        Ok((items, trailing_comma))
    }

    /// An expression, or `*` and one.
    fn item(&mut self) -> Result<Expr<'a>> {
        if self.lexer.take_op("*")? {
            let value = self.nested(|parser| parser.binary(LOOSEST))?.dump();
            return Ok(Expr::Other(format!("Starred(value={value}, ctx=Load())")));
        }
        self.expression()
    }

    fn missing_comma(&self) -> Error {
        if self.lexer.is_op(":=") {
            return refused("NamedExpr");
        }
        if self.lexer.is_word("for") || self.lexer.is_word("async") {
            return refused("comprehension");
        }
        self.lexer.error("invalid syntax, perhaps a comma is missing")
    }

    /// What stands in `[...]` behind a value.
    fn index(&mut self) -> Result<Expr<'a>> {
        let first = self.slice()?;
        if !self.lexer.is_op(",") {
            return if self.lexer.is_op("]") { Ok(first) } else { Err(self.missing_comma()) };
        }
        let mut items = vec![first];
        while self.lexer.take_op(",")? {
            if self.lexer.is_op("]") {
                break;
            }
            items.push(self.slice()?);
        }
        Ok(Expr::Tuple(items))
    }

    /// `a`, or `a:b:c` of which each part may be absent.
    fn slice(&mut self) -> Result<Expr<'a>> {
        let absent = |parser: &Self| [":", ",", "]"].iter().any(|op| parser.lexer.is_op(op));
        let first = if self.lexer.is_op(":") { None } else { Some(self.item()?) };
        if !self.lexer.is_op(":") {
            return first.ok_or_else(|| self.lexer.error("expected a type"));
        }
        let mut parts: Vec<String> = first.iter().map(|first| format!("lower={}", first.dump())).collect();
        for name in ["upper", "step"] {
            if self.lexer.take_op(":")? && !absent(self) {
                parts.push(format!("{name}={}", self.expression()?.dump()));
            }
        }
        Ok(Expr::Other(format!("Slice({})", parts.join(", "))))
    }

    /// `f(a, *b, c=d, **e)`, behind the opening bracket.
    fn call(&mut self, function: Expr<'a>) -> Result<Expr<'a>> {
        let mut args = Vec::new();
        let mut keywords: Vec<(Option<Cow<'a, str>>, Expr<'a>)> = Vec::new();
        while !self.lexer.take_op(")")? {
            if self.lexer.take_op("**")? {
                keywords.push((None, self.expression()?));
            } else {
                let value = self.item()?;
                match value {
                    Expr::Name(name) if self.lexer.take_op("=")? => keywords.push((Some(name), self.expression()?)),
                    value => args.push(value),
                }
            }
            if !self.lexer.is_op(")") && !self.lexer.take_op(",")? {
                return Err(self.missing_comma());
            }
        }
        let named = keywords.iter().all(|(name, _)| name.is_some());
        if matches!(&function, Expr::Name(name) if name == "Field") && named {
            return Ok(Expr::Field(keywords.into_iter().filter_map(|(name, value)| Some((name?, value))).collect()));
        }
        let keywords: Vec<_> = keywords
            .iter()
            .map(|(name, value)| match name {
                Some(name) => format!("keyword(arg='{name}', value={})", value.dump()),
                None => format!("keyword(value={})", value.dump()),
            })
            .collect();
        let (function, args) = (function.dump(), dump_all(&args));
        Ok(Expr::Other(format!("Call(func={function}, args=[{args}], keywords=[{}])", keywords.join(", "))))
    }

    /// `{a, b}` and `{a: b, **c}`
    fn braces(&mut self) -> Result<Expr<'a>> {
        self.lexer.advance()?;
        let mut keys = Vec::new();
        let mut values = Vec::new();
        let mut is_set = false;
        while !self.lexer.take_op("}")? {
            if self.lexer.take_op("**")? {
                keys.push("None".to_owned());
                values.push(self.nested(|parser| parser.binary(LOOSEST))?.dump());
            } else {
                let item = self.item()?.dump();
                if self.lexer.take_op(":")? {
                    keys.push(item);
                    values.push(self.expression()?.dump());
                } else {
                    is_set = true;
                    values.push(item);
                }
            }
            if !self.lexer.is_op("}") && !self.lexer.take_op(",")? {
                return Err(self.missing_comma());
            }
        }
        match (is_set, keys.is_empty()) {
            (true, true) => Ok(Expr::Other(format!("Set(elts=[{}])", values.join(", ")))),
            (true, false) => Err(self.lexer.error("a set and a dict in one")),
            (false, _) => Ok(Expr::Other(format!("Dict(keys=[{}], values=[{}])", keys.join(", "), values.join(", ")))),
        }
    }
}

/// The error for an expression that DSPy does not take for a type.
pub(in crate::signature) fn refused(node: &str) -> Error {
    Error::new(
        ErrorKind::Signature,
        format!(
            "Failed to parse string-base Signature due to unhandled AST node type in annotation: {node}. Please \
             consider using class-based DSPy Signatures instead."
        ),
    )
    .with_hint("Types are names, `list[...]`, `dict[..., ...]`, `Literal[...]`, `Optional[...]` and unions with `|`.")
    .with_python_class("ValueError")
}
