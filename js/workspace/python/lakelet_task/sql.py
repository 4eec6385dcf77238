"""Statements on the workspace's SQL warehouse, by the Statement Execution API."""

import io
import time
import urllib.request

from lakelet_task import rest


class SqlError(Exception):
    """A statement failed."""


def run_sql(text):
    """Runs a statement and prints and returns its rows as lists of strings."""
    rows = _run(text, {}).get("result", {}).get("data_array") or []
    for row in rows:
        print(*row, sep="\t")
    return rows


def run_as_frame(session, text, args):
    """Runs a statement; its rows are a DataFrame of a Spark session."""
    import pyarrow

    reply = _run(text, args, disposition="EXTERNAL_LINKS", format="ARROW_STREAM")
    tables, chunk = [], reply.get("result")
    while chunk and chunk.get("external_links"):
        link = chunk["external_links"][0]
        with urllib.request.urlopen(link["external_link"]) as stream:
            tables.append(pyarrow.ipc.open_stream(io.BytesIO(stream.read())).read_all())
        following = link.get("next_chunk_internal_link")
        chunk = rest.call("GET", following) if following else None
    columns = reply["manifest"]["schema"]["columns"]
    if tables:
        return session.createDataFrame(pyarrow.concat_tables(tables).rename_columns([column["name"] for column in columns]))
    return session.createDataFrame([], ", ".join(f"`{column['name']}` {column['type_text']}" for column in columns))


def _run(text, args, **options):
    warehouse = rest.call("GET", "/api/2.0/sql/warehouses")["warehouses"][0]["id"]
    parameters = [_parameter(name, value) for name, value in args.items()]
    reply = rest.call("POST", "/api/2.0/sql/statements", {"statement": text, "warehouse_id": warehouse, "parameters": parameters, "wait_timeout": "50s", **options})
    while reply["status"]["state"] in ("PENDING", "RUNNING"):
        time.sleep(0.5)
        reply = rest.call("GET", f"/api/2.0/sql/statements/{reply['statement_id']}")
    if reply["status"]["state"] != "SUCCEEDED":
        raise SqlError(reply["status"].get("error", {}).get("message", reply["status"]["state"]))
    return reply


def _parameter(name, value):
    types = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE"}
    if value is None:
        return {"name": name}
    if type(value) in types:
        return {"name": name, "type": types[type(value)], "value": str(value).lower() if type(value) is bool else str(value)}
    return {"name": name, "value": str(value)}
