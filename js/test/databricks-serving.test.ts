// Serving endpoints and models, on the local workspace.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inspect, languageModel, LakeletError, predict, ResourceManager, router, Workspace } from 'lakelet';
import { ModelRegistry, ServingEndpoints, type Observation, type Progress } from 'lakelet/databricks';

import { localWorkspace } from './local-workspace.js';
import { json, reply, serve } from './support.js';

const qa = predict('question -> answer');
const hello = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 2 };

test('serving endpoints and models of the local workspace', async (t) => {
  const workspace = await localWorkspace(t);
  const endpoints = new ServingEndpoints(workspace);
  const registry = new ModelRegistry(workspace);
  const own = (await endpoints.get('local-chat')).config?.served_entities[0]?.entity_name;
  const served_entities = [{ name: 'own', ...(own && { entity_name: own }), entity_version: '1' }];

  await t.test('an endpoint is made, asked, changed and deleted', async () => {
    const told: Progress[] = [];
    const made = await endpoints.create({ name: 'twin', config: { served_entities }, tags: [{ key: 'team', value: 'rag' }] }, { onProgress: (progress) => told.push(progress) });
    assert.deepEqual([made.state.ready, made.task], ['READY', 'llm/v1/chat']);
    const answer = await endpoints.query('twin', hello) as { usage: { completion_tokens: number } };
    assert.equal(answer.usage.completion_tokens, 2);
    assert.equal((await endpoints.updateConfig('twin', { served_entities })).config?.config_version, 2);
    assert.deepEqual(await endpoints.changeTags('twin', { add: [{ key: 'env', value: 'dev' }], remove: ['team'] }), [{ key: 'env', value: 'dev' }]);
    assert.match(await endpoints.metrics('twin'), /request_count_total\{endpoint_name="twin"\} 1/);
    assert.ok((await endpoints.openApi('twin'))['paths']);
    await assert.rejects(endpoints.create({ name: 'twin', config: { served_entities } }), { code: 'conflict', errorCode: 'RESOURCE_ALREADY_EXISTS' });
    await endpoints.delete('twin');
    await assert.rejects(endpoints.get('twin'), { code: 'not_found' });
  });

  await t.test('an endpoint that does not start says why, and that it is left', async () => {
    const external_model = { name: 'gpt', provider: 'openai', task: 'llm/v1/chat', openai_config: { openai_api_key: '{{secrets/none/none}}' } } as const;
    await assert.rejects(endpoints.create({ name: 'failing', config: { served_entities: [{ name: 'gpt', external_model }] } }), (error) =>
      error instanceof LakeletError && error.code === 'server' && /does not exist/.test(error.message) && /delete it/.test(error.hint ?? ''));
    await endpoints.delete('failing');
  });

  await t.test('models are found by type and by name', async () => {
    const found = await registry.list();
    assert.deepEqual(found.map(({ name, type, ready }) => [name, type, ready]), [['local-chat', 'chat', true], ['local-embedding', 'embedding', true]]);
    assert.equal((await registry.getModel('chat')).name, 'local-chat');
    assert.equal((await registry.getModel('completion')).name, 'local-chat');
    const embed = await registry.getModel('embedding');
    assert.equal((await embed(['one', 'two']))[1]?.length, 384);
    await assert.rejects(registry.getModel('poem'), (error) => error instanceof LakeletError && error.code === 'input' && /^Unknown model type: poem\n/.test(error.message));
    await assert.rejects(registry.getModel('chat', 'databricks-dbrx-instruct'), (error) =>
      error instanceof LakeletError && error.code === 'not_found' && /databricks-llama-4-maverick/.test(error.hint ?? ''));
  });

  await t.test('many texts are embedded in their order', async () => {
    const texts = Array.from({ length: 310 }, (_, i) => (i === 305 ? 'parental leave' : `number ${i % 3}`));
    const vectors = await workspace.embedder('local-embedding')(texts);
    const [alone] = await workspace.embedder('local-embedding')(['parental leave']);
    const far = (a: readonly number[] = [], b: readonly number[] = []) => Math.hypot(...a.map((x, i) => x - (b[i] ?? 0)));
    assert.equal(vectors.length, 310);
    assert.ok(far(vectors[305], alone) < 1e-3 && far(vectors[304], alone) > 0.5);
  });

  await t.test('a router passes over an endpoint whose rate limit is used up', async () => {
    await endpoints.create({ name: 'limited', config: { served_entities } });
    await endpoints.setAiGateway('limited', { rate_limits: [{ calls: 1, key: 'endpoint', renewal_period: 'minute' }] });
    const passed: [string, number][] = [];
    const options = { max_tokens: 4 };
    const lm = router([workspace.lm('limited', options), workspace.lm('local-chat', options)], { onPassedOver: ({ model, forMs }) => passed.push([model, forMs]) });
    const used = [];
    for (const question of ['a', 'b', 'c']) {
      const outcome: object = await qa.run({ question }, { lm, cache: false }).catch((error: LakeletError) => error);
      used.push(...Object.keys(inspect(outcome).lmUsage).slice(-1));
    }
    // Four tokens are no answer, so that each question is asked twice, the second time as JSON.
    assert.deepEqual(new Set(used), new Set(['local-chat']));
    assert.deepEqual(passed.map(([model]) => model), ['limited']);
    assert.ok((passed[0]?.[1] ?? 0) > 1000);
    await endpoints.delete('limited');
  });

  await t.test('pools are of the types that the registry knows', async () => {
    const resources = new ResourceManager(registry);
    assert.equal((await resources.getEndpoint('chat', 3)).name, 'local-chat');
    assert.deepEqual(resources.loads['local-chat']?.poolSize, 3);
    await assert.rejects(resources.getEndpoint('poem'), /^LakeletError: Unknown model type: poem\n/);
  });

  await t.test('a model is chosen for a task, with the reasons', async () => {
    const chosen = await registry.selectOptimalModel(0.9, 1000, { max_cost_per_1k: 0.01 });
    assert.deepEqual([chosen.choice, chosen.model], ['high_complexity', 'databricks-llama-4-maverick']);
    assert.match(chosen.text, /the complexity of 0\.9 is above 0\.7/);
    await assert.rejects(registry.selectOptimalModel(0.9, 1000, {}, { served: true }), { code: 'not_found' });
    const { rules } = await registry.selectionTable();
    const models = Object.fromEntries(['low_complexity', 'medium_complexity', 'high_complexity'].map((key) => [key, { model: 'local-chat' }]));
    assert.equal((await registry.selectOptimalModel(0.2, 100, {}, { served: true, table: { rules, models } })).choice, 'low_complexity');
    await assert.rejects(registry.selectOptimalModel(2), { code: 'input', field: 'task_complexity' });
  });
});

test('a table is learned from the traces of runs', async (t) => {
  const server = await serve(t, (_, response) => json(response, 404, {}));
  const registry = new ModelRegistry(new Workspace({ host: server.url, token: 'dapi-1' }));
  const model = (name: string) => languageModel(name, () => ({ text: reply({ answer: 'a' }), usage: { prompt_tokens: 30, completion_tokens: 10 } }));
  const runs = ['databricks-claude-sonnet-5', 'databricks-gpt-5-nano'].map((name) => qa.run({ question: 'q' }, { lm: model(name) }));
  const traces = (await Promise.all(runs)).flatMap((prediction) => inspect(prediction).trace);
  const table = await registry.learnSelectionTable(traces);
  assert.deepEqual(Object.keys(table.models), ['databricks-claude-sonnet-5', 'databricks-gpt-5-nano']);
  assert.equal(table.models['databricks-claude-sonnet-5']?.usd_per_1k, 0.006);
  assert.equal((await registry.selectOptimalModel(0.9, undefined, {}, { table })).model, 'databricks-claude-sonnet-5');
  assert.equal((await registry.selectOptimalModel(0.9, undefined, { max_cost_per_1k: 0.001 }, { table })).model, 'databricks-gpt-5-nano');
  const seen: Observation[] = [{ model: 'a', latency_ms: 5, score: 1 }, { model: 'b', latency_ms: 9, score: 2 }];
  assert.equal((await registry.selectOptimalModel(1, 100, {}, { table: await registry.learnSelectionTable(seen) })).model, 'b');
  assert.equal(server.received.length, 0);
});

test('a model that completes text is given one', async (t) => {
  const server = await serve(t, (_, response) => json(response, 200, { choices: [{ index: 0, text: reply({ answer: 'four' }), finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 2 } }));
  const lm = new Workspace({ host: server.url, token: 'dapi-1' }).completion('mpt', { max_tokens: 9 });
  assert.equal((await qa.run({ question: '2+2?' }, { lm, cache: false })).answer, 'four');
  const { prompt, max_tokens, messages } = server.received[0]?.body ?? {};
  assert.match(String(prompt), /2\+2\?[^]*\n\nBEGIN RESPONSE:$/);
  assert.deepEqual([max_tokens, messages], [9, undefined]);
});
