"""Runs SQL cells on the workspace's SQL warehouse, with the Statement Execution API."""

import time

from lakelet_task import rest


class SqlError(Exception):
    """A statement failed."""


def run_sql(text):
    """Runs a statement and prints and returns its rows as lists of strings."""
    warehouses = rest.call("GET", "/api/2.0/sql/warehouses")["warehouses"]
    reply = rest.call("POST", "/api/2.0/sql/statements", {"statement": text, "warehouse_id": warehouses[0]["id"], "wait_timeout": "50s"})
    while reply["status"]["state"] in ("PENDING", "RUNNING"):
        time.sleep(1)
        reply = rest.call("GET", f"/api/2.0/sql/statements/{reply['statement_id']}")
    if reply["status"]["state"] != "SUCCEEDED":
        raise SqlError(reply["status"].get("error", {}).get("message", reply["status"]["state"]))
    rows = reply.get("result", {}).get("data_array") or []
    for row in rows:
        print(*row, sep="\t")
    return rows
