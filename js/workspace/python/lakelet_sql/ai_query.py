"""Calls of serving endpoints by `ai_query`: https://docs.databricks.com/sql/language-manual/functions/ai_query"""

import json
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

# Requests in flight for one batch of rows. The workspace queues what its model cannot take at once.
PARALLEL = 8
# Seconds; a local model may have to read a long prompt on a slow machine.
TIMEOUT = 600


class Endpoint:
    """The serving endpoints of the workspace, over HTTP on loopback."""

    def __init__(self, url, token):
        self.url, self.token, self.tasks = url, token, {}

    def answers(self, rows):
        """(answer, error) of each row (endpoint, request, parameters, response_format), in order, several at a time."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(lambda row: self._answer(*row), rows))

    def _answer(self, endpoint, request, parameters, response_format):
        if endpoint is None or request is None:
            return None, None
        try:
            return self._ask(endpoint, request, parameters, response_format), None
        except urllib.error.HTTPError as error:
            return None, f"HTTP {error.code} from serving endpoint '{endpoint}': {error.read().decode(errors='replace')[:500]}"
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            return None, f"Serving endpoint '{endpoint}' gave no answer: {error}"

    def _ask(self, endpoint, request, parameters, response_format):
        body = dict(parameters or {})
        if response_format:
            body["response_format"] = as_response_format(response_format)
        task = self._task(endpoint)
        if isinstance(request, dict) and "messages" in request:
            body.update(request)
        elif task == "llm/v1/chat":
            body["messages"] = [{"role": "user", "content": request}]
        elif task == "llm/v1/completions":
            body["prompt"] = request
        elif task == "llm/v1/embeddings":
            body["input"] = request
        else:
            body["dataframe_records"] = [request if isinstance(request, dict) else {"input": request}]
        reply = self._send(f"/serving-endpoints/{quote(endpoint)}/invocations", body)
        if "choices" in reply:
            choice = reply["choices"][0]
            return as_text(choice["message"]["content"] if "message" in choice else choice["text"])
        if "data" in reply:
            return json.dumps(reply["data"][0]["embedding"])
        predictions = reply.get("predictions", reply)
        return as_text(predictions[0] if isinstance(predictions, list) and len(predictions) == 1 else predictions)

    def _task(self, endpoint):
        """What an endpoint is for, which decides the shape of a request."""
        if endpoint not in self.tasks:
            self.tasks[endpoint] = self._send(f"/api/2.0/serving-endpoints/{quote(endpoint)}", None).get("task")
        return self.tasks[endpoint]

    def _send(self, path, body):
        request = urllib.request.Request(
            self.url + path,
            # A number that SQL writes as 0.5 is a decimal.
            None if body is None else json.dumps(body, default=float).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        # A proxy of the environment is not for addresses on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=TIMEOUT) as reply:
            return json.load(reply)


def quote(name):
    return urllib.parse.quote(name, safe="")


def as_text(value):
    return value if isinstance(value, str) else json.dumps(value)


def as_response_format(text):
    """`responseFormat` is the JSON of a response format, or a DDL struct with one field for the whole answer."""
    if text.lstrip().startswith("{"):
        return json.loads(text)
    raise ValueError("responseFormat is the JSON of a response format in the local workspace, such as '{\"type\": \"json_object\"}'")
