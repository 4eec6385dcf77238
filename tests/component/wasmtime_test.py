"""The component in Wasmtime, which traps where a resource is dropped too late, against the scripted workspace at ENDPOINT."""

import json
import os
import time
import unittest
import urllib.request

from instance import Instance

HOST = os.environ["ENDPOINT"]
QUESTION = '{"question": "How many days?"}'


def seen():
    with urllib.request.urlopen(f"{HOST}/seen") as answer:
        return json.load(answer)


class InWasmtime(unittest.TestCase):
    def setUp(self):
        urllib.request.urlopen(f"{HOST}/reset").close()
        self.instance = Instance()

    def run_on(self, endpoint, question=QUESTION, host=HOST, **options):
        it = self.instance
        return it.run(it.predict("question -> answer"), it.open(host, endpoint), question, **options)

    def start_on(self, endpoint, question=QUESTION):
        it = self.instance
        return it.start(it.predict("question -> answer"), it.open(HOST, endpoint), question)

    def test_a_run(self):
        prediction = self.run_on("echo")
        self.assertEqual(json.loads(prediction.fields), {"answer": "How many days?!"})
        self.assertEqual(vars(prediction.usage)["total-tokens"], 5)

    def test_a_stream(self):
        events = list(self.instance.events(self.start_on("echo")))
        self.assertEqual("".join(event.payload.text for event in events if event.tag == "text"), "How many days?!")
        self.assertEqual(json.loads(events[-1].payload.fields), {"answer": "How many days?!"})

    def test_streams_get_on_side_by_side(self):
        streams = [self.start_on("together", json.dumps({"question": name})) for name in "abc"]
        outcomes = [list(self.instance.events(stream))[-1].payload.fields for stream in streams]
        self.assertEqual(outcomes, ['{"answer":"a!"}', '{"answer":"b!"}', '{"answer":"c!"}'])
        self.assertEqual(seen()["most"], 3)

    def test_a_stream_that_is_dropped_aborts_its_request(self):
        stream = self.start_on("endless")
        while self.instance.next(stream).tag != "text":
            pass
        stream.drop(self.instance.store)
        self.wait_for(lambda: seen()["aborted"] == 1)

    def test_what_nobody_waits_for_is_aborted_with_its_stream(self):
        stream = self.start_on("silent")
        self.run_on("echo")  # lets the other one get on
        self.wait_for(lambda: len(seen()["bodies"]) == 2)
        stream.drop(self.instance.store)
        self.wait_for(lambda: seen()["aborted"] == 1)

    def test_the_deadline_aborts_the_request(self):
        for endpoint in ["silent", "endless"]:
            self.assertEqual(self.run_on(endpoint, deadline_ms=300).code, "deadline")
        self.wait_for(lambda: seen()["aborted"] == 2)

    def test_an_answer_that_breaks_off(self):
        error = self.run_on("broken")
        self.assertEqual(error.code, "protocol")
        self.assertIn("ended too early", error.message)

    def test_an_answer_before_the_request_is_read(self):
        error = self.run_on("hasty", json.dumps({"question": "long " * 1_000_000}))
        self.assertEqual((error.code, error.service.status), ("bad-request", 413))

    def test_nobody_listens(self):
        error = self.run_on("echo", host="http://127.0.0.1:9")
        self.assertEqual(error.code, "network")
        self.assertIn("the connection was refused", error.message)

    def wait_for(self, condition):
        """Until the server has noticed; the runner of the tests ends what takes too long."""
        while not condition():
            time.sleep(0.01)


if __name__ == "__main__":
    unittest.main()
