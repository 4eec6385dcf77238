// Lakelet's side of test_mlflow_programs.py: programs that are run, evaluated, optimized and logged to MLflow. A request is a line of JSON, and so
// is the answer. `host` is where MLflow is, `lm` where models and indexes are.
import { createInterface } from 'node:readline';

import { answerExactMatch, bestOfN, chainOfThought, configure, init, Module, pipeline, predict, react, tool, Workspace } from 'lakelet';
import { MlflowLogger } from 'lakelet/databricks';
import { BootstrapFewShotWithRandomSearch } from 'lakelet/optimize';

await init();

const QA = 'question -> answer';
const search = tool({ name: 'search', desc: 'Search pages.', args: { query: { type: 'string' } } }, () => '25 days');

class Rag extends Module {
  plan = predict('question -> search_query');
  answer = predict('context, question -> answer');

  async forward({ question }) {
    const { search_query } = await this.plan.run({ question });
    return this.answer.run({ context: search_query, question });
  }
}

const KINDS = {
  predict: () => predict(QA),
  typed: () => predict('question, options: list[str] -> answer: int, sure: bool'),
  chain_of_thought: () => chainOfThought(QA),
  react: () => react(QA, { tools: [search] }),
  best_of_n: () => bestOfN(chainOfThought(QA), { n: 2, rewardFn: () => 0, threshold: 1 }),
  rag: () => new Rag(),
};

/** The program of a request: a kind, or a document; with a state, if there is one. */
function programOf({ kind, document, state }) {
  const program = document ? pipeline(document) : KINDS[kind]();
  if (state) program.load(state);
  return program;
}

const ANSWERS = {
  async run({ inputs, ...given }, logger) {
    const outputs = await programOf(given).run(inputs, { trace: logger.trace }).catch((error) => ({ error: String(error) }));
    await logger.flush();
    return { outputs };
  },
  async evaluate({ testset, prices, fails, ...given }, logger) {
    const metric = fails ? () => { throw new Error('the metric is broken'); } : answerExactMatch;
    const { run } = await logger.logPipelineMetrics(programOf(given), testset, { metric, prices, runName: 'evaluated', concurrency: 1, maxErrors: 1 });
    return { run: run.id };
  },
  async optimize({ trainset, ...given }, logger) {
    const optimizer = new BootstrapFewShotWithRandomSearch({ metric: answerExactMatch, numCandidatePrograms: 1, maxBootstrappedDemos: 1, maxLabeledDemos: 1, numThreads: 1 });
    const { program, score } = await optimizer.compile(programOf(given), { trainset, observer: logger });
    return { score, state: JSON.parse(program.save()) };
  },
  log_model: ({ name, register, indexes, ...given }, logger) => logger.logModel(programOf(given), name, { lm: 'm', register, indexes }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, host, lm, experiment, ...given } = JSON.parse(line);
  const models = new Workspace({ host: lm, token: 'dapi-peers' });
  const index = models.index('main.default.handbook', { columns: ['title', 'heading', 'uri'] });
  configure({ workspace: models, lm: 'm', rm: { handbook: index }, cache: false });
  const logger = new MlflowLogger(new Workspace({ host, token: 'dapi-peers' }), { experimentName: experiment, onError: (error) => console.error(error) });
  const answered = await ANSWERS[what](given, logger).catch((error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}
