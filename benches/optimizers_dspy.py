"""The other half of `optimizers.mjs --python`: the same task in DSPy, against the same workspace.

Reads `{"host", "token", "instructions", "desc", "trainset", "heldout", "program"}` as JSON. Prints the score that the program which was optimized
here has in DSPy, and the program that DSPy's BootstrapFewShot finds, with its score, as JSON.
"""

import json
import os
import sys
import tempfile

# The prices of models are looked up on the network otherwise.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import dspy

given = json.load(sys.stdin)
model = {"api_base": f"{given['host']}/serving-endpoints", "api_key": given["token"], "cache": False, "max_tokens": 60}
dspy.configure(lm=dspy.LM("databricks/local-chat", **model))


class Route(dspy.Signature):
    ticket: str = dspy.InputField()
    team: str = dspy.OutputField(desc=given["desc"])


Route = Route.with_instructions(given["instructions"])


def is_right(example, prediction, trace=None):
    return example.team == prediction.team.strip().lower()


def examples(rows):
    return [dspy.Example(**row).with_inputs("ticket") for row in rows]


def score(program):
    return dspy.Evaluate(devset=examples(given["heldout"]), metric=is_right, num_threads=1, display_progress=False)(program).score


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "program.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(given["program"])
    loaded = dspy.Predict(Route)
    loaded.load(path)
    optimizer = dspy.BootstrapFewShot(metric=is_right, max_bootstrapped_demos=3, max_labeled_demos=8)
    found = optimizer.compile(dspy.Predict(Route), trainset=examples(given["trainset"]))
    found.save(path)
    with open(path, encoding="utf-8") as file:
        print(json.dumps({"loaded": score(loaded), "found": score(found), "program": file.read()}))
