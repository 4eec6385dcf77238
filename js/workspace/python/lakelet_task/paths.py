"""Makes /Volumes/... and /Workspace/... mean the files of the local workspace, for all that goes through Python's own functions.

Libraries that open files in C or Java do not come by here; they need the path that `dbutils.fs` and the environment variables
LAKELET_VOLUMES and LAKELET_WORKSPACE_FILES tell.
"""

import builtins
import functools
import io
import os

real_open = builtins.open
_roots = {}

_ONE = ["stat", "lstat", "listdir", "scandir", "mkdir", "rmdir", "remove", "unlink", "open", "access", "chmod", "utime", "readlink", "truncate", "chdir"]
_TWO = ["rename", "replace", "link", "symlink"]


def local(path):
    """The path on this disk of a path of the workspace; any other path as it is."""
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else path
    if not isinstance(text, str):
        return path
    for prefix, root in _roots.items():
        if text == prefix or text.startswith(prefix + "/"):
            return root + text[len(prefix):]
    return path


def _mapped(function, paths):
    @functools.wraps(function)
    def call(*arguments, **named):
        return function(*[local(value) if i < paths else value for i, value in enumerate(arguments)], **named)

    return call


def install(roots):
    _roots.update(roots)
    for name in _ONE:
        setattr(os, name, _mapped(getattr(os, name), 1))
    for name in _TWO:
        setattr(os, name, _mapped(getattr(os, name), 2))
    builtins.open = io.open = _mapped(real_open, 1)
