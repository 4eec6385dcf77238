"""A Lakelet program as an MLflow model: the steps of its document, run by DSPy.

`program.json` holds `document` (the program), `state` (what its predictors have learned, as DSPy saves it), `models` (serving endpoints
by the names that steps use; the first one serves steps that name none) and `indexes` (Vector Search indexes likewise). Who calls
Databricks is found as its SDK does: in the environment, a profile, or the container of Model Serving.
"""

import json
import re

import dspy
import mlflow
from databricks.sdk import WorkspaceClient
from dspy.adapters.baml_adapter import BAMLAdapter

ADAPTERS = {"chat": dspy.ChatAdapter, "json": dspy.JSONAdapter, "xml": dspy.XMLAdapter, "baml": BAMLAdapter}
MODULES = {"predict": dspy.Predict, "chain_of_thought": dspy.ChainOfThought}
# What could pass for the structure of a prompt in texts of users, documents and models.
STRUCTURE = re.compile(r"\[(?=\[[\s\u00ad\u200b-\u200f\u2060\ufeff]*##)|<(?=<CUSTOM-TYPE-)")
NOT_YET = object()
BLOCKED = object()


class Stopped(Exception):
    """A guard has decided: the program ends with these outputs."""

    def __init__(self, outputs):
        self.outputs = outputs


class Program(dspy.Module):
    """The program of a document. Its predictors have the names that they have in the document, so that saved states fit."""

    def __init__(self, document, models, indexes):
        super().__init__()
        self._document, self._models, self._indexes = document, models, indexes
        self._inputs = {name: told if isinstance(told, dict) else {"type": told} for name, told in document.get("inputs", {}).items()}
        self._steps = document["steps"]
        self._wires = {name: wires_of(step) for name, step in self._steps.items()}
        for name, step in self._steps.items():
            if step["do"] in MODULES:
                setattr(self, name, predictor_of(step))

    def forward(self, **given):
        unknown = [name for name in given if name not in self._inputs]
        missing = [name for name, told in self._inputs.items() if name not in given and "default" not in told]
        if unknown or missing:
            raise ValueError(f"the program {self._document['name']!r} has no input {unknown[0]!r}" if unknown else f"the input {missing[0]!r} is missing")
        inputs = {name: given.get(name, told.get("default")) for name, told in self._inputs.items()}
        return dspy.Prediction(**Call(self, inputs).outputs())

    def trusted(self, place, seen=()):
        """Whether nobody but the program's author wrote what stands in a place."""
        step, _, field = place.partition(".")
        if not field:
            told = self._inputs[step]
            return told.get("trusted", False) or told.get("type", "").startswith("Literal[")
        kind = self._steps[step]["do"]
        if kind == "join":
            return step not in seen and all(self.trusted(wire, (*seen, step)) for wire in self._wires[step].values())
        return kind in ("literal", "lookup")


class Call:
    """One call of a program: what its steps gave so far."""

    def __init__(self, program, inputs):
        self.program, self.inputs = program, inputs
        self.done, self.failed, self.blocked = {}, {}, set()

    def outputs(self):
        try:
            while self.advance():
                pass
        except Stopped as stopped:
            return stopped.outputs
        for name, error in self.failed.items():
            if not self.is_judged(name):
                raise error
        return {name: self.value(place) for name, place in self.program._document["outputs"].items()}

    def advance(self):
        """Takes one step on: the first one whose inputs are there, in the order of the document."""
        for name, step in self.program._steps.items():
            if name in self.done or name in self.failed or name in self.blocked:
                continue
            given = self.settled(name, step)
            if given is NOT_YET:
                continue
            if given is BLOCKED:
                self.blocked.add(name)
            elif step["do"] == "guard":
                self.done[name] = judge(step, given)
            else:
                try:
                    self.done[name] = self.perform(name, step, given)
                except Exception as error:  # whatever it is, a guard may judge it
                    self.failed[name] = error
            return True
        return False

    def settled(self, name, step):
        after = texts(step.get("after", []))
        if any(guard in self.blocked or guard in self.failed for guard in after):
            return BLOCKED
        if any(guard not in self.done for guard in after):
            return NOT_YET
        given, pending, lost, missing = {}, False, False, False
        for argument, place in self.program._wires[name].items():
            source, _, field = place.partition(".")
            if not field or source in self.done:
                value = self.value(place)
                untrusted = step["do"] in MODULES and not self.program.trusted(place)
                given[argument] = harmless(value) if untrusted else value
            elif source in self.failed or source in self.blocked:
                required = argument.startswith("require[")
                if step["do"] == "guard" and not required:
                    continue
                missing |= step["do"] == "guard" and source in self.failed
                lost |= step["do"] != "guard" or source in self.blocked
            else:
                pending = True
        # A check that has failed refuses at once, whatever else is still on its way.
        if missing:
            return given
        return BLOCKED if lost else NOT_YET if pending else given

    def is_judged(self, name):
        """Whether the failure of a step means that a guard stops the program."""
        guards = (wires for step, wires in self.program._wires.items() if self.program._steps[step]["do"] == "guard")
        return any(argument.startswith("require[") and place.startswith(f"{name}.") for wires in guards for argument, place in wires.items())

    def value(self, place):
        source, _, field = place.partition(".")
        return self.done[source][field] if field else self.inputs[source]

    def perform(self, name, step, given):
        kind = step["do"]
        if kind in MODULES:
            return self.ask(name, step, given)
        if kind == "retrieve":
            return self.retrieve(step, given)
        if kind == "literal":
            return {"value": step["value"]}
        if kind == "join":
            found = [text for value in given.values() for text in texts(value) if text]
            return {"text": step.get("separator", "\n\n").join(found)}
        holds = lambda row: all(given[by] in texts(allowed) for by, allowed in row.get("when", {}).items())
        return {"values": [row["value"] for row in step["rows"] if holds(row)]}

    def ask(self, name, step, given):
        models = self.program._models
        endpoint = models[step["model"]] if "model" in step else next(iter(models.values()))
        adapter = ADAPTERS[step["adapter"]]() if "adapter" in step else dspy.ChatAdapter()
        with dspy.context(lm=model(endpoint), adapter=adapter):
            prediction = getattr(self.program, name)(**given, config=step.get("config", {}))
        return dict(prediction.items())

    def retrieve(self, step, given):
        filters = {column: filter["values"][given.pop(f"filters.{column}")] for column, filter in step.get("filters", {}).items()}
        parts = dict.fromkeys(text.strip() for value in given.values() for text in texts(value))
        indexes = self.program._indexes
        index = indexes[step["index"]] if "index" in step else next(iter(indexes.values()))
        id_column, text_column = index.get("id_column", "id"), index.get("text_column", "text")
        columns = [id_column, text_column, *(column for column in index.get("columns", []) if column not in (id_column, text_column))]
        found = WorkspaceClient().vector_search_indexes.query_index(
            index["name"],
            columns=columns,
            query_text="\n".join(part for part in parts if part),
            num_results=step.get("k", index.get("num_results", 3)),
            filters_json=json.dumps(filters) if filters else None,
            query_type=index.get("query_type"),
        )
        names = [column.name for column in found.manifest.columns]
        passages = []
        for row in found.result.data_array or []:
            passage = dict(zip(names, row))
            score = float(passage.pop("score"))
            if score >= step.get("min_score", 0):
                passages.append({"id": passage.pop(id_column), "text": passage.pop(text_column), "score": score, **passage})
        return {"passages": passages, "contexts": [context_of(passage) for passage in passages]}


def model(endpoint):
    config = WorkspaceClient().config
    token = config.authenticate()["Authorization"].split(" ", 1)[1]
    return dspy.LM(f"databricks/{endpoint}", api_base=f"{config.host}/serving-endpoints", api_key=token, cache=False)


def predictor_of(step):
    """The module of a step, with what the document says of its fields."""
    module = MODULES[step["do"]](dspy.Signature(step["signature"], step.get("instructions")))
    predict = module if isinstance(module, dspy.Predict) else module.predict
    for name, told in step.get("fields", {}).items():
        predict.signature = described(predict.signature, name, told)
    predict.demos = [dspy.Example(**demo) for demo in step.get("demos", [])]
    return module


def described(signature, name, told):
    if "max_length" not in told:
        return signature.with_updated_fields(name, **told)
    # A constraint is part of the type: the field is made anew, in its place.
    kinds = (dspy.InputField, list(signature.input_fields)) if name in signature.input_fields else (dspy.OutputField, list(signature.output_fields))
    make, names = kinds
    old = signature.fields[name]
    field = make(desc=told.get("desc", old.json_schema_extra["desc"]), max_length=told["max_length"])
    return signature.delete(name).insert(-1 if names[-1] == name else names.index(name), name, field, old.annotation)


def wires_of(step):
    """What a step takes, and from where: `question` is an input of the program, `retrieve.contexts` a field of a step."""
    kind = step["do"]
    if kind in MODULES:
        return dict(step.get("inputs", {}))
    if kind == "retrieve":
        queries = {f"query[{i}]": place for i, place in enumerate(texts(step["query"]))}
        return {**queries, **{f"filters.{column}": filter["by"] for column, filter in step.get("filters", {}).items()}}
    if kind == "join":
        return {f"values[{i}]": place for i, place in enumerate(texts(step["values"]))}
    if kind == "guard":
        instead = {f"otherwise.{name}": told["from"] for name, told in step["otherwise"].items() if isinstance(told, dict)}
        return {**{f"require[{i}]": need["value"] for i, need in enumerate(step["require"])}, **instead}
    if kind == "lookup":
        return {by: by for row in step["rows"] for by in row.get("when", {})}
    return {}


def judge(step, given):
    """Lets the program pass, or ends it."""
    for i, need in enumerate(step["require"]):
        name, wanted = f"require[{i}]", need.get("is", need.get("is_not"))
        same = name in given and type(given[name]) is type(wanted) and given[name] == wanted
        if name not in given or same != ("is" in need):
            otherwise = step["otherwise"].items()
            told = {key: given.get(f"otherwise.{key}", one["else"]) if isinstance(one, dict) else one for key, one in otherwise}
            raise Stopped(told)
    return {}


def context_of(passage):
    above = " > ".join(passage[name] for name in ("title", "heading") if passage.get(name))
    return f"{above}\n{passage['text']}" if above else passage["text"]


def texts(value):
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return [value] if isinstance(value, str) else []


def harmless(value):
    """A value with nothing in it that could pass for the structure of a prompt."""
    if isinstance(value, str):
        return STRUCTURE.sub(lambda found: f"{found.group()} ", value)
    if isinstance(value, list):
        return [harmless(item) for item in value]
    if isinstance(value, dict):
        return {harmless(key): harmless(item) for key, item in value.items()}
    return value


def given(row):
    """A row as plain values: pandas has arrays of its own, and fills what is absent with None or NaN."""
    values = {name: value.tolist() if hasattr(value, "tolist") else value for name, value in row.items()}
    return {name: value for name, value in values.items() if value is not None and value == value}


class LakeletModel(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        with open(context.artifacts["program"], encoding="utf-8") as file:
            logged = json.load(file)
        self.program = Program(logged["document"], logged["models"], logged["indexes"])
        self.program.load_state(logged["state"])

    def predict(self, context, model_input, params=None):
        """One record of outputs for each record of inputs."""
        rows = model_input.to_dict("records") if hasattr(model_input, "to_dict") else model_input
        return [self.program(**given(row)).toDict() for row in rows]


mlflow.models.set_model(LakeletModel())
