"""The suite as a component, in Wasmtime: calls come and go as in lines.mjs."""

import json
import sys

from wasmtime import Engine, Store, component


def leave(_store, message):
    raise RuntimeError(message)


engine = Engine()
linker = component.Linker(engine)
with linker.root() as root:
    root.add_func("leave", leave)
store = Store(engine)
suite = linker.instantiate(store, component.Component.from_file(engine, sys.argv[1]))


def answer(name, *arguments):
    try:
        result = suite.get_func(store, name)(store, *arguments)
    except Exception as problem:
        return {"error": str(problem)}
    if isinstance(result, component.Variant):
        return {"ok" if result.tag == "ok" else "error": result.payload}
    return {"ok": result}


for line in sys.stdin:
    print(json.dumps(answer(*json.loads(line))), flush=True)
