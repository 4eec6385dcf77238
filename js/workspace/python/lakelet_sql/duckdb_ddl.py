"""Statements that make, change and drop tables and views."""

from sqlglot import exp

from .duckdb_changes import NOTHING, changed, counts, target
from .duckdb_dialect import name_columns, write
from .errors import SPARK_HINT, SqlError, unsupported


# What a table is laid out by. It changes no result, and DuckDB decides it alone.
LAYOUT = (exp.PartitionedByProperty, exp.ClusterProperty, exp.Cluster, exp.FileFormatProperty)


def create(tree, translator, tables):
    kind = tree.args["kind"].upper()
    if kind not in ("TABLE", "VIEW") or tree.find(exp.TemporaryProperty):
        raise unsupported(f"CREATE {'TEMPORARY ' if tree.find(exp.TemporaryProperty) else ''}{kind}", "DuckDB", SPARK_HINT)
    schema = tree.this if isinstance(tree.this, exp.Schema) else None
    table = schema.this if schema else tree.this
    place = tables.place(table)
    existing = tables.kind(place)
    if existing and tree.args.get("exists"):
        return NOTHING
    if existing and not tree.args.get("replace"):
        raise SqlError("TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", f"Cannot create table or view `{'`.`'.join(place)}` because it already exists.")
    info = properties(tree)
    comments = {}
    if schema:
        comments = column_comments(schema)
        for constraint in schema.find_all(exp.PrimaryKey, exp.ForeignKey, exp.Constraint):
            # Keys inform the planner on Databricks and are not enforced.
            if constraint.parent is schema and constraint.find(exp.PrimaryKey, exp.ForeignKey):
                constraint.pop()
    if comments:
        info["column_comments"] = comments
    identity = identities(schema, place, tables) if schema else []
    if kind == "VIEW":
        info["definition"] = tree.expression.sql("databricks")
        qualify(tree.expression, tables)
    if tree.expression is not None:
        name_columns(tree.expression)
    cursor = tables.cursor
    if tree.args.get("replace") and existing and existing != kind:
        raise SqlError("EXPECT_TABLE_NOT_VIEW" if existing == "VIEW" else "EXPECT_VIEW_NOT_TABLE", "42809", f"`{'`.`'.join(place)}` is a {existing.lower()}.")
    for statement in identity:
        cursor.execute(statement)
    count = changed(cursor, write(translator.translate(tree)))
    tables.note_created(place, info)
    if kind == "TABLE" and tree.expression is not None:
        return counts(num_affected_rows=count, num_inserted_rows=count)
    return NOTHING


def properties(tree):
    """What the catalog keeps of a CREATE. Takes out of the tree what DuckDB does not know."""
    info, kept = {}, {}
    for node in list(tree.args["properties"].expressions) if tree.args.get("properties") else []:
        if isinstance(node, exp.SchemaCommentProperty):
            info["comment"] = node.this.name
        elif isinstance(node, exp.FileFormatProperty) and node.this.name.lower() not in ("delta", "parquet"):
            raise unsupported(f"tables USING {node.this.name}", "DuckDB", "Read the files by read_files(), or leave USING out")
        elif isinstance(node, exp.LocationProperty):
            raise unsupported("external tables (LOCATION)", "DuckDB", f"Leave LOCATION out for a managed table, or {SPARK_HINT}")
        elif isinstance(node, exp.Property) and type(node) is exp.Property:
            key, value = pair(node)
            kept[key] = value
        elif not isinstance(node, LAYOUT):
            continue
        node.pop()
    if kept:
        info["properties"] = kept
    return info


def pair(node):
    """Name and value of a property, which may be quoted or not: `delta.enableChangeDataFeed = true`."""
    key, value = node.this, node.args["value"]
    return key.name if isinstance(key, exp.Literal) else key.sql(), value.name if isinstance(value, exp.Literal) else value.sql().lower()


def column_comments(schema):
    comments = {}
    for column in schema.find_all(exp.ColumnDef):
        if column.parent is not schema:
            continue
        for constraint in list(column.args.get("constraints") or []):
            if isinstance(constraint.kind, exp.CommentColumnConstraint):
                comments[column.name] = constraint.kind.this.name
                constraint.pop()
            elif isinstance(constraint.kind, (exp.PrimaryKeyColumnConstraint, exp.Reference)):
                constraint.pop()
    return comments


def identities(schema, place, tables):
    """GENERATED AS IDENTITY as sequences. Returns the statements that make them."""
    statements = []
    for column in schema.find_all(exp.ColumnDef):
        for constraint in list(column.args.get("constraints") or []):
            if not isinstance(constraint.kind, exp.GeneratedAsIdentityColumnConstraint):
                continue
            start = constraint.kind.args.get("start")
            step = constraint.kind.args.get("increment")
            name = tables.sql((place[0], "lakelet", f"{place[1]}.{place[2]}.{column.name}"))
            statements.append(f"CREATE OR REPLACE SEQUENCE {name} START {start.sql() if start else 1} INCREMENT {step.sql() if step else 1}")
            default = exp.DefaultColumnConstraint(this=exp.Anonymous(this="nextval", expressions=[exp.Literal.string(name)]))
            constraint.replace(exp.ColumnConstraint(kind=default))
    return statements


def qualify(query, tables):
    """Gives the tables of a view's query their full names, for the view is read from other schemas too."""
    own = {cte.alias_or_name.lower() for cte in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and not table.db and table.name.lower() not in own:
            table.set("db", exp.to_identifier(tables.schema, quoted=True))
            table.set("catalog", exp.to_identifier(f"c_{tables.catalog}", quoted=True))


def drop(tree, translator, tables):
    kind = tree.args["kind"].upper()
    if kind not in ("TABLE", "VIEW"):
        raise unsupported(f"DROP {kind}", "DuckDB", SPARK_HINT)
    for table in tree.args["tables"]:
        place = tables.place(table)
        existing = tables.kind(place)
        if existing is None:
            if tree.args.get("exists"):
                continue
            tables.must_be_there(place)
        if existing != kind:
            raise SqlError("EXPECT_TABLE_NOT_VIEW" if existing == "VIEW" else "EXPECT_VIEW_NOT_TABLE", "42809", f"`{'`.`'.join(place)}` is a {existing.lower()}: use DROP {existing}.")
        tables.cursor.execute(f"DROP {kind} {tables.sql(place)}")
        tables.forget(place)
    return NOTHING


def comment(tree, translator, tables):
    text = None if isinstance(tree.expression, exp.Null) else tree.expression.name
    if tree.args["kind"].upper() == "COLUMN":
        parts = tree.this.parts
        place = target(exp.table_(*[part.name for part in reversed(parts[:-1])]), tables)
        tables.note(place, lambda info: set_or_drop(info.setdefault("column_comments", {}), parts[-1].name, text))
    else:
        place = target(tree.this, tables)
        tables.note(place, lambda info: set_or_drop(info, "comment", text))
    return NOTHING


def set_or_drop(values, key, value):
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value


def alter(tree, translator, tables):
    place = target(tree.this, tables)
    for action in tree.args["actions"]:
        alter_once(action, place, translator, tables)
    return NOTHING


def alter_once(action, place, translator, tables):
    cursor, name = tables.cursor, tables.sql(place)
    if isinstance(action, exp.AlterSet) and action.expressions and isinstance(action.expressions[0], exp.Properties):
        new = dict(pair(node) for node in action.expressions[0].expressions)
        tables.note(place, lambda info: info.setdefault("properties", {}).update(new))
        return
    if isinstance(action, LAYOUT):
        return
    if isinstance(action, exp.Schema) or isinstance(action, exp.ColumnDef):
        for column in action.expressions if isinstance(action, exp.Schema) else [action]:
            holder = exp.Schema(expressions=[column.copy()])
            comments = column_comments(holder)
            definition = holder.expressions[0]
            definition.set("position", None)
            cursor.execute(f"ALTER TABLE {name} ADD COLUMN {write(definition)}")
            tables.note(place, lambda info, comments=comments: info.setdefault("column_comments", {}).update(comments))
        return
    if isinstance(action, exp.Drop):
        for column in [c for t in action.args["tables"] for c in (t.expressions if isinstance(t, exp.Schema) else [t])]:
            cursor.execute(f"ALTER TABLE {name} DROP COLUMN {'IF EXISTS ' if action.args.get('exists') else ''}{write(column)}")
    elif isinstance(action, exp.RenameColumn):
        cursor.execute(f"ALTER TABLE {name} RENAME COLUMN {write(action.this)} TO {write(action.args['to'])}")
    elif isinstance(action, exp.AlterRename):
        to = tables.place(action.this)
        if to[:2] != place[:2]:
            raise unsupported("renaming of a table into another schema", "DuckDB", SPARK_HINT)
        cursor.execute(f"ALTER {tables.kind(place)} {name} RENAME TO {write(exp.to_identifier(to[2], quoted=True))}")
        tables.rename(place, to[2])
        place = to
    elif isinstance(action, exp.AlterColumn):
        alter_column(action, place, tables)
    else:
        raise unsupported(f"ALTER TABLE ... {action.sql('databricks')}", "DuckDB", SPARK_HINT)
    tables.note_commit(place)


def alter_column(action, place, tables):
    column = write(exp.to_identifier(action.name, quoted=True))
    change = f"ALTER TABLE {tables.sql(place)} ALTER COLUMN {column}"
    if action.args.get("comment") is not None:
        tables.note(place, lambda info: info.setdefault("column_comments", {}).update({action.name: action.args["comment"].name}))
    elif action.args.get("dtype") is not None:
        tables.cursor.execute(f"{change} TYPE {write(action.args['dtype'])}")
    elif action.args.get("allow_null") is not None:
        tables.cursor.execute(f"{change} {'DROP' if action.args['allow_null'] else 'SET'} NOT NULL")
    elif action.args.get("default") is not None:
        tables.cursor.execute(f"{change} SET DEFAULT {write(action.args['default'])}")
    elif action.args.get("drop"):
        tables.cursor.execute(f"{change} DROP DEFAULT")
    else:
        raise unsupported(f"ALTER COLUMN ... {action.sql('databricks')}", "DuckDB", SPARK_HINT)
