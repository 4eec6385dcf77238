import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answerExactMatch, chainOfThought, LakeletError, languageModel, Module, pipeline, predict, react, Workspace, type ModelRequest } from 'lakelet';
import { DSPyMLflowLogger, MlflowLogger } from 'lakelet/databricks';
import { COPRO } from 'lakelet/optimize';

import { json, reply, serve, type Received } from './support.js';

const qa = predict('question -> answer');
const lm = languageModel('four', async ({ messages }: ModelRequest) => {
  if (String(messages.at(-1)?.content).includes('fail')) throw new Error('no model');
  return { choices: [{ message: { role: 'assistant', content: reply({ answer: '4' }) } }], usage: { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 } };
});

const RUN = { run_id: 'r1', run_name: 'first', experiment_id: '5', artifact_uri: 'mlflow-artifacts:/5/r1/artifacts' };

/** An MLflow that takes everything, and a logger for it. */
async function tracking(t: { after(fn: () => void): void }, refuses: (url: string) => boolean = () => false) {
  const server = await serve(t, ({ url }, response) => {
    if (refuses(url)) json(response, 400, { error_code: 'INVALID_PARAMETER_VALUE', message: 'refused' });
    else if (url.includes('get-by-name')) json(response, 200, { experiment: { experiment_id: '5', name: 'x', artifact_location: 'mlflow-artifacts:/5' } });
    else if (url.includes('runs/create') || url.includes('runs/get')) json(response, 200, { run: { info: RUN } });
    else if (url.endsWith('logged-models')) json(response, 200, { model: { info: { model_id: 'm-1', artifact_uri: 'mlflow-artifacts:/5/models/m-1/artifacts' } } });
    else json(response, 200, {});
  });
  const workspace = new Workspace({ host: server.url, token: 'dapi-1' });
  const calls = () => server.received.map(({ url }) => url.replace(/^\/api\/2\.0\/mlflow(-artifacts\/artifacts)?\//, '').replace(/\?.*/, ''));
  return { ...server, workspace, calls, logger: new MlflowLogger(workspace, { experimentName: 'x', tags: { stage: 'test' } }) };
}

const spansOf = ({ body }: Received) => (body as any).resourceSpans[0].scopeSpans[0].spans as { name: string; status: { code: number; message?: string }; attributes: { key: string; value: { stringValue?: string } }[] }[];
const attribute = (span: ReturnType<typeof spansOf>[number], name: string) => span.attributes.find(({ key }) => key === name)?.value.stringValue;

test('every call is a trace when the settings say so, and nobody waits for it', async (t) => {
  const { logger, received, calls } = await tracking(t);
  const settings = { lm, trace: logger.trace };
  assert.equal((await qa.run({ question: '2+2?' }, settings)).answer, '4');
  await assert.rejects(qa.run({ question: 'fail' }, settings), /no model/);
  const stream = qa.stream({ question: '3+1?' }, settings);
  for await (const _ of stream);
  await logger.flush();
  assert.deepEqual(calls(), ['experiments/get-by-name', '/v1/traces', '/v1/traces', '/v1/traces']);
  const traces = received.slice(1);
  assert.ok(traces.every(({ headers }) => headers['x-mlflow-experiment-id'] === '5'));
  const [well, failed, streamed] = traces.map(spansOf);
  assert.deepEqual(well?.map(({ name }) => name), ['Predict.forward', 'ChatAdapter.format', 'LM.__call__', 'ChatAdapter.parse']);
  assert.deepEqual(JSON.parse(attribute(well![0]!, 'mlflow.spanOutputs') ?? ''), { answer: '4' });
  assert.equal(attribute(well![0]!, 'mlflow.traceTag.stage'), 'test');
  assert.equal(failed?.[0]?.status.code, 2);
  assert.match(failed?.[0]?.status.message ?? '', /no model/);
  assert.deepEqual(JSON.parse(attribute(streamed![0]!, 'mlflow.spanInputs') ?? ''), { question: '3+1?' });
});

test('a class is traced under its name, with its parts below it', async (t) => {
  const { logger, received } = await tracking(t);
  class Rag extends Module<{ question: string }, { answer: string }> {
    first = predict('question -> answer');
    second = predict('question -> answer');
    async forward(inputs: { question: string }) {
      await this.first.run(inputs);
      return this.second.run(inputs);
    }
  }
  await new Rag().run({ question: '2+2?' }, { lm, trace: logger.trace });
  await logger.flush();
  assert.deepEqual(spansOf(received[1]!).map(({ name }) => name).filter((name) => name.endsWith('forward')), ['Rag.forward', 'Predict.forward', 'Predict.forward']);
  assert.deepEqual(JSON.parse(attribute(spansOf(received[1]!)[0]!, 'mlflow.spanInputs') ?? ''), { question: '2+2?' });
});

test('a trace that cannot be logged stops nothing, and is told of', async (t) => {
  const { workspace } = await tracking(t, (url) => url.includes('traces'));
  const errors: unknown[] = [];
  const logger = new DSPyMLflowLogger(workspace, { experimentName: 'x', onError: (error) => errors.push(error) });
  assert.equal((await qa.run({ question: '2+2?' }, { lm, trace: logger.trace })).answer, '4');
  assert.equal((await qa.run({ question: '2+2?' }, { lm, trace: () => { throw new Error('a tracer of another kind'); } })).answer, '4');
  await logger.flush();
  assert.ok(errors[0] instanceof LakeletError && errors[0].code === 'bad_request');
});

test('an evaluation is a run', async (t) => {
  const { logger, received, calls } = await tracking(t);
  const testset = [{ question: '2+2?', answer: '4' }, { question: '3*4?', answer: '12' }];
  const { run, evaluation } = await logger.logPipelineMetrics(qa, testset, { metric: answerExactMatch, lm, runName: 'first', prices: { '*': { input_usd: 1, output_usd: 2 } } });
  assert.deepEqual([run.id, evaluation.score], ['r1', 50]);
  assert.deepEqual(calls(), [
    'experiments/get-by-name', 'runs/create', 'runs/log-inputs', 'runs/log-batch', 'runs/get', '5/r1/artifacts/pipeline_config.json', 'runs/get',
    '5/r1/artifacts/program.json', 'runs/get', '5/r1/artifacts/sample_predictions.json', 'runs/log-batch', 'runs/log-batch', 'runs/update',
  ]);
  const metrics = (received.at(-2)?.body as any).metrics as { key: string; value: number }[];
  const value = (name: string) => metrics.find(({ key }) => key === name)?.value;
  assert.equal(value('accuracy'), 0.5);
  assert.equal(value('estimated_cost_usd'), 0.004 * 1 + 0.002 * 2);
  assert.ok((value('avg_latency_ms') ?? -1) >= 0);
  assert.equal((received.at(-1)?.body as any).status, 'FINISHED');
});

test('a run whose evaluation fails ends as failed', async (t) => {
  const { logger, received } = await tracking(t);
  await assert.rejects(logger.logPipelineMetrics(qa, [], { metric: answerExactMatch, lm }), /empty devset/);
  assert.deepEqual((received.at(-2)?.body as any).tags[0].key, 'error');
  assert.equal((received.at(-1)?.body as any).status, 'FAILED');
});

test('a pipeline is logged as a model with the changes that it was loaded with', async (t) => {
  const { logger, received, calls } = await tracking(t);
  const document = {
    lakelet: 1, name: 'greeter', inputs: { question: 'str' },
    steps: { answer: { do: 'chain_of_thought', signature: 'question -> answer', inputs: { question: 'question' }, config: { temperature: 1, n: 2 } } },
    outputs: { answer: 'answer.answer' },
  };
  const changed = pipeline(document, { changes: { steps: { answer: { config: { n: null, max_tokens: 9 } } } } });
  assert.deepEqual(await logger.logModel(changed, 'greeter', { lm: 'four' }), {
    model_id: 'm-1', model_uri: 'models:/m-1', registered_model_name: null, registered_model_version: null,
  });
  assert.ok(calls().includes('runs/outputs'));
  assert.equal((received.at(-1)?.body as any).status, 'FINISHED');
  const files = calls().filter((url) => url.includes('/models/m-1/artifacts/')).map((url) => url.split('/m-1/artifacts/')[1]);
  assert.deepEqual(files, ['python_model.py', 'artifacts/program.json', 'requirements.txt', 'python_env.yaml', 'MLmodel']);
});

test('what Python cannot run is refused before anything is logged', async (t) => {
  const { logger, calls } = await tracking(t);
  const screened = pipeline({
    lakelet: 1, name: 's', inputs: { question: 'str' }, steps: { screen: { do: 'screen', question: 'question', rules: ['email'] } }, outputs: { ok: 'screen.ok' },
  });
  const is = (step: string | undefined) => (error: unknown) => error instanceof LakeletError && error.code === 'unsupported' && error.step === step;
  await assert.rejects(logger.logModel(screened, 's', { lm: 'four' }), is('screen'));
  await assert.rejects(logger.logModel(react('question -> answer', { tools: [] }), 'r', { lm: 'four' }), is(undefined));
  assert.ok(!calls().includes('logged-models'));
});

test('a run takes metrics, parameters, tags, data, files and tables', async (t) => {
  const { logger, received, calls } = await tracking(t);
  const run = await logger.startRun({ runName: 'first', tags: { by: 'me' } });
  await run.logMetrics({ loss: 0.5 }, 3);
  await run.logParams({ k: 5, name: 'x' });
  await run.setTags({ a: 'b' });
  await run.logDataset('devset', [{ question: 'q' }], { context: 'training' });
  await run.logDict({ modules: ['Predict'] }, 'config.json');
  await run.logTable('t.json', [{ a: 1 }, { b: 2 }]);
  await run.end('KILLED');
  assert.equal(calls().at(-1), 'runs/update');
  const bodies = received.map(({ body }) => body as any);
  assert.deepEqual([bodies[1].run_name, bodies[1].tags], ['first', [{ key: 'by', value: 'me' }]]);
  assert.deepEqual([bodies[2].metrics[0].key, bodies[2].metrics[0].value, bodies[2].metrics[0].step], ['loss', 0.5, 3]);
  assert.deepEqual(bodies[3].params, [{ key: 'k', value: '5' }, { key: 'name', value: 'x' }]);
  assert.equal(bodies.at(-1).status, 'KILLED');
  await assert.rejects(run.logMetrics({ loss: Number.NaN }), (error) => error instanceof LakeletError && error.field === 'metrics');
});

test('a search is a run, with a run below it for every trial', async (t) => {
  const { logger, received, calls } = await tracking(t);
  const search = { trainset: [{ question: '2+2?', answer: '4' }], lm: () => reply({ answer: '4', proposed_instruction: 'Add.', proposed_prefix_for_output_field: 'Sum:' }), observer: logger };
  await new COPRO({ metric: answerExactMatch, breadth: 2, depth: 1 }).compile(qa, search);
  const trial = ['runs/create', 'runs/get', '5/r1/artifacts/model.json', 'runs/log-batch', 'runs/log-batch', 'runs/update', 'runs/log-batch'];
  assert.deepEqual(calls(), ['experiments/get-by-name', 'runs/create', ...trial, ...trial, 'runs/get', '5/r1/artifacts/best_model.json', 'runs/update']);
  const created = received.filter(({ url }) => url.includes('runs/create')).map(({ body }) => body as { run_name: string; tags?: { key: string; value: string }[] });
  assert.deepEqual(created.map(({ run_name }) => run_name), ['COPRO', 'eval_0', 'eval_1']);
  assert.ok(created[1]?.tags?.some(({ key, value }) => key === 'mlflow.parentRunId' && value === 'r1'));
  const params = received.flatMap(({ url, body }) => (url.includes('log-batch') ? ((body as { params?: { key: string; value: string }[] }).params ?? []) : []));
  assert.ok(params.some(({ key, value }) => key === 'Predict.signature.instructions' && value === 'Add.'));

  const stop = new AbortController();
  const broken = new COPRO({ metric: () => (stop.abort(), 1), breadth: 2, depth: 1 }).compile(qa, { ...search, signal: stop.signal });
  await assert.rejects(broken, (error: unknown) => error instanceof LakeletError && error.code === 'cancelled');
});
