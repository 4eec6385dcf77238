"""Runs the cells of a notebook in one namespace, and Python files as programs."""

import linecache
import runpy
import sys
import types

from lakelet_task.sql import run_sql
from lakelet_task.spark import spark


class UnknownMagic(Exception):
    """A cell in a language that no task can run here."""


def _print(*values, **_):
    print(*values)


def run_file(path, folder, arguments):
    sys.argv = [path, *arguments]
    sys.path.insert(0, folder)
    runpy.run_path(path, run_name="__main__")


def run_cells(cells, folder, dbutils):
    sys.path.insert(0, folder)
    main = types.ModuleType("__main__")
    main.__dict__.update(dbutils=dbutils, spark=spark, display=_print, displayHTML=_print)
    sys.modules["__main__"] = main
    for number, cell in enumerate(cells, 1):
        _run_cell(cell.get("magic", "python"), cell["text"], f"<cell {number}>", main.__dict__)


def _run_cell(magic, text, name, namespace):
    if magic in ("md", "md-sandbox"):
        return
    if magic == "sql":
        namespace["_sqldf"] = run_sql(text)
    elif magic == "python":
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), namespace)
    elif magic == "pip":
        print(f"%pip {text}: the local workspace installs nothing; what is installed is used.")
    else:
        raise UnknownMagic(f"%{magic} does not run in the local workspace: it runs Python and SQL cells")
