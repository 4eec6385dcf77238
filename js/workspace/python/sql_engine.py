"""A SQL engine of the local workspace: `python sql_engine.py duckdb|spark`.

Takes requests as lines of JSON on standard input, `{"id", "op", ...}`, works on many at a time, and answers each with one
line on standard output, `{"id", "ok"}` or `{"id", "error": {"message", "condition", "sql_state"}}`. `{"op": "cancel",
"target"}` stops what it does for a request. Ends when its input does.
"""

import json
import os
import sys
import threading
import time

from lakelet_sql.errors import SqlError

# Standard output belongs to the answers. What libraries and the JVM print there goes to standard error.
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
writing = threading.Lock()


def answer(message):
    with writing:
        answers.write(json.dumps(message) + "\n")
        answers.flush()


def make_engine(kind):
    if kind == "spark":
        from lakelet_sql.spark_engine import SparkEngine

        return SparkEngine()
    from lakelet_sql.duckdb_engine import DuckDbEngine

    return DuckDbEngine()


def serve(engine, active, number, op, request):
    try:
        answer({"id": number, "ok": getattr(engine, op)(number, **request)})
    except SqlError as error:
        answer({"id": number, "error": {"message": str(error), "condition": error.condition, "sql_state": error.sql_state}})
    except Exception as error:  # noqa: BLE001: whatever fails must be told to who waits for the answer
        answer({"id": number, "error": {"message": f"{type(error).__name__}: {error}"}})
    finally:
        active.discard(number)
        engine.cancelled.discard(number)


def cancel(engine, active, number):
    """Interrupts what is done for a request until it ends: an interrupt that comes between two steps stops neither."""
    engine.cancelled.add(number)
    while number in active:
        engine.interrupt(number)
        time.sleep(0.1)


def main():
    engine = make_engine(sys.argv[1])
    active = set()
    sys.stdin.reconfigure(encoding="utf-8", newline="\n")
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "cancel":
            if request["target"] in active:
                threading.Thread(target=cancel, args=(engine, active, request["target"]), daemon=True).start()
            continue
        number, op = request.pop("id"), request.pop("op")
        active.add(number)
        threading.Thread(target=serve, args=(engine, active, number, op, request), daemon=True).start()
    # Nobody waits for what is still running. Both engines keep what they committed when they end at once.
    engine.end()
    os._exit(0)


main()
