"""`dbutils`: what notebooks use of Databricks' utilities, for the local workspace."""

import base64
import os
import shutil
import time
from collections import namedtuple

from lakelet_task import paths, rest


class NotebookExit(BaseException):
    """Ends a notebook with a value. No Exception, so that the notebook's own handlers do not take it for an error."""

    def __init__(self, value):
        self.value = value


class DBUtils:
    def __init__(self, widgets, values):
        self.notebook = Notebook()
        self.widgets = Widgets(widgets)
        self.jobs = Jobs(values)
        self.fs = FileSystem()
        self.secrets = Secrets()


class Notebook:
    def exit(self, value):
        raise NotebookExit(str(value))

    def run(self, path, timeout_seconds=0, arguments=None):
        """Runs another notebook as a run of its own, and returns what it exits with."""
        task = {"task_key": "run", "notebook_task": {"notebook_path": path, "base_parameters": arguments or {}}}
        body = {"run_name": path, "tasks": [task], "timeout_seconds": timeout_seconds}
        run_id = rest.call("POST", "/api/2.2/jobs/runs/submit", body)["run_id"]
        while True:
            run = rest.call("GET", f"/api/2.2/jobs/runs/get?run_id={run_id}")
            if run["state"]["life_cycle_state"] in ("TERMINATED", "SKIPPED", "INTERNAL_ERROR"):
                break
            time.sleep(0.2)
        output = rest.call("GET", f"/api/2.2/jobs/runs/get-output?run_id={run['tasks'][0]['run_id']}")
        if run["state"]["result_state"] != "SUCCESS":
            raise RuntimeError(f"{path} failed: {output.get('error') or run['state']['state_message']}")
        return output.get("notebook_output", {}).get("result")


class Widgets:
    def __init__(self, given):
        self._given = given
        self._defaults = {}

    def text(self, name, defaultValue, label=None):
        self._defaults[name] = defaultValue

    def dropdown(self, name, defaultValue, choices, label=None):
        self._defaults[name] = defaultValue

    combobox = multiselect = dropdown

    def get(self, name):
        values = self.getAll()
        if name not in values:
            raise ValueError(f"No input widget named {name} is defined")
        return values[name]

    def getAll(self):
        return {**self._defaults, **self._given}

    def remove(self, name):
        self._defaults.pop(name, None)

    def removeAll(self):
        self._defaults.clear()


class Jobs:
    def __init__(self, values):
        self.taskValues = TaskValues(values)


class TaskValues:
    def __init__(self, values):
        self._values = values
        self.own = {}

    def set(self, key, value):
        self.own[key] = value

    def get(self, taskKey, key, default=None, debugValue=None):
        found = self._values.get(taskKey, {})
        if key not in found and default is None:
            raise ValueError(f"Task {taskKey} has set no value {key}")
        return found.get(key, default)


class Secrets:
    def get(self, scope, key):
        return base64.b64decode(rest.call("GET", f"/api/2.0/secrets/get?scope={scope}&key={key}")["value"]).decode()

    def list(self, scope):
        return rest.call("GET", f"/api/2.0/secrets/list?scope={scope}")["secrets"]

    def listScopes(self):
        return rest.call("GET", "/api/2.0/secrets/scopes/list")["scopes"]


FileInfo = namedtuple("FileInfo", ["path", "name", "size", "modificationTime"])


class FileSystem:
    def ls(self, path):
        path = _path(path)
        return [_info(os.path.join(path, name)) for name in sorted(os.listdir(path))]

    def head(self, file, maxBytes=65536):
        with open(_path(file), "rb") as opened:
            return opened.read(maxBytes).decode()

    def put(self, file, contents, overwrite=False):
        with open(_path(file), "w" if overwrite else "x", encoding="utf-8") as opened:
            opened.write(contents)
        return True

    def mkdirs(self, path):
        os.makedirs(_path(path), exist_ok=True)
        return True

    def rm(self, path, recurse=False):
        path = _path(path)
        if os.path.isdir(path) and recurse:
            shutil.rmtree(paths.local(path))
        else:
            (os.rmdir if os.path.isdir(path) else os.remove)(path)
        return True

    def cp(self, source, to, recurse=False):
        source, to = paths.local(_path(source)), paths.local(_path(to))
        (shutil.copytree if recurse and os.path.isdir(source) else shutil.copy)(source, to)
        return True

    def mv(self, source, to, recurse=False):
        shutil.move(paths.local(_path(source)), paths.local(_path(to)))
        return True


def _path(path):
    """A path of a volume or of this disk. The DBFS root is not part of the local workspace."""
    plain = path.removeprefix("dbfs:").removeprefix("file:")
    if path.startswith("dbfs:") and not plain.startswith("/Volumes/"):
        raise ValueError(f"{path}: the local workspace has no DBFS; use a path under /Volumes")
    return plain


def _info(path):
    stats = os.stat(path)
    folder = os.path.isdir(path)
    name = os.path.basename(path) + ("/" if folder else "")
    return FileInfo("dbfs:" + path + ("/" if folder else ""), name, 0 if folder else stats.st_size, int(stats.st_mtime * 1000))
