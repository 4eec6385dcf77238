"""Runs the guides in docs: their Python with the real DSPy, their JavaScript with the package, in the order of the text."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest
from http.server import ThreadingHTTPServer
from pathlib import Path

from test_dspy_programs import Endpoint, chat

ROOT = Path(__file__).parent.parent.parent
TICKETS = ROOT / "benches" / "optimizers" / "tickets.jsonl"


class Obliging(Endpoint):
    """Fills every field that the message asks for."""

    seen: list = []

    @classmethod
    def reply_to(cls, messages):
        cls.seen.append(messages)
        asked = re.findall(r"`\[\[ ## (\w+) ## \]\]`", messages[-1]["content"].rsplit("Respond with", 1)[1])
        return chat(**{name: f"the {name}" for name in asked if name != "completed"})


class Apprentice(Obliging):
    """Knows the team of every second ticket, and of all once it is told more than the signature says. What it proposes is its own words."""

    teams = [json.loads(line) for line in TICKETS.read_text().splitlines()]

    @classmethod
    def reply_to(cls, messages):
        asked = messages[-1]["content"]
        if "new_instruction" in asked:
            return json.dumps({"new_instruction": "the new instruction"})
        if "`[[ ## score ## ]]`" in asked:
            return chat(score="0.5")
        if "`[[ ## team ## ]]`" not in asked:
            return super().reply_to(messages)
        place = next(n for n, row in enumerate(cls.teams) if f"[[ ## ticket ## ]]\n{row['ticket']}\n" in asked)
        knows = place % 2 == 0 or len(messages) > 2 or "Given the fields" not in messages[0]["content"]
        return chat(team=cls.teams[place if knows else place - 1]["team"])


class Server(ThreadingHTTPServer):
    request_queue_size = 64  # several calls come at once; with five places some wait a second


class Guide:
    """A guide that is run; a subclass says which, and what answers."""

    name, endpoint = "", Obliging

    def blocks(self, language):
        return re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / self.name).read_text(), re.DOTALL)

    def setUp(self):
        self.server = Server(("127.0.0.1", 0), self.endpoint)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        # Beside the package, so that `lakelet` is found.
        (ROOT / "build").mkdir(exist_ok=True)
        self.folder = tempfile.TemporaryDirectory(dir=ROOT / "build")
        self.addCleanup(self.folder.cleanup)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def run_script(self, name, command, code):
        path = Path(self.folder.name) / name
        path.write_text(code)
        url = f"http://127.0.0.1:{self.server.server_address[1]}"
        own = {
            "DATABRICKS_HOST": url,
            "DATABRICKS_TOKEN": "dapi-guide",
            "DATABRICKS_API_BASE": f"{url}/serving-endpoints",
            "DATABRICKS_API_KEY": "dapi-guide",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "DSPY_CACHEDIR": self.folder.name,
        }
        ran = subprocess.run([command, path.name], cwd=self.folder.name, env={**os.environ, **own}, capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return ran.stdout.splitlines()


class BringYourPythonProgram(Guide, unittest.TestCase):
    name = "bring-your-python-program.md"

    def test_runs_and_both_sides_send_the_same(self):
        optimize, compare, back = self.blocks("python")
        load, inspect, tune = self.blocks("js")

        *_, printed, python_sent = self.run_script("optimize.py", sys.executable, f"{optimize}\n{compare}")
        self.assertEqual(printed, "the answer")
        ours = self.run_script("run.mjs", "node", "\n".join([load, inspect, tune]))
        self.assertEqual(ours[0], "the answer")
        self.assertEqual(json.loads(ours[1]), json.loads(python_sent))
        self.assertEqual(len(json.loads(python_sent)), 2)

        reloaded = self.run_script("back.py", sys.executable, f"{optimize}\n{back}")
        self.assertEqual(reloaded[-1], "Answer in one sentence, from the context alone.")


class Optimizers(Guide, unittest.TestCase):
    name, endpoint = "optimizers.md", Apprentice

    def test_runs_and_both_sides_score_the_same(self):
        (Path(self.folder.name) / "tickets.jsonl").write_text(TICKETS.read_text())
        ours = self.run_script("run.mjs", "node", "\n".join(self.blocks("js")))
        self.assertRegex(ours[0], r"^50 ± 9\.3 %, 0 failed, p95 \d+ ms$")
        self.assertEqual(ours[1:10], [
            "50",
            "8",
            "100 7 null",
            "50 ± 9.3 %, p = 2.8e-17",
            "the proposed_instruction",
            "the new instruction",
            "budget 100",
            "null true",
            "0 100 the proposed_instruction",
        ])
        *front, why = ours[ours.index("latency_p50_ms latency_p95_ms tokens error_rate") + 1:]
        self.assertGreaterEqual(len(front), 1)
        for line in front:
            self.assertRegex(line, r"^(large|small) \{ score: [\d.]+, latency_p95_ms: \d+, tokens: 2 \}$")
        self.assertIn(" candidates on 24 examples", why)
        [python] = self.blocks("python")
        *_, theirs = self.run_script("load.py", sys.executable, python)
        self.assertEqual(float(theirs), 100)


if __name__ == "__main__":
    unittest.main()
