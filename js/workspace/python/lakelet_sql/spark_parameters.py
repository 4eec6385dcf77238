"""Parameters of a statement as Spark takes them: literals of their types."""

from pyspark.sql import Column

# The rule that would turn a query of constants into rows, of which no literals can be taken.
ROWS_RULE = "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation"


def typed(session, parameters):
    """The literals by name. Raises what a cast of a value raises. A parameter without a value is NULL."""
    arguments = {p["name"]: p["value"] for p in parameters if p["type"].upper() == "STRING" and p["value"] is not None}
    others = [p for p in parameters if p["name"] not in arguments]
    if not others:
        return arguments
    casts = ", ".join(f"CAST(:p{i} AS {p['type']}) AS p{i}" for i, p in enumerate(others))
    frame = session.sql(f"SELECT {casts}", args={f"p{i}": p["value"] for i, p in enumerate(others)})
    session.conf.set("spark.sql.optimizer.excludedRules", ROWS_RULE)
    expressions = frame._jdf.queryExecution().optimizedPlan().expressions()
    session.conf.unset("spark.sql.optimizer.excludedRules")
    for i, parameter in enumerate(others):
        literal = expressions.apply(i).child()
        if literal.nodeName() != "Literal":
            # The optimizer leaves what it cannot compute, for the query to fail with.
            frame.collect()
        arguments[parameter["name"]] = Column(session._jvm.org.apache.spark.sql.classic.ExpressionUtils.column(literal))
    return arguments
