"""A chat endpoint on loopback that answers the steps of `examples/checked_answer.json`, and keeps what it was sent."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REPLIES = {
    "topic": '[[ ## topic ## ]]\nthe sky\n\n[[ ## keywords ## ]]\n["blue", "Rayleigh — «light»"]\n\n[[ ## completed ## ]]\n',
    "reasoning": "[[ ## reasoning ## ]]\nShort waves\nscatter more.\n\n[[ ## answer ## ]]\nRayleigh scattering 🙂\n\n[[ ## completed ## ]]\n",
    "is_safe": "[[ ## is_safe ## ]]\nTrue\n\n[[ ## completed ## ]]\n",
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.sent.append(body)
        request = json.loads(body)
        asked = re.findall(r"the field `\[\[ ## (\w+) ## \]\]`", request["messages"][-1]["content"])[0]
        text = self.server.replies[asked]
        if request.get("stream"):
            self.stream(text)
        else:
            message = {"role": "assistant", "content": text}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
            self.reply("application/json", json.dumps(whole).encode())

    def stream(self, text):
        """Small pieces; a text that ends in an ellipsis stops there, and the connection stays until the caller leaves."""
        stalls, text = text.endswith("…"), text.rstrip("…")
        size = max(7, len(text) // 50)
        pieces = [text[i : i + size] for i in range(0, len(text), size)]
        choices = [{"index": 0, "delta": {"content": piece}, "finish_reason": None} for piece in pieces]
        if not stalls:
            choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
        chunks = [{"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]} for choice in choices]
        events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
        if not stalls:
            events += "data: [DONE]\n\n"
        self.reply("text/event-stream", events.encode(), more=int(stalls))
        if stalls and self.rfile.read(1) == b"":
            self.server.left.set()

    def reply(self, kind, payload, more=0):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(payload) + more))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        pass


class Endpoint(ThreadingHTTPServer):
    """`sent` are the bodies of the requests; `left` is set when a caller has left a reply that stalls."""

    daemon_threads = True

    def __init__(self, **replies):
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies, self.sent, self.left = REPLIES | replies, [], threading.Event()
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.environment = {"DATABRICKS_HOST": self.origin, "DATABRICKS_TOKEN": "t", "LAKELET_CHAT_ENDPOINT": "m"}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def asked(self):
        """What the model was asked since the last look: the texts of the requests without where they go and how the reply comes."""
        requests = [json.loads(body) for body in self.sent]
        self.sent.clear()
        return [json.dumps({name: value for name, value in request.items() if name not in ("model", "stream", "stream_options")}) for request in requests]

    def handle_error(self, *_):
        """Callers that leave early are what the tests are about."""

    def close(self):
        self.shutdown()
        self.server_close()
