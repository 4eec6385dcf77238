"""A program that DSPy optimized and saved, in the component: the hosts in Python, Rust and Node send the messages that DSPy sends, and
tell the same events."""

import os
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

# The prices of models are looked up on the network otherwise; and no bars.
os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "TQDM_DISABLE": "1"}

import dspy

from endpoint import Endpoint

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "examples"))
from checked_answer import CheckedAnswer

COMPONENT = "build/component/lakelet.component.wasm"
HOSTS = {
    "Python": [sys.executable, "examples/python-host/host.py", COMPONENT],
    "Rust": [".ci/tool-cargo", "run", "--quiet", "--release", "--manifest-path", "examples/rust-host/Cargo.toml", "--", COMPONENT],
    "Node": ["node", "examples/node-host/host.mjs", "tests/hosts/dist/lakelet.js"],
}


class Hosts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        transpile = ["npx", "jco", "transpile", COMPONENT, "--name", "lakelet", "-o", "tests/hosts/dist", "--quiet"]
        subprocess.run(transpile, cwd=ROOT, check=True)

    def setUp(self):
        self.endpoint = Endpoint()
        self.addCleanup(self.endpoint.close)
        dspy.configure(lm=dspy.LM("databricks/m", api_base=f"{self.endpoint.origin}/serving-endpoints", api_key="k", cache=False))

    def optimized(self):
        """Two demos of each predictor, made by running the program on questions that are known."""
        train = [dspy.Example(question=f"Why {i}? «¿»", answer="Rayleigh scattering 🙂").with_inputs("question") for i in range(2)]
        optimizer = dspy.BootstrapFewShot(metric=dspy.evaluate.answer_exact_match, max_bootstrapped_demos=2)
        with redirect_stdout(StringIO()):
            return optimizer.compile(CheckedAnswer(), trainset=train)

    def run_in(self, host, state):
        command = [*HOSTS[host], "examples/checked_answer.json", '{"question": "Why is the sky blue?"}', state]
        environment = {**os.environ, **self.endpoint.environment}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def test_hosts_do_what_dspy_does(self):
        program = self.optimized()
        self.assertEqual([len(predictor.demos) for predictor in program.predictors()], [2, 2, 2])
        self.endpoint.asked()
        answer = program(question="Why is the sky blue?").answer
        dspy_asked = self.endpoint.asked()
        self.assertEqual(len(dspy_asked), 3)
        with tempfile.TemporaryDirectory() as folder:
            state = str(Path(folder) / "state.json")
            program.save(state)
            told = {}
            for host in HOSTS:
                told[host] = self.run_in(host, state)
                with self.subTest(host=host):
                    self.assertEqual(self.endpoint.asked(), dspy_asked)
                    self.assertEqual(told[host][-1], f'outcome {{"answer":"{answer}"}}')
                    self.assertIn('plan.topic = "the sky"', told[host])
                    self.assertEqual(told[host], told["Python"])


if __name__ == "__main__":
    unittest.main()
