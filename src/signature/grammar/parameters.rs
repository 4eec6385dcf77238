//! Field lists, which are Python's parameter lists.

use std::borrow::Cow;

use super::expressions::Parser;
use super::lexer::Token;
use super::{Expr, dump_all};
use crate::error::Result;

/// A field as written.
pub(in crate::signature) struct Parameter<'a> {
    pub(in crate::signature) name: Cow<'a, str>,
    pub(in crate::signature) ty: Option<Expr<'a>>,
}

/// Reads a field list. Only plain parameters are fields: those in front of a `/` and behind a `*` are dropped.
pub(in crate::signature) fn parse_fields(text: &str) -> Result<Vec<Parameter<'_>>> {
    let mut parser = Parser::new(text)?;
    let list = parameters(&mut parser, true)?;
    match parser.lexer.token {
        Token::End => Ok(list.plain),
        _ => Err(parser.lexer.error("invalid syntax")),
    }
}

/// The parameters of a `lambda` and the colon behind them, in the notation of `ast.dump`.
pub(super) fn lambda_parameters(parser: &mut Parser) -> Result<String> {
    let list = parameters(parser, false)?;
    parser.lexer.expect_op(":")?;
    let names = |list: &[Parameter]| {
        list.iter().map(|parameter| format!("arg(arg='{}')", parameter.name)).collect::<Vec<_>>().join(", ")
    };
    let single = |role: &str, name: &Option<Cow<str>>| {
        name.as_ref().map(|name| format!(" {role}=arg(arg='{name}'),")).unwrap_or_default()
    };
    let keyword_defaults: Vec<_> = list
        .keyword_defaults
        .iter()
        .map(|given| given.as_ref().map_or_else(|| "None".to_owned(), Expr::dump))
        .collect();
    Ok(format!(
        "arguments(posonlyargs=[{}], args=[{}],{} kwonlyargs=[{}], kw_defaults=[{}],{} defaults=[{}])",
        names(&list.positional),
        names(&list.plain),
        single("vararg", &list.rest),
        names(&list.keyword),
        keyword_defaults.join(", "),
        single("kwarg", &list.keyword_rest),
        dump_all(&list.defaults)
    ))
}

#[derive(Default)]
struct List<'a> {
    positional: Vec<Parameter<'a>>,
    plain: Vec<Parameter<'a>>,
    defaults: Vec<Expr<'a>>,
    rest: Option<Cow<'a, str>>,
    keyword: Vec<Parameter<'a>>,
    keyword_defaults: Vec<Option<Expr<'a>>>,
    keyword_rest: Option<Cow<'a, str>>,
}

/// Reads parameters up to what cannot belong to the list; `typed` ones may have annotations.
fn parameters<'a>(parser: &mut Parser<'a>, typed: bool) -> Result<List<'a>> {
    let mut list = List::default();
    let mut slash = false;
    let mut star = false;
    while parameter_follows(parser) {
        if list.keyword_rest.is_some() {
            return Err(parser.lexer.error("arguments cannot follow var-keyword argument"));
        }
        if parser.lexer.take_op("/")? {
            if slash || star || list.plain.is_empty() {
                return Err(parser.lexer.error("`/` must come once, behind a field and in front of `*`"));
            }
            slash = true;
            list.positional = std::mem::take(&mut list.plain);
        } else if parser.lexer.take_op("**")? {
            list.keyword_rest = Some(parameter(parser, typed)?.name);
        } else if parser.lexer.take_op("*")? {
            if star {
                return Err(parser.lexer.error("`*` may appear only once"));
            }
            star = true;
            if !parser.lexer.is_op(",") {
                list.rest = Some(starred_parameter(parser, typed)?);
            }
        } else {
            let parameter = parameter(parser, typed)?;
            let default = if parser.lexer.take_op("=")? { Some(parser.expression()?) } else { None };
            if star {
                list.keyword.push(parameter);
                list.keyword_defaults.push(default);
            } else {
                match default {
                    Some(default) => list.defaults.push(default),
                    None if !list.defaults.is_empty() => {
                        return Err(parser.lexer.error("a field without default follows one with a default"));
                    }
                    None => {}
                }
                list.plain.push(parameter);
            }
        }
        if !parser.lexer.take_op(",")? {
            break;
        }
    }
    if star && list.rest.is_none() && list.keyword.is_empty() {
        return Err(parser.lexer.error("named arguments must follow bare `*`"));
    }
    Ok(list)
}

fn parameter_follows(parser: &Parser) -> bool {
    matches!(parser.lexer.token, Token::Name(_) | Token::Op("/" | "*" | "**"))
}

fn parameter<'a>(parser: &mut Parser<'a>, typed: bool) -> Result<Parameter<'a>> {
    let name = parser.name()?;
    let ty = if typed && parser.lexer.take_op(":")? { Some(parser.expression()?) } else { None };
    Ok(Parameter { name, ty })
}

/// The parameter behind a `*`, whose annotation may be starred too.
fn starred_parameter<'a>(parser: &mut Parser<'a>, typed: bool) -> Result<Cow<'a, str>> {
    let name = parser.name()?;
    if typed && parser.lexer.take_op(":")? {
        parser.lexer.take_op("*")?;
        parser.expression()?;
    }
    Ok(name)
}
