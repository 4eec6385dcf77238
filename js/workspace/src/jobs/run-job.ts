import { ApiError } from "../http/errors.js";
import { isObject } from "../http/fields.js";
import type { JobRunner } from "./runner.js";
import { readParameters } from "./settings.js";
import type { JobStore } from "./store.js";
import { TaskFailure, type Executor } from "./task.js";

/** Runs another job, and ends as it ends. */
export function runJobTask(store: JobStore, runner: () => JobRunner): Executor {
  return async ({ work, run, signal }) => {
    const started = start(store, runner(), Number(work["job_id"]), work["job_parameters"], run.creator);
    const cancel = () => runner().cancel(started.id);
    signal.addEventListener("abort", cancel, { once: true });
    const ended = await runner().ended(started.id);
    signal.removeEventListener("abort", cancel);
    const output = { run_job_output: { run_id: started.id } };
    const { result, message } = ended.state;
    if (result === "SUCCESS" || result === "SUCCESS_WITH_FAILURES") return output;
    throw new TaskFailure(`Run ${started.id} of job ${started.job} ended as ${result}: ${message}`, output);
  };
}

function start(store: JobStore, runner: JobRunner, id: number, given: unknown, creator: string) {
  try {
    const { settings } = store.job(id);
    const parameters = { ...readParameters(settings), ...(isObject(given) ? (given as Record<string, string>) : {}) };
    return runner.launch({ job: id, type: "JOB_RUN", trigger: "ONE_TIME", name: String(settings["name"] ?? "Untitled"), creator, settings, given: { parameters } });
  } catch (error) {
    if (error instanceof ApiError) throw new TaskFailure(error.message);
    throw error;
  }
}
