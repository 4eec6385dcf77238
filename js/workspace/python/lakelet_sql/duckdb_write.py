"""Statements that change tables and views, each in one transaction with what the catalog keeps of them."""

from sqlglot import exp

from .duckdb_changes import NOTHING, changed, counts, target
from .duckdb_ddl import alter, comment, create, drop
from .duckdb_dialect import write
from .errors import SPARK_HINT, unsupported


def write_statement(tree, translator, tables):
    """A function that runs the statement and returns (columns, batches); None if the statement only reads."""
    handlers = {
        exp.Insert: insert,
        exp.Update: update,
        exp.Delete: delete,
        exp.Merge: merge,
        exp.Create: create,
        exp.Drop: drop,
        exp.Alter: alter,
        exp.TruncateTable: truncate,
        exp.Comment: comment,
    }
    handler = handlers.get(type(tree))
    if handler is None:
        if not isinstance(tree, (exp.Query, exp.Values, exp.Subquery)):
            raise unsupported(f"statement {tree.sql('databricks').split()[0].upper()}", "DuckDB", SPARK_HINT)
        return None

    def run():
        cursor = tables.cursor
        cursor.execute("BEGIN")
        try:
            answer = handler(tree, translator, tables)
            cursor.execute("COMMIT")
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
        return answer

    return run


def insert(tree, translator, tables):
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    place = target(table, tables)
    cursor = tables.cursor
    if tree.args.get("partition"):
        raise unsupported("INSERT into a PARTITION", "DuckDB", SPARK_HINT)
    where, overwrite = tree.args.get("where"), tree.args.get("overwrite")
    if where is not None or overwrite:
        # The rows are read before the old ones go, for the query may read the table itself.
        query = write(translator.translate(tree.expression))
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE lakelet_rows AS {query}")
        condition = "" if where is None else f" WHERE {write(translator.translate(where))}"
        cursor.execute(f"DELETE FROM {tables.sql(place)}{condition}")
        names = "" if not isinstance(tree.this, exp.Schema) else " (" + ", ".join(write(name) for name in tree.this.expressions) + ")"
        by_name = " BY NAME" if tree.args.get("by_name") else ""
        count = changed(cursor, f"INSERT INTO {tables.sql(place)}{names}{by_name} SELECT * FROM lakelet_rows")
        cursor.execute("DROP TABLE lakelet_rows")
    else:
        count = changed(cursor, write(translator.translate(tree)))
    tables.note_commit(place)
    return counts(num_affected_rows=count, num_inserted_rows=count)


def update(tree, translator, tables):
    place = target(tree.this, tables)
    count = changed(tables.cursor, write(translator.translate(tree)))
    tables.note_commit(place)
    return counts(num_affected_rows=count)


def delete(tree, translator, tables):
    place = target(tree.this, tables)
    count = changed(tables.cursor, write(translator.translate(tree)))
    tables.note_commit(place)
    return counts(num_affected_rows=count)


def truncate(tree, translator, tables):
    place = target(tree, tables)
    tables.cursor.execute(f"DELETE FROM {tables.sql(place)}")
    tables.note_commit(place)
    return NOTHING


def merge(tree, translator, tables):
    place = target(tree.this, tables)
    statement = write(translator.translate(tree))
    actions = {}
    for (action,) in tables.cursor.execute(f"{statement} RETURNING merge_action").fetchall():
        actions[action] = actions.get(action, 0) + 1
    tables.note_commit(place)
    updated, deleted, inserted = (actions.get(action, 0) for action in ("UPDATE", "DELETE", "INSERT"))
    return counts(num_affected_rows=updated + deleted + inserted, num_updated_rows=updated, num_deleted_rows=deleted, num_inserted_rows=inserted)
