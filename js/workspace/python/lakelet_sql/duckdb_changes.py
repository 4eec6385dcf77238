"""What statements that change tables and views have in common."""

import pyarrow as pa
from sqlglot import exp


def counts(**values):
    """The one row of numbers that a change answers with."""
    columns = [{"name": name, "type": "bigint"} for name in values]
    return columns, [pa.RecordBatch.from_arrays([pa.array([value], pa.int64()) for value in values.values()], list(values))]


NOTHING = ([], [])


def target(tree, tables):
    """The place of the table that a statement changes, which must be there."""
    place = tables.place(tree if isinstance(tree, exp.Table) else tree.find(exp.Table))
    tables.must_be_there(place)
    return place


def changed(cursor, statement):
    """Runs a statement and returns how many rows it changed."""
    row = cursor.execute(statement).fetchone()
    return row[0] if row else 0
