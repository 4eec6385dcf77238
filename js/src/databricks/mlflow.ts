/** MLflow: evaluations as runs, calls as traces, programs as models. */
import { evaluate, type EvaluateSettings, type Evaluation } from '../evaluate.js';
import { LakeletError } from '../errors.js';
import type { EndedCall } from '../events.js';
import type { Observer, SearchEnd, Trial } from '../optimize/observer.js';
import type { Program } from '../program.js';
import { inspect } from '../run.js';
import type { Workspace } from '../workspace.js';
import { logged, parameters } from './logged-program.js';
import { MlflowRun, type StartedRun } from './mlflow-run.js';
import { operation, type ServiceCallOptions } from './module.js';

/** Where a {@link MlflowLogger} logs. */
export interface MlflowLoggerOptions {
  /** The experiment, which is created if there is none; on Databricks an absolute path. `/Shared/dspy-experiments` unless given. */
  readonly experimentName?: string;
  /** Tags of every trace. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Told of traces that could not be logged; `console.warn` unless given. */
  readonly onError?: (error: unknown) => void;
}

/** What tokens cost, in US dollars for a thousand of them. */
export interface TokenPrice {
  readonly input_usd: number;
  readonly output_usd: number;
}

/** How an evaluation is made and logged. */
export interface LogMetricsOptions<R extends object, O extends object> extends EvaluateSettings<R, O> {
  readonly runName?: string;
  /** What the testset is called; `testset` unless given. */
  readonly dataset?: string;
  /** How many predictions are shown; 5 unless given. */
  readonly samples?: number;
  /** Prices by the name of the endpoint; `*` is any other. Without a price for each model there is no `estimated_cost_usd`. */
  readonly prices?: Readonly<Record<string, TokenPrice>>;
  /** Parameters beside those of the program. */
  readonly params?: Readonly<Record<string, unknown>>;
}

/** A Vector Search index that a logged program looks into. */
export interface ModelIndex {
  readonly name: string;
  readonly id_column?: string;
  readonly text_column?: string;
  readonly columns?: readonly string[];
  readonly num_results?: number;
  readonly query_type?: 'ANN' | 'HYBRID' | 'FULL_TEXT';
}

/** How a program is logged as a model. */
export interface LogModelOptions extends ServiceCallOptions {
  /** The endpoint of the model that the program asks, or several by the names that steps ask by; the first one serves steps that name none. */
  readonly lm: string | Readonly<Record<string, string>>;
  /** The indexes that its steps look into, likewise. */
  readonly indexes?: Readonly<Record<string, ModelIndex>>;
  /** Registers it: `true` in the registry of the workspace as `dspy-<name>`, `catalog.schema` in Unity Catalog as `<catalog>.<schema>.dspy_<name>`,
   * or under any other name as it is. */
  readonly register?: boolean | string;
  /** The run that it came out of; one of its own unless given. */
  readonly run?: MlflowRun;
}

/** A model that was logged. */
export interface LoggedModel {
  readonly model_id: string;
  /** What `mlflow.pyfunc.load_model` takes. */
  readonly model_uri: string;
  readonly registered_model_name: string | null;
  readonly registered_model_version: string | null;
}

/** How a run is started. */
export interface StartRunOptions extends ServiceCallOptions {
  readonly runName?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * Logs programs to an experiment of MLflow: of a Databricks workspace, or of MLflow's own server, whose address a {@link Workspace} takes as
 * well.
 *
 * ```ts
 * const logger = new MlflowLogger(workspace, { experimentName: '/Users/me@example.com/dspy' });
 * configure({ workspace, lm, trace: logger.trace }); // every call is a trace from here on
 * const { evaluation } = await logger.logPipelineMetrics(assistant, testset, { metric: answerExactMatch });
 * const { model_uri } = await logger.logModel(assistant, 'assistant', { lm, register: 'main.ml' });
 * await new MIPROv2({ metric }).compile(assistant, { trainset, observer: logger }); // every trial is a run below one of the search's
 * ```
 */
export class MlflowLogger implements Observer {
  readonly #workspace: Workspace;
  readonly #options: MlflowLoggerOptions;
  #experiment: Promise<Record<string, string>> | undefined;
  readonly #pending = new Set<Promise<void>>();
  /** The runs of searches that are under way. */
  readonly #searches = new Map<object, Promise<MlflowRun>>();

  constructor(workspace: Workspace, options: MlflowLoggerOptions = {}) {
    this.#workspace = workspace;
    this.#options = options;
  }

  /** The experiment as the API has it: `experiment_id`, `name`, `artifact_location`. */
  experiment(): Promise<Record<string, string>> {
    const name = this.#options.experimentName ?? '/Shared/dspy-experiments';
    return (this.#experiment ??= operation<Record<string, string>>(this.#workspace, 'mlflow.experiment', { name }).catch((error: unknown) => {
      this.#experiment = undefined;
      throw error;
    }));
  }

  /** Starts a run. */
  async startRun({ runName, tags, ...options }: StartRunOptions = {}): Promise<MlflowRun> {
    const info = await operation<StartedRun>(this.#workspace, 'mlflow.start_run', { experiment: await this.experiment(), run_name: runName, tags }, options);
    return new MlflowRun(this.#workspace, info.run_id, info);
  }

  /** A run that is there. */
  run(id: string): MlflowRun {
    return new MlflowRun(this.#workspace, id);
  }

  /**
   * Evaluates a program on a testset, in a run: the metrics `accuracy` (from 0 to 1), `avg_latency_ms` and `estimated_cost_usd`, the program as
   * `pipeline_config.json` with its parameters, the testset as its input, and a few predictions as a table. If anything fails the run ends as
   * failed.
   *
   * @throws {@link LakeletError} what the evaluation fails with, and what MLflow refuses.
   */
  async logPipelineMetrics<I extends object, O extends object, R extends I>(
    pipeline: Program<I, O>, testset: readonly R[], options: LogMetricsOptions<R, O>,
  ): Promise<{ readonly run: MlflowRun; readonly evaluation: Evaluation<R, O> }> {
    const { runName, dataset, samples, prices, params, ...how } = options;
    const run = await this.startRun({ ...(runName !== undefined && { runName }), ...(how.signal && { signal: how.signal }) });
    return run.during(async () => {
      const evaluation = await evaluate(pipeline, { ...how, devset: testset });
      const { lmUsage } = inspect(evaluation);
      const program = logged(pipeline);
      await operation(this.#workspace, 'mlflow.log_evaluation', {
        run_id: run.id, program, evaluation: { ...evaluation, results: evaluation.results.map(told), lmUsage }, dataset, samples, prices, params,
      }, { ...(how.signal && { signal: how.signal }) });
      return { run, evaluation };
    });
  }

  /**
   * Logs a pipeline, a predictor or a chain of thought as a model: files that `mlflow.pyfunc.load_model` loads, and that answer in Python with
   * DSPy.
   *
   * @throws {@link LakeletError} `unsupported` for a program that Python cannot run, naming the step.
   */
  async logModel(pipeline: Program<never, object>, modelName: string, { lm, indexes, register, run, ...options }: LogModelOptions): Promise<LoggedModel> {
    const program = logged(pipeline);
    if ('isClass' in program) {
      throw new LakeletError(`a program of the class ${program.document.name} cannot be logged as a model`, {
        code: 'unsupported', hint: 'Log a predictor, a chain of thought or a pipeline document; a class is code, which Python would have to have too.',
      });
    }
    const models = typeof lm === 'string' ? { default: lm } : lm;
    const args = { experiment: await this.experiment(), name: modelName, program, models, indexes, register, run_id: run?.id };
    return operation<LoggedModel>(this.#workspace, 'mlflow.log_model', args, options);
  }

  /** Logs a call that has ended, and gives the id of its trace. */
  async logTrace(call: EndedCall, options?: ServiceCallOptions): Promise<string> {
    const { tags } = this.#options;
    const { trace_id } = await operation<{ trace_id: string }>(this.#workspace, 'mlflow.log_trace', { experiment: await this.experiment(), call: { tags, ...call } }, options);
    return trace_id;
  }

  /** Adds what somebody thinks of a trace: a metric (`CODE`), a person (`HUMAN`), a model (`LLM_JUDGE`). */
  async logFeedback(
    traceId: string, name: string, value: boolean | number | string, source: { readonly type?: 'CODE' | 'HUMAN' | 'LLM_JUDGE'; readonly id?: string } = {},
  ): Promise<void> {
    await operation(this.#workspace, 'mlflow.log_feedback', { trace_id: traceId, name, value, source_type: source.type, source_id: source.id });
  }

  /**
   * Logs calls as they end, without keeping anybody waiting: what `configure({ trace: logger.trace })` takes. {@link flush} waits until all are
   * there.
   */
  readonly trace = (call: EndedCall): void => {
    const work = this.logTrace(call).then(() => {}, this.#options.onError ?? ((error: unknown) => console.warn(`A call was not traced: ${String(error)}`)));
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work));
  };

  /** Logs a candidate of a search, under the names of MLflow's autolog for DSPy: what it has learned and its score in a run, below one of the optimizer's. */
  async tried({ search, optimizer, number, program, evaluation, objectives }: Trial): Promise<void> {
    const starting = this.#searches.get(search) ?? this.startRun({ runName: optimizer });
    this.#searches.set(search, starting);
    const whole = await starting;
    const part = await this.startRun({ runName: `eval_${number}`, tags: { 'mlflow.parentRunId': whole.id } });
    await part.during(async () => {
      await part.logArtifact('model.json', program.save());
      await part.logParams(parameters(program));
      await part.logMetrics({ eval: evaluation.score, ...objectives });
    });
    await whole.logMetrics({ eval: evaluation.score }, number);
  }

  /** Ends the run of a search, with the best program in it, or as failed. */
  async optimized({ search, program, error }: SearchEnd): Promise<void> {
    const whole = await this.#searches.get(search);
    this.#searches.delete(search);
    await whole?.during(async () => {
      if (!program) throw error;
      await whole.logArtifact('best_model.json', program.save());
    });
  }

  /** Waits until all calls are logged; `ctx.waitUntil(logger.flush())` in a Worker. */
  async flush(): Promise<void> {
    await Promise.all(this.#pending);
  }
}

/** A row as JSON tells it: what failed has a message. */
function told({ error, ...row }: Evaluation<object, object>['results'][number]): object {
  return error ? { ...row, error: { message: error.message } } : row;
}
