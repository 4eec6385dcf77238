/** Training sets and predictors over tables, on the local workspace with each of its SQL engines. What Spark makes of nastier values is in `tests/peers/test_spark.py`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answerExactMatch, chainOfThought, configure, LakeletError, predict } from 'lakelet';
import { DistributedDataProcessor, Files, Warehouse, type Selection, type TableAnswer } from 'lakelet/databricks';

import { sparkIsMissing, started, WAREHOUSE } from './local-workspace.js';
import { json, reply, serve } from './support.js';

const VOLUME = '/Volumes/main/default/raw';

const DIAGNOSTICS = `CREATE TABLE main.default.lsp_diagnostics AS
  SELECT file_path, message, code, codeAction, named_struct('start', named_struct('line', line)) AS \`range\`, content FROM VALUES
    ('a.py', "'os' imported but unused", 'F401', NULL, 0, 'import os'), ('b.py', 'line too long', 'E501', NULL, 3, 'x = 1'),
    ('c.py', 'imports out of order', 'I001', NULL, 1, 'import b'), ('d.py', 'undefined name', 'F821', 'define it', 2, 'y'),
    ('e.py', 'it is «broken» é', 'SyntaxError', NULL, 7, 'print("\\\\n")'), ('f.py', 'nothing is known', NULL, NULL, 4, 'pass')
  AS t(file_path, message, code, codeAction, line, content)`;

const TRAINSET = [
  { code_file: 'import os', error_line: 0, error_message: "F401: 'os' imported but unused" },
  { code_file: 'print("\\n")', error_line: 7, error_message: 'SyntaxError: it is «broken» é' },
];

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const byText = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** What every engine gives for the same seed. */
const samples = new Map<string, unknown>();

for (const engine of ['duckdb', 'spark'] as const) {
  test(`training sets and predictors over tables, by ${engine}`, { skip: engine === 'spark' && sparkIsMissing() }, async (t) => {
    const { workspace, url, token } = await started(t, engine);
    const processor = new DistributedDataProcessor(workspace, WAREHOUSE);
    const warehouse = new Warehouse(workspace, WAREHOUSE);
    await warehouse.execute('CREATE VOLUME main.default.raw');
    await warehouse.execute(DIAGNOSTICS);

    await t.test("the study's pipeline, to a table and to Parquet in a volume", async () => {
      const diagnostics = await processor.processLspDiagnostics('main.default.lsp_diagnostics');
      for (const output of [{ table: 'main.default.trainset' }, { parquet: `${VOLUME}/trainset` }]) {
        const trainset = await processor.createTrainingDataset(diagnostics, output);
        assert.deepEqual((await all(processor.examples(trainset))).sort(byText), TRAINSET);
      }
      const kept = await processor.processLspDiagnostics('main.default.lsp_diagnostics', { withoutCode: 'keep' });
      assert.deepEqual((await all(processor.examples(kept))).map(({ file_path }) => file_path).sort(), ['a.py', 'e.py', 'f.py']);
    });

    await t.test('files are a source, and a sample is the same everywhere', async () => {
      const rows = Array.from({ length: 200 }, (_, i) => JSON.stringify({ id: i, word: `w"${i}`, at: { line: i % 3 } }));
      await new Files(workspace).upload(`${VOLUME}/rows/one.json`, rows.join('\n'));
      const selection: Selection = {
        from: { files: `${VOLUME}/rows/one.json`, format: 'json' },
        where: [{ column: 'at.line', operator: 'in', value: [0, 2] }, { expression: 'id < :most', parameters: { most: 100 } }],
        fields: { id: 'id', word: 'word' },
      };
      assert.equal((await all(processor.examples(selection))).length, 67);
      const drawn = await all(processor.examples({ ...selection, sample: { seed: 4, rows: 5 } }));
      assert.equal(drawn.length, 5);
      if (!samples.has('rows')) samples.set('rows', drawn);
      assert.deepEqual(drawn, samples.get('rows'));
    });

    await t.test('a predictor is asked for every row, with what its adapter writes', async (t) => {
      const far = await serve(t, ({ body }, response) => {
        const said = body.messages?.at(-1)?.content ?? '';
        if (said.includes('Rome')) json(response, 400, { error: { message: 'no Rome' } });
        else json(response, 200, { choices: [{ index: 0, message: { role: 'assistant', content: said.includes('Oslo') ? 'no header' : reply({ reasoning: 'so', answer: 'The Café' }) } }] });
      });
      const external_model = { name: 'far', provider: 'openai', task: 'llm/v1/chat', openai_config: { openai_api_base: far.url, openai_api_key_plaintext: 'sk-far' } };
      const made = await fetch(`${url}/api/2.0/serving-endpoints`, {
        method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'far', config: { served_entities: [{ name: 'far', external_model }] } }),
      });
      assert.equal(made.status, 200, await made.text());
      await warehouse.execute(`CREATE TABLE main.default.questions AS SELECT * FROM VALUES
        (1, 'Paris, "it\\'s" \\\\ é «q»', 0.5D, true, array('one', 'two\\nlines')), (2, 'Rome', 1e7D, false, array('x')), (3, 'Oslo', -0.00012D, NULL, array()), (4, NULL, 3.0D, NULL, NULL)
        AS t(id, city, score, sure, passages)`);

      configure({ workspace });
      const program = chainOfThought('city, score: float, sure: bool, passages -> answer', { config: { temperature: 0.5, max_tokens: 20 }, demos: [{ city: 'Bern', answer: 'no' }] });
      const of = { from: 'main.default.questions', fields: { id: 'id', city: 'city', score: 'score', sure: 'sure', passages: 'passages', gold: "'cafe\\u0301'" }, endpoint: 'far', request: 'messages' } as const;
      const answers = await processor.aiQuery(program, { ...of, output: { table: 'main.default.answers' } });
      const told: TableAnswer<{ answer: string }>[] = (await all(answers)).sort((a, b) => Number(a.example['id']) - Number(b.example['id']));
      assert.deepEqual(told.map(({ prediction, error }) => prediction?.answer ?? error?.code), ['The Café', 'server', 'parse', 'The Café']);
      assert.match(told[1]?.error?.message ?? '', /no Rome/);
      assert.ok(told[2]?.error instanceof LakeletError && told[2].example['city'] === 'Oslo');

      const rows = [
        { city: 'Paris, "it\'s" \\ é «q»', score: 0.5, sure: true, passages: ['one', 'two\nlines'] }, { city: 'Rome', score: new Number(1e7), sure: false, passages: ['x'] },
        { city: 'Oslo', score: -0.00012, sure: null, passages: [] }, { city: null, score: new Number(3), sure: null, passages: null },
      ];
      const sent = far.received.map(({ body }) => body.messages).sort((a, b) => byText(a ?? [], b ?? []));
      assert.deepEqual(sent, rows.map((row) => program.messages(row as never)).sort(byText));
      assert.deepEqual(far.received.map(({ body }) => [body['temperature'], body['max_tokens']]), Array(4).fill([0.5, 20]));

      // The accent is beyond what SQL compares; the others have failed.
      const score = { score: 50, margin: 56.58, rows: 4, failed: 2 };
      assert.deepEqual(await answers.exactMatch({ wanted: 'gold' }), { ...score, onEngine: 0 });
      assert.deepEqual(await answers.evaluate(({ gold }, { answer }) => answerExactMatch({ answer: gold }, { answer })), { ...score, onEngine: 0 });
      assert.equal(far.received.length, 4);

      const once = await processor.aiQuery(program, { ...of, where: [{ column: 'id', value: 1 }] });
      assert.deepEqual((await all(once)).map(({ prediction }) => prediction), [{ reasoning: 'so', answer: 'The Café' }]);
      assert.equal((await all(once)).length, 1);
      assert.equal(far.received.length, 5);
      // Foundation models take one text.
      const { request: _, ...plain } = of;
      await all(await processor.aiQuery(program, { ...plain, where: [{ column: 'id', value: 1 }] }));
      const { messages } = far.received.at(-1)?.body ?? {};
      const whole = (program.messages(rows[0] as never) as { content: string }[]).map(({ content }) => content).join('\n\n');
      assert.deepEqual(messages, [{ role: 'user', content: whole }]);
      await assert.rejects(once.exactMatch({ wanted: 'gold' }), { code: 'config' });
    });

    await t.test('what cannot be asked is refused before any call', async () => {
      const options = { from: 'main.default.questions', fields: { city: "TIMESTAMP'2026-01-01 00:00:00'" }, endpoint: 'far' };
      await assert.rejects(processor.aiQuery(predict('city -> answer'), options), { code: 'input', field: 'city' });
      await assert.rejects(processor.aiQuery(predict('town -> answer'), options), { code: 'input', field: 'town' });
      await assert.rejects(processor.aiQuery(predict('city -> answer', { config: { n: 2 } }), options), { code: 'unsupported' });
      await assert.rejects(all(processor.examples({ from: 'main.default.nowhere', fields: { a: 'a' } })), { code: 'not_found' });
    });
  });
}
