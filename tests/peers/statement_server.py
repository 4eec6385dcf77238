"""The Statement Execution API in front of a Spark session, which runs every statement as it is sent."""
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "js/workspace/python"))
from lakelet_sql.render import column_texts  # noqa: E402: values as Databricks writes them

READ = {"STRING": str, "BIGINT": int, "DOUBLE": float, "BOOLEAN": lambda text: text == "true"}


class StatementServer:
    """Keeps what it was sent: statements, files and runs."""

    def __init__(self, spark):
        self.spark, self.statements, self.results, self.files, self.runs = spark, [], [], {}, []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.say(*server.answer(self.path, self.rfile.read(int(self.headers["content-length"]))))

            def do_GET(self):
                number = re.fullmatch("/api/2.0/sql/statements/([0-9]+)/result/chunks/0", self.path)
                self.say(*((200, server.results[int(number[1])]) if number else (404, {})))

            def say(self, status, answer):
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def answer(self, path, body):
        if path == "/api/2.0/sql/statements":
            return 200, self.execute(json.loads(body))
        if path == "/api/2.0/workspace/import":
            self.files["last"] = body
            return 200, {}
        if path == "/api/2.2/jobs/runs/submit":
            self.runs.append(json.loads(body))
            return 200, {"run_id": len(self.runs)}
        return 404, {"error_code": "ENDPOINT_NOT_FOUND", "message": path}

    def execute(self, request):
        number = str(len(self.statements))
        self.statements.append(request["statement"])
        self.results.append({})
        values = {given["name"]: READ[given["type"]](given["value"]) for given in request.get("parameters", [])}
        try:
            frame = self.spark.sql(request["statement"], args=values)
            table = frame.toArrow() if frame.columns else None
        except Exception as error:  # noqa: BLE001: whatever the engine says is the answer
            return {"statement_id": number, "status": {"state": "FAILED", "error": {"error_code": "BAD_REQUEST", "message": str(error)[:2000]}}}
        columns = [describe(field) for field in frame.schema.fields]
        rows = list(zip(*[column_texts(column) for column in table.columns])) if columns else []
        self.results[-1] = {"chunk_index": 0, "data_array": rows}
        manifest = {"format": "JSON_ARRAY", "schema": {"columns": columns}, "total_chunk_count": 1, "total_row_count": len(rows)}
        return {"statement_id": number, "status": {"state": "SUCCEEDED"}, "manifest": manifest, "result": self.results[-1]}


def describe(field):
    text = field.dataType.simpleString()
    name = text.split("<")[0].split("(")[0]
    return {"name": field.name, "type_text": text if "<" in text else text.upper(), "type_name": {"bigint": "LONG"}.get(name, name.upper())}


def imported_file(form):
    """The content of a file in the form of a workspace import."""
    content = form.split(b'name="content"', 1)[1].split(b"\r\n\r\n", 1)[1]
    return content.rsplit(b"\r\n--", 1)[0]
