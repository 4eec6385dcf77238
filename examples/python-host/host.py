"""Runs a program in Lakelet's component from Python, and prints its events as they happen.

    pip install -r requirements.txt
    export DATABRICKS_HOST=https://... DATABRICKS_TOKEN=... LAKELET_CHAT_ENDPOINT=...
    python host.py lakelet.component.wasm ../checked_answer.json '{"question": "Why is the sky blue?"}' [state.json]

`state.json` is what DSPy's `program.save("state.json")` wrote. The component sees the variables above and nothing else of this
machine; it can send requests, but has no files and no sockets.
"""

import json
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from wasmtime import Config, Engine, Store, WasiConfig, WasmtimeError
from wasmtime.component import Component, Linker, Record, Variant

INTERFACE = "lakelet:programs/programs@0.1.0"
# Seconds between two looks at the clock, and how much longer than it may wait a session may compute: a run that is late should end
# with its own error.
TICK, GRACE = 0.05, 1


class ProgramError(Exception):
    """What the component says went wrong: `code`, `message`, `hint`, `step`, `field` ... are those of its WIT package."""

    def __init__(self, error):
        super().__init__(": ".join(filter(None, (error.code, error.step, error.field, error.message, error.hint))))
        vars(self).update(vars(error))


class Host:
    """The component, compiled and linked."""

    def __init__(self, path):
        config = Config()
        config.consume_fuel = True
        config.epoch_interruption = True
        self.engine = Engine(config)
        self.component = Component.from_file(self.engine, path)
        self.linker = Linker(self.engine)
        self.linker.add_wasip2()
        self.linker.add_wasi_http()
        threading.Thread(target=self.tick, daemon=True).start()

    def tick(self):
        while True:
            time.sleep(TICK)
            self.engine.increment_epoch()

    def session(self, environment, *, seconds=300, memory=256 << 20, fuel=1 << 60):
        """An instance of its own, which sees this environment. `memory` is in bytes, `fuel` in instructions, roughly. When they are used
        up, or when it computes on after its time, a call ends with a trap (`WasmtimeError`), and the session cannot be called again."""
        store = Store(self.engine)
        store.set_limits(memory_size=memory)
        store.set_fuel(fuel)
        store.set_epoch_deadline(int((seconds + GRACE) / TICK))
        wasi = WasiConfig()
        wasi.env = environment.items()
        store.set_wasi(wasi)
        store.set_wasi_http()
        return Session(store, self.linker.instantiate(store, self.component), time.monotonic() + seconds)


class Session:
    """An instance of the component. Made by `Host.session`."""

    def __init__(self, store, instance, end):
        self.store, self.instance, self.end = store, instance, end
        self.interface = instance.get_export_index(store, INTERFACE)

    def call(self, name, *arguments):
        """Calls a function of the interface by its name in WIT. What it returns as an error is raised."""
        index = self.instance.get_export_index(self.store, name, self.interface)
        result = self.instance.get_func(self.store, index)(self.store, *arguments)
        # Where the types of a value and of an error are alike, `wasmtime` says which it is by a tag.
        if isinstance(result, Variant) and result.tag in ("ok", "err"):
            result = result.payload
        if hasattr(result, "retryable"):
            raise ProgramError(result)
        return result

    def load(self, document, state=None):
        """The program of a pipeline document, as DSPy's state has it."""
        program = self.call("[static]program.load", document, None)
        if state is not None:
            self.call("[method]program.load-state", program, state)
        return program

    def workspace(self):
        """The workspace of the environment."""
        return self.call("[static]workspace.from-environment")

    def events(self, program, workspace, inputs):
        """Runs the program and gives its events. Leaving the loop early cancels the run; one that waits when the session's time is up
        ends with a `ProgramError`, whose code is `deadline`."""
        options = Record()
        vars(options).update({"deadline-ms": max(0, int((self.end - time.monotonic()) * 1000)), "cache": False})
        stream = self.call("[method]program.start", program, workspace, json.dumps(inputs), options)
        try:
            while (event := self.call("[method]event-stream.blocking-get-next", stream)) is not None:
                yield event
        finally:
            with suppress(WasmtimeError):  # after a trap there is nothing left to drop
                stream.drop(self.store)


def line(event):
    """An event in words."""
    told = event.payload
    match event.tag:
        case "started":
            return f"{told.step} started"
        case "text":
            return f"{told.step}.{told.field} + {json.dumps(told.text, ensure_ascii=False)}"
        case "partial" | "value":
            return f"{told.step}.{told.field} = {told.value}"
        case "retracted":
            return f"{told.step} begins again"
        case "warning":
            return f"{told.step} warns: {told.message}"
        case "finished":
            return f"{told.name} {told.status.tag}"
        case "outcome":
            return f"outcome {told.fields}"


def main(component, document, inputs, state=None):
    environment = {name: value for name, value in os.environ.items() if name.startswith(("DATABRICKS_", "LAKELET_"))}
    session = Host(component).session(environment)
    program = session.load(Path(document).read_text(), state and Path(state).read_text())
    for event in session.events(program, session.workspace(), json.loads(inputs)):
        if told := line(event):
            print(told, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
