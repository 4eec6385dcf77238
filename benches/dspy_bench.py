"""The same work done by Python DSPy. Prints one JSON object: microseconds a call, median and best of the rounds."""

import json
import logging
import sys
import time

import dspy

logging.disable(logging.INFO)  # each evaluation would tell its score
fixture = json.loads(sys.stdin.read())
result = {}


def measure(call, rounds=11, round_seconds=0.06):
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < 0.3:
        call()
        calls += 1
    count = max(5, int(round_seconds * calls / (time.perf_counter() - start)))
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(count):
            call()
        times.append((time.perf_counter() - start) * 1e6 / count)
    times.sort()
    return {"median": times[len(times) // 2], "best": times[0]}


class Instant(dspy.BaseLM):
    """Answers at once with the fixture's reply."""

    def forward(self, prompt=None, messages=None, **kwargs):
        from types import SimpleNamespace as Answer

        message = Answer(content=fixture["cleanReply"], tool_calls=None)
        return Answer(choices=[Answer(message=message, finish_reason="stop")], usage={}, model="instant")


signature = dspy.Signature(fixture["signature"], fixture["instructions"])
adapter = dspy.ChatAdapter()
result["signature"] = measure(lambda: dspy.Signature(fixture["signature"], fixture["instructions"]))
for count, demos in fixture["demos"].items():
    examples = [dspy.Example(**demo) for demo in demos]
    result[f"render {count}"] = measure(lambda: adapter.format(signature, examples, fixture["inputs"]))
result["parse clean"] = measure(lambda: adapter.parse(signature, fixture["cleanReply"]))
result["parse sloppy"] = measure(lambda: adapter.parse(signature, fixture["sloppyReply"]))
dspy.configure(lm=Instant(model="instant"))
program = dspy.Predict(signature)
result["call"] = measure(lambda: program(**fixture["inputs"]))
devset = [dspy.Example(**row).with_inputs(*fixture["inputs"]) for row in fixture["devset"]]
# One thread: with more of them Python takes longer.
evaluate = dspy.Evaluate(
    devset=devset, metric=lambda example, prediction: example.label == prediction.answer, num_threads=1, display_progress=False
)
per_set = measure(lambda: evaluate(program), rounds=3)
result["evaluate"] = {name: us / len(devset) for name, us in per_set.items()}
print(json.dumps(result))
