import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifactsFolder } from "./artifacts.js";
import { PythonService } from "../python/service.js";

/**
 * A genuine `mlflow server`: its database in `<data>/mlflow`, its artifacts in `<data>/mlflow-artifacts`. It listens on a
 * socket in a folder of this user alone, because it asks for no credential itself.
 */
export function mlflowServer(data: string, log: (line: string) => void): PythonService {
  const folder = join(data, "mlflow");
  mkdirSync(folder, { recursive: true });
  mkdirSync(artifactsFolder(data), { recursive: true });
  const sockets = mkdtempSync(join(tmpdir(), "lakelet-mlflow-"));
  const socket = join(sockets, "socket");
  return new PythonService({
    part: "mlflow",
    modules: ["mlflow", "uvicorn"],
    script: "mlflow_server.py",
    args: [folder, artifactsFolder(data), socket],
    socket,
    log,
    onClose: () => rmSync(sockets, { recursive: true, force: true }),
  });
}
