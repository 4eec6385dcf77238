"""MERGE INTO as one query over the outer join of target and source."""

from pyspark.sql import functions as F
from sqlglot import exp

from .errors import SqlError

# Columns of the join: the number of the target's row, whether there is a source row, and which clause acts on the pair.
ROW, IN_SOURCE, ACTION = "__lakelet_row", "__lakelet_source", "__lakelet_action"


def merged(session, tree, arguments, columns):
    """(rows of the target afterwards, numbers of rows by action) as two data frames."""
    target, origin = tree.this.alias or tree.this.name, tree.args["using"].alias or tree.args["using"].name
    target_rows, source_rows = without_alias(tree.this), without_alias(tree.args["using"])
    source_columns = session.sql(f"SELECT * FROM {source_rows} LIMIT 0", args=arguments).columns
    clauses = [Clause(when, target, origin, columns, source_columns) for when in tree.args["whens"].expressions]

    number = "CASE " + " ".join(f"WHEN {clause.condition} THEN {i}" for i, clause in enumerate(clauses)) + " END"
    values = ", ".join(
        f"CASE ({number}) " + " ".join(f"WHEN {i} THEN {clause.value(column)}" for i, clause in enumerate(clauses)) + f" ELSE {q(target, column)} END AS {q(column)}"
        for column in columns
    )
    pairs = session.sql(
        f"SELECT {values}, {q(target, ROW)} AS {ROW}, ({number}) AS {ACTION} "
        f"FROM (SELECT *, monotonically_increasing_id() AS {ROW} FROM {target_rows}) {q(target)} "
        f"FULL OUTER JOIN (SELECT *, true AS {IN_SOURCE} FROM {source_rows}) {q(origin)} ON {tree.args['on'].sql('databricks')}",
        args=arguments,
    ).persist()

    acted = pairs.where(F.col(ACTION).isNotNull())
    if acted.where(F.col(ROW).isNotNull()).groupBy(ROW).count().where("count > 1").limit(1).count() > 0:
        raise SqlError(
            "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE",
            "21506",
            "Cannot perform Merge as multiple source rows matched and attempted to modify the same target row.",
        )
    # A target row that no clause acts on stays, once, however many source rows it meets.
    same = pairs.where(F.col(ROW).isNotNull()).join(acted.select(ROW).where(F.col(ROW).isNotNull()), ROW, "left_anti").dropDuplicates([ROW])
    deletes = [i for i, clause in enumerate(clauses) if clause.kind == "DELETE"]
    kept = acted.where(~F.col(ACTION).isin(deletes)) if deletes else acted
    rows = kept.select(*columns).unionByName(same.select(*columns))

    def number_of(kind):
        mine = [i for i, clause in enumerate(clauses) if clause.kind == kind]
        return F.count(F.when(F.col(ACTION).isin(mine), 1)) if mine else F.lit(0).cast("bigint")

    updated, deleted, inserted = (number_of(kind) for kind in ("UPDATE", "DELETE", "INSERT"))
    counts = acted.agg(
        (updated + deleted + inserted).alias("num_affected_rows"),
        updated.alias("num_updated_rows"),
        deleted.alias("num_deleted_rows"),
        inserted.alias("num_inserted_rows"),
    )
    return rows, counts


def without_alias(source):
    """A table or query as a FROM clause takes it."""
    plain = source.copy()
    plain.set("alias", None)
    return plain.sql("databricks")


class Clause:
    """One WHEN of a MERGE."""

    def __init__(self, when, target, origin, columns, source_columns):
        then = when.args["then"]
        self.kind = {exp.Update: "UPDATE", exp.Insert: "INSERT"}.get(type(then), "DELETE")
        self.target, self.origin = target, origin
        in_target, in_source = f"{q(target, ROW)} IS NOT NULL", f"{q(origin, IN_SOURCE)} IS NOT NULL"
        if when.args.get("matched"):
            place = f"{in_target} AND {in_source}"
        elif when.args.get("source"):
            place = f"{in_target} AND NOT ({in_source})"
        else:
            place = f"NOT ({in_target}) AND {in_source}"
        extra = when.args.get("condition")
        self.condition = f"{place} AND ({extra.sql('databricks')})" if extra is not None else place
        known = {column.lower() for column in source_columns}
        self.every = {column.lower(): q(origin, column) for column in columns if column.lower() in known}
        self.values = self._values(then)

    def _values(self, then):
        """Expressions by the lower-case names of the columns that the clause sets; `*` sets all that the source has."""
        if self.kind == "DELETE":
            return {}
        if self.kind == "UPDATE":
            assignments = then.expressions
            if assignments and isinstance(assignments[0], exp.Star):
                return self.every
            return {item.this.name.lower(): item.expression.sql("databricks") for item in assignments}
        if isinstance(then.this, exp.Star):
            return self.every
        return {column.name.lower(): value.sql("databricks") for column, value in zip(then.this.expressions, then.expression.expressions)}

    def value(self, column):
        otherwise = "NULL" if self.kind == "INSERT" else q(self.target, column)
        return self.values.get(column.lower(), otherwise)


def q(*names):
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)
