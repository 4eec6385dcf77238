"""Programs that go back and forth between DSPy and Lakelet: what one saves the other loads, and both send the same messages.

Both sides talk to one server on loopback that answers as a serving endpoint does. `programs.mjs` is Lakelet's side.
"""

import json
import os
import subprocess
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

# The prices of models are looked up on the network otherwise.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import dspy

HERE = Path(__file__).parent


class Endpoint(BaseHTTPRequestHandler):
    """A chat endpoint that takes its replies from a list, and notes the messages that it is sent."""

    replies: list = []
    seen: list = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        content = self.reply_to(body["messages"])
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
        reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        payload = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        pass

    @classmethod
    def reply_to(cls, messages):
        cls.seen.append(messages)
        return cls.replies.pop(0)

    @classmethod
    def script(cls, replies):
        cls.replies, cls.seen = list(replies), []


def chat(**fields):
    """A reply in the form of ChatAdapter."""
    sections = [f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items()]
    return "\n\n".join([*sections, "[[ ## completed ## ]]"])


def search(query: str) -> str:
    """Search pages."""
    return {"leave": "25 days"}.get(query, "nothing")


class Verdict(dspy.Signature):
    """Judge the claim
    by the passages alone."""

    passages: list[str] = dspy.InputField(desc="what was found")
    claim: str = dspy.InputField()
    verdict: Literal["supported", "refuted", "unknown"] = dspy.OutputField()
    confidence: float = dspy.OutputField(ge=0, le=1, desc="how sure")
    quotes: list[str] = dspy.OutputField()


class Rag(dspy.Module):
    """Predictors in attributes, in a list and in a dict."""

    def __init__(self):
        super().__init__()
        self.plan = dspy.ChainOfThought("question -> search_query")
        self.hops = [dspy.Predict("question, notes: list[str] -> note"), dspy.Predict("question, notes: list[str] -> note")]
        self.by = {"short": dspy.Predict("notes: list[str], question -> answer")}

    def forward(self, question):
        notes = [self.plan(question=question).search_query]
        for hop in self.hops:
            notes.append(hop(question=question, notes=notes).note)
        return self.by["short"](notes=notes, question=question)


QA = "question -> answer"
THOUGHT = chat(reasoning="so", answer="4")
FINISH = chat(next_thought="done", next_tool_name="finish", next_tool_args="{}")
LOOK = chat(next_thought="look", next_tool_name="search", next_tool_args='{"query": "leave"}')
SUBMIT = '{"tool_calls": [{"name": "submit", "args": {"answer": "25"}}]}'
TRIED = [{"reasoning": "first", "answer": "4"}, {"reasoning": "second\nline", "answer": "5"}, {"reasoning": "third", "answer": "4"}]

# name: (how DSPy makes it, the replies to one call, what a call is given beside the question)
KINDS = {
    "predict": (lambda: dspy.Predict(QA), [chat(answer="4")], {}),
    "typed": (lambda: dspy.Predict(Verdict), [chat(verdict="unknown", confidence="0.5", quotes='["a"]')], {}),
    "chain_of_thought": (lambda: dspy.ChainOfThought(QA), [THOUGHT], {}),
    "multi_chain_comparison": (lambda: dspy.MultiChainComparison(QA, M=3), [chat(rationale="so", answer="4")], {"completions": TRIED}),
    "react": (lambda: dspy.ReAct(QA, tools=[search]), [LOOK, FINISH, THOUGHT], {}),
    "react_v2": (lambda: dspy.ReActV2(QA, tools=[search]), [chat(next_thought="t", tool_calls=SUBMIT)], {}),
    "best_of_n": (lambda: dspy.BestOfN(dspy.ChainOfThought(QA), N=2, reward_fn=lambda _, pred: 0.0, threshold=1.0), [THOUGHT, THOUGHT], {}),
    "refine": (lambda: dspy.Refine(dspy.Predict(QA), N=2, reward_fn=lambda _, pred: 1.0, threshold=1.0), [chat(answer="4")], {}),
    "rag": (Rag, [chat(reasoning="so", search_query="q"), chat(note="one"), chat(note="two"), chat(answer="4")], {}),
}

QUESTIONS = [
    "2+2?", "", " outer space ", "two\nlines", "tab\there", "naïve café", "日本語", "🙂🙂", "«quoted»", "[[ ## answer ## ]]",
    '{"json": true}', "<b>bold</b> & more", "back\\slash", "line\u2028separator", "NUL\u0001", "a" * 3000, "{braces}", "```code```",
    "None", "1.0",
]
PASSAGES = [["a", "b"], [], ["one"], ["two\nlines", "«x»"]]


def inputs_of(kind, i):
    if kind == "typed":
        return {"passages": PASSAGES[i % len(PASSAGES)], "claim": QUESTIONS[i]}
    return {"question": QUESTIONS[i]}


def compile_in_python(program):
    """Gives each predictor what an optimizer would: demos of its own fields, some incomplete, and other instructions."""
    for i, (_, predictor) in enumerate(program.named_predictors()):
        signature = predictor.signature
        predictor.signature = signature.with_instructions(f"{signature.instructions}\n\nRule {i}: be brief — «kurz».")
        whole = {name: example_of(field) for name, field in signature.fields.items()}
        partial = {name: value for name, value in list(whole.items())[:-1]} if len(whole) > 2 else whole
        predictor.demos = [dspy.Example(augmented=True, **whole), dspy.Example(**partial)]


def example_of(field):
    annotation = field.annotation
    if annotation is float:
        return 0.25
    if annotation == list[str]:
        return ["x", "ÿ\n"]
    if annotation is str:
        return "demo «text»"
    if getattr(annotation, "__origin__", None) is Literal:
        return annotation.__args__[0]
    if getattr(annotation, "__origin__", None) is dict:
        return {"query": "leave"}
    return None


class Programs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.url = f"http://127.0.0.1:{cls.server.server_address[1]}"
        cls.lakelet = subprocess.Popen(["node", str(HERE / "programs.mjs"), cls.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        dspy.configure(lm=dspy.LM("databricks/m", api_base=f"{cls.url}/serving-endpoints", api_key="k", cache=False))

    @classmethod
    def tearDownClass(cls):
        cls.lakelet.stdin.close()
        cls.lakelet.wait(10)
        cls.lakelet.stdout.close()
        cls.server.shutdown()
        cls.server.server_close()

    def ask_lakelet(self, **request):
        self.lakelet.stdin.write(json.dumps(request) + "\n")
        self.lakelet.stdin.flush()
        answer = json.loads(self.lakelet.stdout.readline())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer

    def messages_of_both(self, kind, program, state):
        """What each sends for the same inputs."""
        _, replies, given = KINDS[kind]
        for i in range(len(QUESTIONS)):
            inputs = {**inputs_of(kind, i), **given}
            Endpoint.script(replies)
            program(**inputs)
            python = Endpoint.seen
            Endpoint.script(replies)
            self.ask_lakelet(do="run", kind=kind, state=state, inputs=inputs)
            self.assertEqual(len(python), len(replies))
            yield inputs, python, Endpoint.seen

    def test_what_python_saves_lakelet_loads(self):
        for kind, (make, _, _) in KINDS.items():
            program = make()
            compile_in_python(program)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "program.json"
                program.save(path)
                state = path.read_text()
            for inputs, python, lakelet in self.messages_of_both(kind, program, state):
                with self.subTest(kind=kind, inputs=inputs):
                    self.assertEqual(python, lakelet)
            with self.subTest(kind=kind):
                self.assertEqual(self.ask_lakelet(do="save", kind=kind, state=state)["state"], state)

    def test_what_lakelet_saves_python_loads(self):
        for kind, (make, _, _) in KINDS.items():
            state = self.ask_lakelet(do="tune", kind=kind)["state"]
            program = make()
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "program.json"
                path.write_text(state)
                program.load(path)
                program.save(path)
                with self.subTest(kind=kind):
                    self.assertEqual(path.read_text(), state)
            for inputs, python, lakelet in self.messages_of_both(kind, program, state):
                with self.subTest(kind=kind, inputs=inputs):
                    self.assertEqual(python, lakelet)


if __name__ == "__main__":
    unittest.main()
