"""Databricks SQL as DuckDB runs it: sqlglot translates, and this module adds what it leaves out."""

import logging

import sqlglot
from sqlglot import ErrorLevel, exp
from sqlglot.errors import ParseError, TokenError, UnsupportedError

from .duckdb_functions import call, put_right
from .errors import SPARK_HINT, SqlError, unsupported

# What sqlglot cannot write for DuckDB is raised as an error by `write`; its warnings would tell it a second time.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def parse(statement):
    """The tree of one statement of Databricks SQL."""
    try:
        trees = [tree for tree in sqlglot.parse(statement, read="databricks") if tree is not None]
    except (ParseError, TokenError) as error:
        details = getattr(error, "errors", None) or [{}]
        near = details[0].get("highlight") or "end of input"
        what = details[0].get("description") or str(error)
        raise SqlError(
            "PARSE_SYNTAX_ERROR",
            "42601",
            f"Syntax error at or near '{near}': {what}. (The local workspace reads statements by sqlglot for DuckDB. If Databricks takes this one, {SPARK_HINT}.)",
        ) from error
    return trees[0]


def write(tree):
    """The text of a tree for DuckDB."""
    try:
        return tree.sql("duckdb", unsupported_level=ErrorLevel.RAISE, normalize_functions=False)
    except UnsupportedError as error:
        raise unsupported(f"counterpart: {error}", "DuckDB", SPARK_HINT) from error
    except (IndexError, KeyError, AttributeError, TypeError, ValueError) as error:
        raise unsupported(f"translation that sqlglot knows ({type(error).__name__}: {error})", "DuckDB", SPARK_HINT) from error


def data_type(text):
    return exp.DataType.build(text, dialect="databricks")


def literal(parameter):
    """The typed value of a parameter. One without a type is a STRING, one without a value NULL."""
    value, kind = parameter["value"], parameter["type"]
    content = exp.null() if value is None else exp.Literal.string(value)
    if value is not None and kind.upper() == "STRING":
        return content
    try:
        return exp.Cast(this=content, to=data_type(kind))
    except ParseError as error:
        raise SqlError("UNSUPPORTED_DATATYPE", "0A000", f"Unsupported data type \"{kind}\" of parameter '{parameter['name']}'.") from error


class Translator:
    """Translates the statements of one request."""

    def __init__(self, parameters, catalog, schema, user):
        self.parameters = {parameter["name"]: parameter for parameter in parameters}
        self.catalog, self.schema, self.user = catalog, schema, user

    def translate(self, tree):
        """The tree with what DuckDB needs to be told differently. Changes the tree, from its leaves up."""
        for node in reversed(list(tree.walk())):
            changed = self._node(node)
            if changed is node:
                continue
            if node is tree:
                tree = changed
            else:
                node.replace(changed)
        return tree

    def _node(self, node):
        if isinstance(node, exp.Placeholder):
            return self._parameter(node)
        if isinstance(node, exp.CurrentUser):
            return exp.Literal.string(self.user)
        if isinstance(node, exp.CurrentCatalog):
            return exp.Literal.string(self.catalog)
        if isinstance(node, exp.Anonymous) and node.name.lower() == "ai_query":
            return ai_query(node.expressions)
        if isinstance(node, exp.Anonymous) and node.name.lower() == "current_database":
            return exp.Literal.string(self.schema)
        if isinstance(node, exp.Table):
            return function_table(node)
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Explode) and not node.args["alias"].columns:
            names = ["pos", "col"] if isinstance(node.this, exp.Posexplode) else ["col"]
            node.args["alias"].set("columns", [exp.to_identifier(name) for name in names])
        if isinstance(node, exp.FromJson):
            return self._from_json(node)
        return put_right(node)

    def _parameter(self, node):
        name = node.name
        if name not in self.parameters:
            raise SqlError("UNBOUND_SQL_PARAMETER", "42P02", f"Found the unbound parameter: {name}. Give its value in 'parameters'.")
        return literal(self.parameters[name])

    def _from_json(self, node):
        schema = node.expression
        if not isinstance(schema, exp.Literal):
            raise unsupported("from_json() with a schema that is not a string", "DuckDB", SPARK_HINT)
        return exp.TryCast(this=exp.TryCast(this=node.this, to=exp.DataType.build("JSON", dialect="duckdb")), to=ddl_type(schema.this))


def function_table(table):
    """`range(...)` and `explode(...)` as tables, whose columns have names."""
    function = table.this
    column = None
    if isinstance(function, exp.Anonymous) and function.name.lower() == "range":
        column = "id"
    elif isinstance(function, exp.Explode) and not isinstance(function, exp.Posexplode):
        column = "col"
    if column is not None and not (table.args.get("alias") and table.args["alias"].columns):
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.alias or column), columns=[exp.to_identifier(column)]))
    return table


def ddl_type(text):
    """A type, or the columns of a struct, as from_json and ai_query take them."""
    try:
        return data_type(text)
    except ParseError:
        return data_type(f"STRUCT<{text}>")


def named_arguments(expressions, names):
    """The arguments of a call by name; positional ones take the names in their order."""
    given = {}
    for position, argument in enumerate(expressions):
        if isinstance(argument, (exp.Kwarg, exp.PropertyEQ)):
            given[argument.this.name.lower()] = argument.expression
        else:
            given[names[position].lower()] = argument
    return given


AI_QUERY = ["endpoint", "request", "returnType", "failOnError", "modelParameters", "responseFormat", "files"]


def ai_query(expressions):
    """`ai_query(...)` as calls of the function that the engine registers, which takes and gives text."""
    given = named_arguments(expressions, AI_QUERY)
    if "files" in given:
        raise SqlError("UNSUPPORTED_FEATURE", "0A000", "ai_query(files => ...) needs a model that sees; the local workspace serves none.")
    unknown = set(given) - {name.lower() for name in AI_QUERY}
    if unknown:
        raise SqlError("UNRECOGNIZED_PARAMETER_NAME", "4274K", f"ai_query has no parameter `{unknown.pop()}`.")
    none = exp.null()
    parameters = call("to_json", given["modelparameters"]) if "modelparameters" in given else none
    fails = given.get("failonerror")
    tolerant = isinstance(fails, exp.Boolean) and not fails.this
    row = call("lakelet_ai_query", given["endpoint"], call("to_json", given["request"]), parameters, given.get("responseformat", none))
    checked = row if tolerant else call("lakelet_ai_answer", row)
    kind = given.get("returntype")
    if kind is not None and not isinstance(kind, exp.Literal):
        raise unsupported("ai_query() with a returnType that is not a string", "DuckDB", SPARK_HINT)
    of_type = None if kind is None or kind.this.strip().upper() == "STRING" else ddl_type(kind.this)
    if not tolerant:
        return checked if of_type is None else exp.Cast(this=exp.cast(checked, "JSON"), to=of_type)
    answer = exp.column("answer", "r")
    result = answer if of_type is None else exp.Cast(this=exp.cast(answer, "JSON"), to=of_type)
    # A list of one, so that the endpoint is asked once for both fields.
    fields = exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier("result"), expression=result),
            exp.PropertyEQ(this=exp.to_identifier("errorMessage"), expression=exp.column("error", "r")),
        ]
    )
    each = exp.Lambda(this=fields, expressions=[exp.to_identifier("r")])
    return call("list_extract", call("list_transform", exp.Array(expressions=[row]), each), exp.Literal.number(1))


def column_name(projection):
    """The name that Databricks gives a column that has none: its expression."""
    if isinstance(projection, exp.Count) and isinstance(projection.this, exp.Star):
        return "count(1)"
    if isinstance(projection, exp.Literal):
        return projection.this
    if isinstance(projection, exp.Boolean):
        return str(projection.this).lower()
    if isinstance(projection, exp.CurrentCatalog):
        return "current_catalog()"
    shown = projection.copy().transform(lambda node: exp.Var(this=node.this) if isinstance(node, exp.Literal) and node.is_string else node)
    text = shown.sql("databricks", normalize_functions="lower").replace("TRUE", "true").replace("FALSE", "false")
    return f"({text})" if isinstance(projection, exp.Binary) and not isinstance(projection, (exp.Dot, exp.JSONExtract, exp.Func)) else text


def name_columns(tree):
    """Gives the columns of a query that have no name the names that Databricks gives them. Call it before `translate`."""
    select = tree
    while isinstance(select, exp.SetOperation):
        select = select.left
    if not isinstance(select, exp.Select):
        return
    for projection in list(select.expressions):
        named = isinstance(projection, (exp.Alias, exp.Aliases, exp.Column, exp.Star, exp.Posexplode)) or projection.is_star
        if isinstance(projection, exp.Dot):
            # A field of a column has its own name.
            named = projection.find(exp.Func) is None
        if not named:
            name = "col" if isinstance(projection, exp.Explode) else column_name(projection)
            projection.replace(exp.alias_(projection.copy(), name.replace("c_", ""), quoted=True))
