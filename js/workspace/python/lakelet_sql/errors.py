"""Errors of statements, as Databricks tells them: https://docs.databricks.com/error-messages/error-classes"""

SPARK_HINT = "Apache Spark can: npx lakelet-workspace fetch spark"


class SqlError(Exception):
    """A statement that failed, with its error condition and SQLSTATE."""

    def __init__(self, condition, sql_state, message):
        super().__init__(f"[{condition}] {message.rstrip()} SQLSTATE: {sql_state}")
        self.condition = condition
        self.sql_state = sql_state


def unsupported(what, engine, hint):
    """The error of a construct that the engine lacks."""
    return SqlError("UNSUPPORTED_FEATURE", "0A000", f"The local workspace runs SQL by {engine}, which has no {what}. {hint}".rstrip(". ") + ".")


def cancelled():
    return SqlError("OPERATION_CANCELED", "HY008", "Operation has been canceled.")
