"""Limits that a Python host sets: what ends a run early is told, and leaves nothing half-done."""

import sys
import unittest
from pathlib import Path

from wasmtime import WasmtimeError

from endpoint import REPLIES, Endpoint

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "examples" / "python-host"))
from host import TICK, Host, ProgramError, line

DOCUMENT = (ROOT / "examples" / "checked_answer.json").read_text()
QUESTION = {"question": "Why is the sky blue?"}
OUTCOME = '{"answer":"Rayleigh scattering 🙂"}'
# A slow machine needs more time than a fast one to get as far as a test wants.
LONGER_AND_LONGER = [0.25 * 2**doublings for doublings in range(9)]


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host(str(ROOT / "build" / "component" / "lakelet.component.wasm"))

    def endpoint(self, **replies):
        endpoint = Endpoint(**replies)
        self.addCleanup(endpoint.close)
        return endpoint

    def events(self, endpoint, **limits):
        session = self.host.session(endpoint.environment, **limits)
        yield from session.events(session.load(DOCUMENT), session.workspace(), QUESTION)

    def assert_withheld(self, events):
        """What no check has approved is in none of them."""
        leaks = [line(event) for event in events if event.tag in ("text", "partial", "value") and event.payload.step != "plan"]
        self.assertEqual(leaks + [line(event) for event in events if event.tag == "outcome"], [])

    def assert_well(self, endpoint, **limits):
        self.assertEqual(list(self.events(endpoint, **limits))[-1].payload.fields, OUTCOME)

    def test_fuel_that_runs_out_is_a_trap(self):
        endpoint, cut = self.endpoint(), 0
        for doublings in range(40):
            fuel = 100_000 << doublings
            events = []
            try:
                for event in self.events(endpoint, fuel=fuel):
                    events.append(event)
            except WasmtimeError as error:
                self.assertIn("all fuel consumed", str(error))
                self.assert_withheld(events)
                cut += 1
            else:
                self.assertEqual(events[-1].payload.fields, OUTCOME)
                break
        self.assertGreater(cut, 3)

    def test_time_that_is_up_in_the_middle_of_a_stream_is_a_trap(self):
        endpoint, events = self.endpoint(), []
        with self.assertRaisesRegex(WasmtimeError, "interrupt"):
            for event in self.events(endpoint):
                events.append(event)
                if event.tag == "text":
                    for _ in range(int(400 / TICK)):
                        self.host.engine.increment_epoch()
        self.assertEqual(events[-1].tag, "text")
        self.assert_well(endpoint)

    def test_a_run_that_waits_when_its_time_is_up_ends_with_an_error(self):
        endpoint = self.endpoint(topic="[[ ## topic ## ]]\nthe sky…")
        for seconds in LONGER_AND_LONGER:
            with self.assertRaises(ProgramError) as caught:
                list(self.events(endpoint, seconds=seconds))
            self.assertEqual(caught.exception.code, "deadline")
            if endpoint.sent:
                break
        self.assertTrue(endpoint.left.wait(60), "the request was not aborted")

    def test_a_check_that_does_not_end_in_time_has_not_approved(self):
        endpoint = self.endpoint(is_safe="[[ ## is_safe ## ]]\nTrue…")
        for seconds in LONGER_AND_LONGER:
            endpoint.sent.clear()
            try:
                *events, outcome = self.events(endpoint, seconds=seconds)
            except ProgramError:
                continue  # not even the answer was there
            self.assertEqual(outcome.payload.fields, '{"answer":"I cannot answer this question."}')
            self.assert_withheld(events)
            if len(endpoint.sent) == 3:
                break
        self.assertTrue(endpoint.left.wait(60), "the request was not aborted")

    def test_a_loop_that_is_left_early_aborts_the_request_and_leaves_the_session_well(self):
        endpoint = self.endpoint(topic="[[ ## topic ## ]]\nthe sky…")
        session = self.host.session(endpoint.environment)
        program, workspace = session.load(DOCUMENT), session.workspace()
        for event in session.events(program, workspace, QUESTION):
            if event.tag == "text":
                break
        self.assertTrue(endpoint.left.wait(60), "the request was not aborted")
        endpoint.replies = REPLIES
        self.assertEqual(list(session.events(program, workspace, QUESTION))[-1].payload.fields, OUTCOME)

    def test_what_does_not_fit_into_the_memory_is_a_trap(self):
        endpoint = self.endpoint(reasoning=REPLIES["reasoning"].replace("waves", "waves " * (4 << 20)))
        with self.assertRaises(WasmtimeError):
            self.host.session(endpoint.environment, memory=16 << 20).load(" " * (64 << 20))
        events = []
        with self.assertRaises(WasmtimeError):
            for event in self.events(endpoint, memory=16 << 20):
                events.append(event)
        self.assert_withheld(events)
        self.assert_well(self.endpoint(), memory=16 << 20)

    def test_a_session_that_trapped_is_not_called_again(self):
        session = self.host.session(self.endpoint().environment, fuel=2_000_000)
        with self.assertRaises(WasmtimeError):
            while True:
                session.load(DOCUMENT)
        session.store.set_fuel(1 << 60)
        with self.assertRaises(WasmtimeError):
            session.load(DOCUMENT)


if __name__ == "__main__":
    unittest.main()
