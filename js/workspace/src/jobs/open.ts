import type { Volumes } from "../files/volumes.js";
import type { Route } from "../http/router.js";
import type { WorkspaceTree } from "../notebooks/tree.js";
import { PipelineStore } from "../pipelines/store.js";
import { PipelineUpdates } from "../pipelines/updates.js";
import { JobsRoutes } from "../routes/jobs.js";
import { PipelinesRoutes } from "../routes/pipelines.js";
import { queriesRoutes } from "../routes/queries.js";
import type { Statements } from "../sql/statements.js";
import { runCondition } from "./condition.js";
import { NotebookTasks } from "./notebook.js";
import { runPipeline } from "./pipeline.js";
import { PythonTasks } from "./python.js";
import { SavedQueries } from "./queries.js";
import { runJobTask } from "./run-job.js";
import { JobRunner } from "./runner.js";
import { JobSchedules } from "./schedules.js";
import { readParameters, readTasks } from "./settings.js";
import { SqlSession } from "./sql-session.js";
import { SqlTasks } from "./sql.js";
import { JobStore } from "./store.js";

export interface JobsOptions {
  /** The folder of the workspace's state. */
  data: string;
  tree: WorkspaceTree;
  volumes: Volumes;
  statements: Statements;
  /** The workspace as tasks call it. */
  url: () => string;
  token: string;
  log: (line: string) => void;
}

/** Jobs and pipelines of a workspace. */
export interface Jobs {
  routes: Route[];
  /** Ends all that runs. */
  close(): Promise<void>;
}

/** Opens the parts that jobs, pipelines and saved queries are made of. */
export function openJobs({ data, tree, volumes, statements, url, token, log }: JobsOptions): Jobs {
  const session = new SqlSession(statements);
  const queries = new SavedQueries(data);
  const pipelines = new PipelineStore(data);
  const updates = new PipelineUpdates(pipelines, tree, session, log);
  const python = new PythonTasks({ "/Volumes": volumes.root, "/Workspace": tree.root }, () => ({ url: url(), token }));
  const notebooks = new NotebookTasks(tree, volumes, python);
  const jobs = new JobStore(data);
  const executors = {
    notebook_task: notebooks.runNotebook,
    spark_python_task: notebooks.runFile,
    sql_task: new SqlTasks(session, queries, tree, volumes).run,
    run_job_task: runJobTask(jobs, () => runner),
    condition_task: runCondition,
    pipeline_task: runPipeline(pipelines, updates),
  };
  const runner: JobRunner = new JobRunner(jobs, executors, url, log);
  const schedules = new JobSchedules(jobs, (id) => {
    const { settings, creator } = jobs.job(id);
    const given = { parameters: readParameters(settings) };
    if (readTasks(settings).length > 0) runner.launch({ job: id, type: "JOB_RUN", trigger: "PERIODIC", name: String(settings["name"] ?? "Untitled"), creator, settings, given });
  });
  return {
    routes: [...new JobsRoutes(jobs, runner, schedules).routes(), ...queriesRoutes(queries), ...new PipelinesRoutes(pipelines, updates).routes()],
    async close() {
      schedules.close();
      await runner.close();
      await updates.close();
      for (const store of [jobs, pipelines, queries]) store.close();
    },
  };
}
