import { ApiError } from "../http/errors.js";
import type { PipelineStore } from "../pipelines/store.js";
import type { PipelineUpdates } from "../pipelines/updates.js";
import { TaskFailure, type Executor } from "./task.js";

/** Starts an update of a pipeline, and ends as it ends. */
export function runPipeline(store: PipelineStore, updates: PipelineUpdates): Executor {
  return async ({ work, signal }) => {
    const { pipeline_id, ...asked } = work;
    const id = String(pipeline_id);
    const update = start(() => updates.start(id, asked, "JOB_TASK"));
    const stop = () => void updates.stop(id);
    signal.addEventListener("abort", stop, { once: true });
    const { state } = await updates.ended(update);
    signal.removeEventListener("abort", stop);
    if (state === "COMPLETED") return {};
    const why = store.events(id).findLast(({ update: of, level }) => of === update.id && level === "ERROR")?.error;
    throw new TaskFailure(`Update ${update.id} of pipeline ${id} is ${state}${why === undefined ? "" : `: ${why}`}`);
  };
}

function start<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ApiError) throw new TaskFailure(error.message);
    throw error;
  }
}
