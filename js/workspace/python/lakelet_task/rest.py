"""Calls of the workspace's REST API, with the credential that every task gets."""

import json
import os
import urllib.error
import urllib.request


class WorkspaceError(Exception):
    """The workspace refused a call."""


def call(method, path, body=None):
    request = urllib.request.Request(
        os.environ["DATABRICKS_HOST"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {os.environ['DATABRICKS_TOKEN']}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise WorkspaceError(json.load(error).get("message", str(error))) from None
