"""Runs docs/bring-your-python-program.md: its Python with the real DSPy, its JavaScript with the package, in the order of the text."""

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
GUIDE = ROOT / "docs" / "bring-your-python-program.md"


class Obliging(Endpoint):
    """Fills every field that the message asks for."""

    seen: list = []

    @classmethod
    def reply_to(cls, messages):
        cls.seen.append(messages)
        asked = re.findall(r"`\[\[ ## (\w+) ## \]\]`", messages[-1]["content"].rsplit("Respond with", 1)[1])
        return chat(**{name: f"the {name}" for name in asked if name != "completed"})


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)


class Guide(unittest.TestCase):
    def setUp(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Obliging)
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

    def test_the_guide_runs_and_both_sides_send_the_same(self):
        optimize, compare, back = blocks("python")
        load, inspect, tune = blocks("js")

        *_, printed, python_sent = self.run_script("optimize.py", sys.executable, f"{optimize}\n{compare}")
        self.assertEqual(printed, "the answer")
        ours = self.run_script("run.mjs", "node", "\n".join([load, inspect, tune]))
        self.assertEqual(ours[0], "the answer")
        self.assertEqual(json.loads(ours[1]), json.loads(python_sent))
        self.assertEqual(len(json.loads(python_sent)), 2)

        reloaded = self.run_script("back.py", sys.executable, f"{optimize}\n{back}")
        self.assertEqual(reloaded[-1], "Answer in one sentence, from the context alone.")


if __name__ == "__main__":
    unittest.main()
