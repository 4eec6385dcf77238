"""MLflow's tracking server on a Unix socket, for as long as the process that started it keeps standard input open.

    python mlflow_server.py FOLDER ARTIFACTS SOCKET

FOLDER holds the database, ARTIFACTS the files of runs, models and traces. The socket's folder decides who may connect:
MLflow itself asks for no credential. The page and the API stand below /mlflow.
"""

import os
import sys
import threading
import warnings

warnings.simplefilter("ignore")
folder, artifacts, socket = sys.argv[1:]
store = f"sqlite:///{os.path.join(folder, 'mlflow.db')}"
# What `mlflow server` hands to its workers. In one process it starts in half the time, with half the memory.
os.environ.update({
    "_MLFLOW_SERVER_FILE_STORE": store,
    "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
    "_MLFLOW_SERVER_ARTIFACT_DESTINATION": artifacts,
    "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
    "_MLFLOW_STATIC_PREFIX": "/mlflow",
    "_MLFLOW_SGI_NAME": "uvicorn",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # Nothing calls out, and nothing runs beside what is asked for.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
})

import uvicorn
from mlflow.server.handlers import initialize_backend_stores

initialize_backend_stores(store, store, "mlflow-artifacts:/")


class Server(uvicorn.Server):
    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        print("ready", flush=True)


server = Server(
    uvicorn.Config("mlflow.server.fastapi_app:app", uds=socket, log_level="warning", timeout_graceful_shutdown=5)
)


def end_with_parent() -> None:
    sys.stdin.buffer.read()
    server.should_exit = True


threading.Thread(target=end_with_parent, daemon=True).start()
server.run()
