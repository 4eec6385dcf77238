"""The component in Wasmtime, which traps where a resource is dropped too late, against the scripted workspace at ENDPOINT."""

import json
import os
import time
import unittest
import urllib.request

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant

HOST = os.environ["ENDPOINT"]
QUESTION = '{"question": "How many days?"}'

engine = Engine()
component = Component.from_file(engine, os.environ["COMPONENT"])
linker = Linker(engine)
linker.add_wasip2()
linker.add_wasi_http()


def record(**fields):
    made = Record()
    vars(made).update(fields)
    return made


class Instance:
    """A fresh instance. Functions are called by their names in WIT; what they return as an error comes back as one."""

    def __init__(self):
        self.store = Store(engine)
        self.store.set_wasi(WasiConfig())
        self.store.set_wasi_http()
        self.instance = linker.instantiate(self.store, component)

    def __call__(self, interface, name, *arguments):
        of = self.instance.get_export_index(self.store, f"lakelet:programs/{interface}@0.1.0")
        call = self.instance.get_func(self.store, self.instance.get_export_index(self.store, name, of))
        result = call(self.store, *arguments)
        return result.payload if isinstance(result, Variant) and result.tag in ("ok", "err") else result

    def open(self, endpoint, tries=1):
        connection = {"host": HOST, "credential": "dapi-for-tests", "tries": tries, "longest-call-ms": None}
        workspace = self("programs", "[static]workspace.open", record(**connection))
        self("programs", "[method]workspace.add-model", workspace, "model", endpoint, None)
        return workspace

    def predict(self):
        signature = self("signatures", "[static]signature.parse", "question -> answer", None)
        return self("programs", "[static]program.predict", signature, None)

    def options(self, deadline_ms=None):
        return record(**{"deadline-ms": deadline_ms, "cache": False})

    def run(self, endpoint, question=QUESTION, deadline_ms=None):
        return self("programs", "[method]program.run", self.predict(), self.open(endpoint), question, self.options(deadline_ms))

    def start(self, endpoint, question=QUESTION, deadline_ms=None):
        return self("programs", "[method]program.start", self.predict(), self.open(endpoint), question, self.options(deadline_ms))

    def next(self, stream):
        return self("programs", "[method]event-stream.blocking-get-next", stream)

    def events(self, stream):
        while (event := self.next(stream)) is not None:
            yield event


def seen():
    with urllib.request.urlopen(f"{HOST}/seen") as answer:
        return json.load(answer)


class InWasmtime(unittest.TestCase):
    def setUp(self):
        urllib.request.urlopen(f"{HOST}/reset").close()
        self.instance = Instance()

    def test_a_run(self):
        prediction = self.instance.run("echo")
        self.assertEqual(json.loads(prediction.fields), {"answer": "How many days?!"})
        self.assertEqual(vars(prediction.usage)["total-tokens"], 5)

    def test_a_stream(self):
        events = list(self.instance.events(self.instance.start("echo")))
        self.assertEqual("".join(event.payload.text for event in events if event.tag == "text"), "How many days?!")
        self.assertEqual(json.loads(events[-1].payload.fields), {"answer": "How many days?!"})

    def test_streams_get_on_side_by_side(self):
        streams = [self.instance.start("together", json.dumps({"question": name})) for name in "abc"]
        outcomes = [list(self.instance.events(stream))[-1].payload.fields for stream in streams]
        self.assertEqual(outcomes, ['{"answer":"a!"}', '{"answer":"b!"}', '{"answer":"c!"}'])
        self.assertEqual(seen()["most"], 3)

    def test_a_stream_that_is_dropped_aborts_its_request(self):
        stream = self.instance.start("endless")
        while self.instance.next(stream).tag != "text":
            pass
        stream.drop(self.instance.store)
        self.wait_for(lambda: seen()["aborted"] == 1)

    def test_what_nobody_waits_for_is_aborted_with_its_stream(self):
        stream = self.instance.start("silent")
        self.instance.run("echo")  # lets the other one get on
        self.wait_for(lambda: len(seen()["bodies"]) == 2)
        stream.drop(self.instance.store)
        self.wait_for(lambda: seen()["aborted"] == 1)

    def test_the_deadline_aborts_the_request(self):
        for endpoint in ["silent", "endless"]:
            self.assertEqual(self.instance.run(endpoint, deadline_ms=300).code, "deadline")
        self.wait_for(lambda: seen()["aborted"] == 2)

    def test_an_answer_that_breaks_off(self):
        error = self.instance.run("broken")
        self.assertEqual(error.code, "protocol")
        self.assertIn("ended too early", error.message)

    def test_an_answer_before_the_request_is_read(self):
        error = self.instance.run("hasty", json.dumps({"question": "long " * 1_000_000}))
        self.assertEqual((error.code, error.service.status), ("bad-request", 413))

    def test_nobody_listens(self):
        connection = {"host": "http://127.0.0.1:9", "credential": None, "tries": 1, "longest-call-ms": None}
        workspace = self.instance("programs", "[static]workspace.open", record(**connection))
        self.instance("programs", "[method]workspace.add-model", workspace, "model", "echo", None)
        error = self.instance("programs", "[method]program.run", self.instance.predict(), workspace, QUESTION, self.instance.options())
        self.assertEqual(error.code, "network")
        self.assertIn("the connection was refused", error.message)

    def wait_for(self, condition):
        """Until the server has noticed; the runner of the tests ends what takes too long."""
        while not condition():
            time.sleep(0.01)


if __name__ == "__main__":
    unittest.main()
