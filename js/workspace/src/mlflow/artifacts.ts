import { join } from "node:path";
import { invalid } from "../http/errors.js";

/** The folder of all MLflow artifacts, in the layout of the tracking server. The Files API serves it too. */
export const artifactsFolder = (data: string) => join(data, "mlflow-artifacts");

/** Where the Files API has the artifacts of MLflow. */
const ARTIFACTS = "/WorkspaceInternal/Mlflow/Artifacts";

export const runArtifact = (experiment: string, run: string, path: string) => `${ARTIFACTS}/${experiment}/Runs/${run}/artifacts/${path}`;
export const modelArtifact = (experiment: string, model: string, path: string) => `${ARTIFACTS}/${experiment}/LoggedModels/${model}/artifacts/${path}`;
export const traceArtifact = (experiment: string, trace: string, path: string) => runArtifact(experiment, `traces/${trace}`, path);

/** The path in the Files API of a place that the tracking server names `mlflow-artifacts:/<experiment>/…`. */
export function pathOfPlace(place: string): string {
  const [experiment, kind = "", ...rest] = place.replace(/^mlflow-artifacts:\/+/, "").split("/");
  return [ARTIFACTS, experiment, ...(kind === "models" ? ["LoggedModels"] : ["Runs", kind]), ...rest].join("/");
}

/**
 * The place of an artifact in the folder of the tracking server, from the segments of its path in the Files API:
 *
 * | below /WorkspaceInternal/Mlflow/Artifacts | below the folder |
 * |---|---|
 * | `<experiment>/Runs/<run>/artifacts/…` | `<experiment>/<run>/artifacts/…` |
 * | `<experiment>/Runs/traces/<trace>/artifacts/…` | `<experiment>/traces/<trace>/artifacts/…` |
 * | `<experiment>/LoggedModels/<model>/artifacts/…` | `<experiment>/models/<model>/artifacts/…` |
 */
export function artifactPlace(segments: string[]): string[] {
  const [top, mlflow, artifacts, experiment, kind, ...rest] = segments;
  if (`/${top}/${mlflow}/${artifacts}` !== ARTIFACTS) throw invalid(`'/${segments.join("/")}' is not below ${ARTIFACTS}.`);
  if (experiment === undefined) return [];
  if (kind === undefined) return [experiment];
  if (kind === "Runs") return [experiment, ...rest];
  if (kind === "LoggedModels") return [experiment, "models", ...rest];
  throw invalid(`'${kind}' is no kind of artifact: after the experiment come Runs/<run> or LoggedModels/<model>.`);
}
