"""Asks the ready-made assistant the question QUESTION with the changes CHANGES, on the workspace of the environment, and prints its
events: a line of JSON for each that tells an answer."""

import json
import os

from instance import Instance

it = Instance({name: value for name, value in os.environ.items() if name.startswith(("DATABRICKS_", "LAKELET_"))})
workspace = it("programs", "[static]workspace.from-environment")
assistant = it("programs", "[static]program.ready-made", "enterprise_assistant", os.environ["CHANGES"])
inputs = json.dumps({"question": os.environ["QUESTION"], "role": "employee", "region": "EU"})
for event in it.events(it.start(assistant, workspace, inputs)):
    if event.tag == "started":
        print(json.dumps({"step": event.payload.step}))
    if event.tag == "outcome":
        print(json.dumps({"fields": json.loads(event.payload.fields)}))
