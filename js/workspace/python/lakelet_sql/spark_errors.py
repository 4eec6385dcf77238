"""Errors of Spark, which are Databricks' own, cut to what a person can read."""

import re

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from .errors import SqlError

# The line of a Python function's traceback that says what was raised.
RAISED = re.compile(r"^RuntimeError: (.*)$", re.MULTILINE)
DUCKDB_HINT = "Tables of the local workspace on Spark are Parquet files, not Delta tables. DuckDB can: start it with --sql duckdb."


def explained(error):
    """The SqlError of what Spark raised; what is not Spark's, as it is."""
    if isinstance(error, SqlError):
        return error
    if isinstance(error, Py4JJavaError):
        java = error.java_exception
        condition = java.getCondition() if hasattr(java, "getCondition") else None
        return made(condition, java.getSqlState() if condition else None, str(java.getMessage() or error))
    if isinstance(error, PySparkException):
        return made(error.getCondition(), error.getSqlState(), error.getMessage() or str(error))
    return error


def made(condition, sql_state, message):
    raised = RAISED.findall(message)
    if raised:
        return SqlError("AI_FUNCTION_HTTP_REQUEST_ERROR", "08000", f"Error occurred while making an HTTP request for function ai_query: {raised[-1]}")
    # The message, without the plan or the text of the statement that Spark puts behind it.
    text = re.split(r"\n(?=['+=]|== )|;?\n'", message.strip())[0]
    text = re.sub(r"^\[[^\]]+\]\s*", "", text)
    text = re.sub(r"\s*SQLSTATE: \w+.*$", "", text, flags=re.DOTALL)
    if condition is None:
        return SqlError("INTERNAL_ERROR", "XX000", f"Spark: {text}")
    if condition == "UNSUPPORTED_FEATURE.TABLE_OPERATION":
        text = f"{text.split(' Please check')[0]} {DUCKDB_HINT}"
    return SqlError(condition, sql_state or "XX000", text)
