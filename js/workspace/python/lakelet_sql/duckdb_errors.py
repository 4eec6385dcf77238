"""Errors of DuckDB as Databricks tells them."""

import re

import duckdb

from .errors import SPARK_HINT, SqlError, cancelled, unsupported

NAME = r'(?:"([^"]+)"|([^\s"!]+))'
PATTERNS = [
    (r"Table with name " + NAME + r" does not exist", "TABLE_OR_VIEW_NOT_FOUND", "42P01", "The table or view `{0}` cannot be found. Verify the spelling and correctness of the schema and catalog."),
    (r"(?:Table|View) with name " + NAME + r" already exists", "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "Cannot create table or view `{0}` because it already exists."),
    (r"Schema with name " + NAME + r" does not exist", "SCHEMA_NOT_FOUND", "42704", "The schema `{0}` cannot be found."),
    (r"Catalog " + NAME + r" does not exist", "NO_SUCH_CATALOG_EXCEPTION", "42704", "Catalog `{0}` was not found."),
    (r"Referenced (?:column|table) " + NAME + r" not found", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "A column, variable, or function parameter with name `{0}` cannot be resolved."),
    (r'does not have a column (?:named|with name) ' + NAME, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "A column with name `{0}` cannot be resolved."),
    (r"NOT NULL constraint failed: (\S+)", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED", "23502", "NOT NULL constraint violated for column: {0}."),
    (r"CHECK constraint failed", "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", "23001", "CHECK constraint violated."),
    (r"Division by zero", "DIVIDE_BY_ZERO", "22012", "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead."),
    (r"Could not convert string '([^']*)' to (\w+)", "CAST_INVALID_INPUT", "22018", "The value '{0}' of the type \"STRING\" cannot be cast to \"{1}\" because it is malformed. Use `try_cast` to tolerate malformed input and return NULL instead."),
    (r"Overflow in|out of range", "ARITHMETIC_OVERFLOW", "22003", "The value is out of the range of its type."),
    (r"must appear in the GROUP BY", "MISSING_AGGREGATION", "42803", "A non-aggregating expression is based on columns which are not in the GROUP BY clause."),
    (r"Ambiguous reference to column name " + NAME, "AMBIGUOUS_REFERENCE", "42704", "Reference `{0}` is ambiguous."),
]
MISSING_FUNCTION = re.compile(r"(?:Scalar |Table |Aggregate )?Function with name " + NAME + r" does not exist")


UDF_FAILED = re.compile(r"while executing the UDF: \w+: (.*)")


def explained(error):
    """The SqlError of what DuckDB raised. Its own words follow, for they say where."""
    if isinstance(error, duckdb.InterruptException):
        return cancelled()
    # Databases are called c_<catalog>.
    first = re.sub(r"\bc_(?=\w)", "", str(error).split("\n")[0])
    failed = UDF_FAILED.search(first)
    if failed:
        return SqlError("AI_FUNCTION_HTTP_REQUEST_ERROR", "08000", f"Error occurred while making an HTTP request for function ai_query: {failed[1]}")
    missing = MISSING_FUNCTION.search(first)
    if missing:
        name = missing[1] or missing[2]
        return SqlError(
            "UNRESOLVED_ROUTINE",
            "42883",
            f"Cannot resolve routine `{name}`: the local workspace runs SQL by DuckDB, which has no function {name}(). If Databricks has it, {SPARK_HINT}.",
        )
    for pattern, condition, state, message in PATTERNS:
        found = re.search(pattern, first)
        if found:
            names = [group for group in found.groups() if group is not None]
            return SqlError(condition, state, f"{message.format(*names)} ({first})")
    if isinstance(error, duckdb.ParserException):
        return SqlError("PARSE_SYNTAX_ERROR", "42601", f"{first} (DuckDB said so of the translated statement. If Databricks takes it, {SPARK_HINT}.)")
    if isinstance(error, duckdb.NotImplementedException):
        return unsupported(f"such construct ({first})", "DuckDB", SPARK_HINT)
    if isinstance(error, duckdb.BinderException):
        return SqlError("DATATYPE_MISMATCH", "42K09", f"{first} (The local workspace runs SQL by DuckDB.)")
    return SqlError("INTERNAL_ERROR", "XX000", f"DuckDB: {first}")
