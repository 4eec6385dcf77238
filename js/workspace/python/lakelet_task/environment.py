"""Checks that what a task says it needs is installed: the local workspace installs nothing by itself."""

import importlib.metadata
import re
import sys


class MissingPackages(Exception):
    """A task needs packages that this Python lacks."""


def check(requirements):
    missing = [text for text in requirements if not _installed(text)]
    if missing:
        listed = " ".join(f"'{text}'" for text in missing)
        raise MissingPackages(f"the task needs packages that this Python lacks. Install them with: {sys.executable} -m pip install {listed}")


def _installed(requirement):
    """Whether a package is there. Its version is checked where it is given exactly."""
    match = re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*(?:==\s*([^\s;,]+))?", requirement)
    if match is None:
        return False
    try:
        version = importlib.metadata.version(match[1])
    except importlib.metadata.PackageNotFoundError:
        return False
    return match[2] is None or match[2] == version
