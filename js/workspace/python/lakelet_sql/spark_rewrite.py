"""Changes of tables that Spark does not make in Parquet: the table gets new files, and the metastore is told in one step where they are."""

import shutil
import uuid

import sqlglot
from pyspark.sql import functions as F
from sqlglot import exp
from sqlglot.errors import ParseError

from .spark_merge import merged

# Ending of the name of a table that is made to take another one's place.
NEW = "__lakelet_new"

VERBS = ("UPDATE", "DELETE", "MERGE", "TRUNCATE", "INSERT OVERWRITE", "CREATE OR REPLACE TABLE", "REPLACE TABLE")


class Rewriter:
    """Runs UPDATE, DELETE, MERGE, TRUNCATE, INSERT OVERWRITE and CREATE OR REPLACE TABLE on tables in Parquet."""

    def __init__(self, engine):
        self.engine = engine

    def run(self, session, statement, arguments, schema):
        """The rows that the statement answers with; None if Spark runs it itself."""
        words = " ".join(statement.split()[:4]).upper()
        if not words.startswith(VERBS):
            return None
        try:
            tree = sqlglot.parse_one(statement, read="databricks")
        except ParseError:
            # What is not a change of a table, INSERT OVERWRITE DIRECTORY for one, or not SQL: Spark says so better.
            return None
        handler = {
            exp.Update: self._update,
            exp.Delete: self._delete,
            exp.Merge: self._merge,
            exp.TruncateTable: self._truncate,
            exp.Insert: self._overwrite,
            exp.Create: self._replace,
        }.get(type(tree))
        if handler is None:
            return None
        with self.engine.writing:
            return handler(session, tree, arguments, schema)

    def _place(self, table, schema):
        """(database, name) of a table, which must be one of ours: managed, not partitioned; None if it is not."""
        place = (table.db or schema, table.name)
        metadata = self.engine.metadata(*place)
        usable = metadata is not None and metadata.tableType().name() == "MANAGED" and metadata.partitionColumnNames().isEmpty()
        return place if usable else None

    def _delete(self, session, tree, arguments, schema):
        place = self._place(tree.this, schema)
        if place is None:
            return None
        where = tree.args.get("where")
        condition = where.this.sql("databricks") if where else "true"
        source = tree.this.sql("databricks")
        keep = session.sql(f"SELECT * FROM {source} WHERE NOT coalesce(({condition}), false)", args=arguments)
        count = session.sql(f"SELECT count(*) AS num_affected_rows FROM {source} WHERE {condition}", args=arguments)
        return self._swap(session, place, keep, count)

    def _update(self, session, tree, arguments, schema):
        place = self._place(tree.this, schema)
        if place is None:
            return None
        where = tree.args.get("where")
        condition = where.this.sql("databricks") if where else "true"
        source = tree.this.sql("databricks")
        changes = {assignment.this.name.lower(): assignment.expression.sql("databricks") for assignment in tree.expressions}
        columns = [field.name for field in session.table(name_of(place)).schema.fields]
        unknown = set(changes) - {column.lower() for column in columns}
        if unknown:
            return None
        projections = [
            f"CASE WHEN ({condition}) THEN ({changes[column.lower()]}) ELSE {quoted(column)} END AS {quoted(column)}" if column.lower() in changes else quoted(column)
            for column in columns
        ]
        rows = session.sql(f"SELECT {', '.join(projections)} FROM {source}", args=arguments)
        count = session.sql(f"SELECT count(*) AS num_affected_rows FROM {source} WHERE {condition}", args=arguments)
        return self._swap(session, place, rows, count)

    def _merge(self, session, tree, arguments, schema):
        place = self._place(tree.this, schema)
        if place is None:
            return None
        columns = [field.name for field in session.table(name_of(place)).schema.fields]
        rows, counts = merged(session, tree, arguments, columns)
        return self._swap(session, place, rows, counts)

    def _truncate(self, session, tree, arguments, schema):
        place = self._place(tree.expressions[0], schema)
        if place is None:
            return None
        table = session.table(name_of(place))
        return self._swap(session, place, table.limit(0), None)

    def _overwrite(self, session, tree, arguments, schema):
        table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        if not tree.args.get("overwrite") or tree.args.get("partition") or not isinstance(table, exp.Table):
            return None
        place = self._place(table, schema)
        if place is None:
            return None
        rows = session.sql(tree.expression.sql("databricks"), args=arguments)
        target = session.table(name_of(place)).schema
        names = [column.name for column in tree.this.expressions] if isinstance(tree.this, exp.Schema) else [field.name for field in target.fields]
        if tree.args.get("by_name"):
            names = rows.columns
        if len(names) != len(rows.columns):
            return None
        by_name = {name.lower(): column for name, column in zip(names, rows.columns)}
        rows = rows.select(*[F.col(quoted(by_name[field.name.lower()])).alias(field.name) if field.name.lower() in by_name else F.lit(None).alias(field.name) for field in target.fields])
        count = rows.agg(F.count("*").alias("num_affected_rows"), F.count("*").alias("num_inserted_rows"))
        return self._swap(session, place, rows, count)

    def _swap(self, session, place, rows, counts):
        """Writes rows to a new folder, and makes it the table's. A kill before that leaves the table as it was."""
        metadata = self.engine.metadata(*place)
        old = metadata.location().getPath()
        schema = session.table(name_of(place)).schema
        new = f"{old.rstrip('/').split('-lakelet-')[0]}-lakelet-{uuid.uuid4().hex}"
        rows.select(*[F.col(quoted(field.name)).cast(field.dataType).alias(field.name) for field in schema.fields]).write.parquet(new)
        # The numbers are read while the table still has its old files.
        answer = session.createDataFrame(counts.toArrow()) if counts is not None else session.createDataFrame([], "")
        location = new.replace("'", "\\'")
        session.sql(f"ALTER TABLE {name_of(place)} SET LOCATION 'file:{location}'")
        self.engine.spark.catalog.refreshTable(name_of(place))
        shutil.rmtree(old, ignore_errors=True)
        return answer

    # ---- CREATE OR REPLACE TABLE

    def _replace(self, session, tree, arguments, schema):
        table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        if not isinstance(table, exp.Table) or tree.args["kind"].upper() != "TABLE":
            return None
        place = (table.db or schema, table.name)
        new = (place[0], f"{place[1].lower()}{NEW}")
        session.sql(f"DROP TABLE IF EXISTS {name_of(new)}")
        created = tree.copy()
        created.set("replace", False)
        target = created.this.this if isinstance(created.this, exp.Schema) else created.this
        target.replace(exp.table_(new[1], db=new[0], quoted=True))
        session.sql(created.sql("databricks"), args=arguments)
        session.sql(f"DROP TABLE IF EXISTS {name_of(place)}")
        session.sql(f"ALTER TABLE {name_of(new)} RENAME TO {name_of(place)}")
        return session.createDataFrame([], "")

    def recover(self, schemas):
        """Ends replacements that a kill broke off: the new table takes the place of an old one that is gone already."""
        spark = self.engine.spark
        for schema in schemas:
            names = [row.tableName for row in spark.sql(f"SHOW TABLES IN {quoted(schema)} LIKE '*{NEW}'").collect()]
            for name in names:
                own = (schema, name.removesuffix(NEW))
                if self.engine.metadata(*own) is None:
                    spark.sql(f"ALTER TABLE {name_of((schema, name))} RENAME TO {name_of(own)}")
                else:
                    spark.sql(f"DROP TABLE IF EXISTS {name_of((schema, name))}")


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def name_of(place):
    return ".".join(quoted(part) for part in place)
