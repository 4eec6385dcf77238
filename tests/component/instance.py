"""The component in Wasmtime, and its functions by their names in WIT."""

import os

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant

engine = Engine()
component = Component.from_file(engine, os.environ["COMPONENT"])
linker = Linker(engine)
linker.add_wasip2()
linker.add_wasi_http()


def record(**fields):
    """A record; members with a dash are given as `deadline_ms`."""
    made = Record()
    vars(made).update({name.replace("_", "-"): value for name, value in fields.items()})
    return made


class Instance:
    """A fresh instance that sees an environment. What a function returns as an error comes back as one."""

    def __init__(self, environment={}):
        self.store = Store(engine)
        wasi = WasiConfig()
        wasi.env = environment.items()
        self.store.set_wasi(wasi)
        self.store.set_wasi_http()
        self.instance = linker.instantiate(self.store, component)

    def __call__(self, interface, name, *arguments):
        of = self.instance.get_export_index(self.store, f"lakelet:programs/{interface}@0.1.0")
        call = self.instance.get_func(self.store, self.instance.get_export_index(self.store, name, of))
        result = call(self.store, *arguments)
        return result.payload if isinstance(result, Variant) and result.tag in ("ok", "err") else result

    def open(self, host, model, credential="dapi-for-tests", tries=1):
        workspace = self("programs", "[static]workspace.open", record(host=host, credential=credential, tries=tries, longest_call_ms=None))
        self("programs", "[method]workspace.add-model", workspace, "model", model, None)
        return workspace

    def predict(self, signature):
        return self("programs", "[static]program.predict", self("signatures", "[static]signature.parse", signature, None), None)

    def run(self, program, workspace, inputs, deadline_ms=None):
        return self("programs", "[method]program.run", program, workspace, inputs, record(deadline_ms=deadline_ms, cache=False))

    def start(self, program, workspace, inputs, deadline_ms=None):
        return self("programs", "[method]program.start", program, workspace, inputs, record(deadline_ms=deadline_ms, cache=False))

    def next(self, stream):
        return self("programs", "[method]event-stream.blocking-get-next", stream)

    def events(self, stream):
        while (event := self.next(stream)) is not None:
            if isinstance(event, Record):
                raise RuntimeError(f"the run failed: {vars(event)}")
            yield event
