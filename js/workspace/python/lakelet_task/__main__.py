"""Runs one task: `python lakelet_task`, with the task as a line of JSON on standard input.

The line has: kind ("file" or "notebook"), path and arguments of a file or the cells of a notebook, folder (where it stands),
widgets, values (of earlier tasks), roots (what /Volumes and /Workspace are on this disk), requirements, and result: the file
that gets the outcome as JSON. Standard input stays open as long as the server lives; the task ends with it.
"""

import json
import os
import signal
import sys
import threading
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[0] = os.path.dirname(HERE)

from lakelet_task import environment, paths, run, spark  # noqa: E402
from lakelet_task.utilities import DBUtils, NotebookExit  # noqa: E402

del sys.path[0]


def end_with_server(control):
    """Ends this process and those it started when the server is gone."""
    while control.read(1):
        pass
    os.killpg(0, signal.SIGKILL)


def describe(error):
    """An exception as Databricks tells it: its class and message, and the trace from the user's code on."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename.startswith((HERE, "<frozen")):
        frames = frames.tb_next
    trace = "".join(traceback.format_exception(type(error), error, frames))
    return {"error": traceback.format_exception_only(type(error), error)[-1].strip(), "trace": trace}


def perform(task, dbutils):
    environment.check(task["requirements"])
    if task["kind"] == "file":
        run.run_file(task["path"], task["folder"], task["arguments"])
    else:
        run.run_cells(task["cells"], task["folder"], dbutils)


def main():
    control = os.fdopen(os.dup(0), "rb", buffering=0)
    task = json.loads(control.readline())
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=end_with_server, args=(control,), daemon=True).start()
    paths.install(task["roots"])
    spark.install()
    dbutils = DBUtils(task["widgets"], task["values"])
    outcome = {}
    try:
        perform(task, dbutils)
    except NotebookExit as end:
        outcome["exit"] = end.value
    except SystemExit as end:
        if end.code not in (None, 0):
            outcome.update(describe(end))
    except BaseException as error:
        outcome.update(describe(error))
    outcome["values"] = dbutils.jobs.taskValues.own
    sys.stdout.flush()
    with open(task["result"], "w", encoding="utf-8") as file:
        json.dump(outcome, file)


main()
