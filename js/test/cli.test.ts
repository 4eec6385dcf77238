import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

import { init, predict } from 'lakelet';

import { complete, json, reply, serve, type Received, type Server } from './support.js';

const BIN = fileURLToPath(new URL('../../bin/lakelet.js', import.meta.url));
/** Where the command is called: below the package, so that modules find it. */
const folder = mkdtempSync(fileURLToPath(new URL('cli-', import.meta.url)));
after(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string, text: string) => (writeFileSync(join(folder, name), text), name);
const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const row = (question: string) => ({ question, answer: 'right' });

put('dev.jsonl', lines(['a', 'hard', 'b', 'c', 'd'].map(row)));
put('failing.jsonl', lines(['a', 'fails', 'b', 'fails too'].map(row)));
put('dev.csv', 'prompt,gold,id\r\n"a, b",right,1\r\nhard,right,2\r\n');
put('qa.json', JSON.stringify({
  lakelet: 1, name: 'qa', inputs: { question: 'str', tone: { type: 'str', default: 'plain' } },
  steps: { answer: { do: 'predict', signature: 'question, tone -> answer', inputs: { question: 'question', tone: 'tone' } } }, outputs: { answer: 'answer.answer' },
}));
put('twice.mjs', `
  import { Module, predict } from 'lakelet';
  class Twice extends Module {
    qa = predict('question -> answer');
    async forward({ question }) { await this.qa.run({ question }); return this.qa.run({ question }); }
  }
  export default new Twice();
`);
put('echo.mjs', `
  import { configure, predict } from 'lakelet';
  configure({ lm: () => '[[ ## answer ## ]]\\nright\\n\\n[[ ## completed ## ]]' });
  export default predict('question -> answer');
`);
put('throws.mjs', `export default ({ question }) => { if (question === 'hard') throw new Error('no label'); return 1; };`);
put('nothing.mjs', 'export default { run() {} };');
put('broken.mjs', 'export default (');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command, with a workspace at `url`. */
function start(url: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const surroundings = { PATH: process.env['PATH'], HOME: folder, DATABRICKS_HOST: url, DATABRICKS_TOKEN: 'dapi-secret', LAKELET_CHAT_ENDPOINT: 'small', ...env };
  const child = spawn(process.execPath, [BIN, ...args], { cwd: folder, env: surroundings, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (piece: Buffer) => out.push(piece));
  child.stderr.on('data', (piece: Buffer) => err.push(piece));
  const ended = once(child, 'close').then(([code]): Ended => {
    const [stdout, stderr] = [Buffer.concat(out).toString(), Buffer.concat(err).toString()];
    assert.ok(!`${stdout}${stderr}`.includes('dapi-secret'), 'no credential is shown');
    return { code: code as number | null, stdout, stderr };
  });
  return { child, ended };
}
const lakelet = (url: string, ...args: string[]) => start(url, args).ended;

const last = ({ body }: Received) => body.messages?.at(-1)?.content ?? '';

/** A workspace whose model is right when it was shown a demo or the question is easy. */
function learner(t: TestContext, before: () => unknown = () => {}): Promise<Server> {
  return serve(t, async (request, response) => {
    await before();
    if (last(request).includes('fails')) return json(response, 400, { error_code: 'BAD_REQUEST', message: 'not this one' });
    const isRight = (request.body.messages?.length ?? 0) > 2 || !last(request).includes('hard');
    complete(response, reply({ answer: isRight ? 'right' : 'wrong' }));
  });
}

const EVALUATE = ['evaluate', 'question -> answer', '--metric', 'answerExactMatch'] as const;
const OPTIMIZE = ['optimize', 'question -> answer', '--optimizer', 'BootstrapFewShotWithRandomSearch', '--option', 'num_candidate_programs=1', '--metric', 'answer_exact_match', '--trainset', 'dev.jsonl'] as const;

test('a signature is evaluated on lines of JSON', async (t) => {
  const { url, received } = await learner(t);
  const { code, stdout, stderr } = await lakelet(url, ...EVALUATE, '--devset', 'dev.jsonl', '--model-option', 'temperature=0', '--model-option', 'max_tokens=40', '--price', 'small=1,10');
  assert.equal(code, 0);
  assert.match(stdout, /^score +80\.00 ± 39\.20\nexamples +5, 0 failed\nlatency +p50 .*\ntokens +90, 55 of them in prompts\ntime .*\nspent +5 calls, 90 tokens, \$0\.0004\n$/);
  assert.match(stderr, /^\[#{20}\] 5\/5  score 80  0 failed  [\d.]+\/s\n$/);
  assert.ok(received.every(({ url: path, body }) => path === '/serving-endpoints/small/invocations' && body['temperature'] === 0 && body['max_tokens'] === 40));
});

test('failures are counted and shown with their rows, and are not fatal up to a number', async (t) => {
  const { url } = await learner(t);
  const some = await lakelet(url, ...EVALUATE, '--devset', 'failing.jsonl');
  assert.equal(some.code, 0);
  assert.match(some.stdout, /score +50\.00[^]*examples +4, 2 failed[^]*\nrow 2 failed: .*not this one.*\nrow 4 failed: .*not this one/);
  const many = await lakelet(url, ...EVALUATE, '--devset', 'failing.jsonl', '--max-errors', '2', '--concurrency', '1');
  assert.deepEqual([many.code, many.stdout], [1, '']);
  assert.match(many.stderr, /row 2 failed: .*not this one[^]*\nlakelet: Execution cancelled.*not this one/);
  const thrown = await lakelet(url, 'evaluate', 'question -> answer', '--devset', 'dev.jsonl', '--metric', 'throws.mjs');
  assert.match(thrown.stdout, /score +80\.00[^]*row 2 failed: field `metric`: no label/);
});

test('the result is JSON when that is asked for, and a spent budget is no failure', async (t) => {
  const { url, received } = await learner(t);
  const { code, stdout } = await lakelet(url, ...EVALUATE, '--devset', 'failing.jsonl', '--json', '--budget-calls', '2', '--concurrency', '1');
  const { score, failed, failures, spent, stoppedBy, examples } = JSON.parse(stdout) as Record<string, any>;
  assert.deepEqual([code, score, failed, examples, spent.calls, stoppedBy.code, received.length], [0, 50, 1, 4, 2, 'budget', 2]);
  assert.deepEqual(failures, [{ row: 2, code: 'bad_request', message: failures[0].message }]);
  const table = await lakelet(url, ...EVALUATE, '--devset', 'dev.jsonl', '--budget-calls', '2');
  assert.match(table.stdout, /\nended early: the budget of 2 calls is spent\n$/);
});

test('pipelines and modules are evaluated, and modules may bring their model', async (t) => {
  const { url } = await learner(t);
  assert.match((await lakelet(url, 'evaluate', 'qa.json', '--devset', 'dev.jsonl', '--metric', 'answerExactMatch')).stdout, /score +80\.00/);
  const module = ['evaluate', 'twice.mjs', '--devset', 'dev.jsonl', '--metric', 'answerExactMatch'];
  const untold = await lakelet(url, ...module);
  assert.deepEqual([untold.code, /name them with --inputs/.test(untold.stderr)], [2, true]);
  assert.match((await lakelet(url, ...module, '--inputs', 'question')).stdout, /score +80\.00/);
  const own = await start('', ['evaluate', 'echo.mjs', '--devset', 'dev.jsonl', '--metric', 'answerExactMatch'], { LAKELET_CHAT_ENDPOINT: '' }).ended;
  assert.match(own.stdout, /score +100\.00/);
});

test('sets are CSV too, with fields that are renamed, or tables', async (t) => {
  const { url } = await learner(t);
  const csv = await lakelet(url, ...EVALUATE, '--devset', 'dev.csv', '--fields', 'question=prompt,answer=gold');
  assert.match(csv.stdout, /score +50\.00[^]*examples +2,/);
  const columns = ['question', 'answer'].map((name) => ({ name, type_name: 'STRING', type_text: 'STRING' }));
  const rows = [['a', 'right'], ['hard', 'right']];
  const asked: string[] = [];
  const workspace = await serve(t, (request, response) => {
    if (request.url.endsWith('/invocations')) return complete(response, reply({ answer: 'right' }));
    if (request.url === '/api/2.0/sql/statements') asked.push(`${String(request.body['statement'])} on ${String(request.body['warehouse_id'])}`);
    if (request.url.startsWith('/storage')) return json(response, 200, rows);
    const result = { external_links: [{ chunk_index: 0, external_link: `${workspace.url}/storage/0` }] };
    if (request.url.includes('/chunks/')) return json(response, 200, result);
    const manifest = { schema: { columns }, total_chunk_count: 1, total_row_count: 2 };
    return json(response, 200, { statement_id: 's1', status: { state: 'SUCCEEDED' }, manifest, result });
  });
  const table = await lakelet(workspace.url, ...EVALUATE, '--devset', 'main.qa.labelled', '--limit', '2', '--warehouse', 'w1');
  assert.match(table.stdout, /score +100\.00/, table.stderr);
  assert.deepEqual(asked, ['SELECT * FROM `main`.`qa`.`labelled` LIMIT 2 on w1']);
});

test('what is called wrongly is told in one line, and nothing is asked', async (t) => {
  const { url, received } = await learner(t);
  const empty = put('empty.jsonl', '\n');
  const bad = put('bad.jsonl', '{"question": "a"}\n{"question"\n');
  const lacking = put('lacking.jsonl', '{"question": "a", "answer": "b"}\n\n{"answer": "b"}\n');
  const state = put('state.json', '{"signature": {}, "metadata": {}}');
  const wrong: [args: string[], told: RegExp][] = [
    [['optimise'], /no command 'optimise'; did you mean optimize\?/],
    [['evaluate'], /give one program/],
    [['evaluate', 'a -> b', '--divset', 'x'], /--divset/],
    [['evaluate', 'a -> b', '--metric', 'answerExactMatch'], /--devset is missing/],
    [['evaluate', 'a -> b', '--devset', 'dev.jsonl'], /--metric is missing/],
    [[...EVALUATE, '--devset', 'none.jsonl'], /no file none\.jsonl/],
    [[...EVALUATE, '--devset', 'dev'], /a file \(.*\) or a table/],
    [[...EVALUATE, '--devset', empty], /empty\.jsonl holds no example/],
    [[...EVALUATE, '--devset', bad], /line 2 of bad\.jsonl is no JSON/],
    [[...EVALUATE, '--devset', lacking], /row 2 \(line 3\) of lacking\.jsonl has no `question` \(it has `answer`/],
    [[...EVALUATE, '--devset', 'dev.csv'], /row 1 of dev\.csv has no `question` \(it has `prompt`, `gold`, `id`/],
    [[...EVALUATE, '--devset', 'dev.jsonl', '--budget-calls', '0'], /--budget-calls takes a whole number above 0, not '0'/],
    [[...EVALUATE, '--devset', 'dev.jsonl', '--budget-dollars', '1'], /--price/],
    [[...EVALUATE, '--devset', 'dev.jsonl', '--price', 'small'], /MODEL=INPUT,OUTPUT/],
    [[...EVALUATE, '--devset', 'dev.jsonl', '--model-option', 'temperature'], /NAME=VALUE/],
    [['evaluate', 'a -> b', '--devset', 'dev.jsonl', '--metric', 'answerExctMatch'], /no metric 'answerExctMatch'; did you mean answerExactMatch\?/],
    [['evaluate', 'a -> b', '--devset', 'dev.jsonl', '--metric', 'nothing.mjs'], /neither a function nor a program/],
    [['evaluate', 'nothing.mjs', '--devset', 'dev.jsonl', '--metric', 'answerExactMatch'], /no program of this package/],
    [['evaluate', 'state.json', '--devset', 'dev.jsonl', '--metric', 'answerExactMatch'], /--state state\.json/],
    [['evaluate', 'none.json', '--devset', 'dev.jsonl', '--metric', 'answerExactMatch'], /no file none\.json/],
    [['evaluate', 'a -> b: wat', '--devset', 'dev.jsonl', '--metric', 'answerExactMatch'], /wat/],
    [[...EVALUATE, '--devset', 'dev.jsonl', '--state', state], /state/],
    [[...EVALUATE, '--devset', 'dev.jsonl', '--save-as-csv', 'no/where.csv'], /--save-as-csv: there is no folder no/],
    [[...OPTIMIZE], /--out is missing/],
    [[...OPTIMIZE, '--out', 'no/where.json'], /there is no folder no/],
    [[...OPTIMIZE, '--out', 'x.json', '--optimizer', 'MIPRO'], /no optimizer 'MIPRO'; did you mean MIPROv2\? known are LabeledFewShot, /],
    [[...OPTIMIZE, '--out', 'x.json', '--optimizer', 'KNNFewShot'], /in code alone/],
    [[...OPTIMIZE, '--out', 'x.json', '--option', 'maxRounds=many'], /maxRounds/],
    [[...OPTIMIZE, '--out', 'x.json', '--option', 'max_round=2'], /no option `maxRound` \(did you mean `maxRounds`\?\)/],
    [[...OPTIMIZE, '--out', 'x.json', '--trainset', empty], /holds no example/],
    [['optimize', 'a -> b', '--optimizer', 'COPRO', '--trainset', 'dev.jsonl', '--out', 'x.json'], /--metric is missing/],
  ];
  const two = async (all: typeof wrong) => {
    for (const [args, told] of all) {
      const { code, stdout, stderr } = await lakelet(url, ...args);
      assert.deepEqual([code, stdout], [2, ''], `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, told);
      assert.match(stderr, /^lakelet: .+\n$/);
    }
  };
  await Promise.all([two(wrong.slice(0, 14)), two(wrong.slice(14))]);
  assert.equal(received.length, 0);
  const unset = await start(url, [...EVALUATE, '--devset', 'dev.jsonl'], { LAKELET_CHAT_ENDPOINT: '' }).ended;
  assert.deepEqual([unset.code, /no model is named: give --model/.test(unset.stderr)], [2, true]);
  const broken = await lakelet(url, 'evaluate', 'broken.mjs', '--devset', 'dev.jsonl', '--metric', 'answerExactMatch');
  assert.deepEqual([broken.code, /broken\.mjs cannot be loaded/.test(broken.stderr)], [1, true]);
});

test('a program is optimized, its state saved, and evaluated again', async (t) => {
  const { url, received } = await learner(t);
  const estimate = await lakelet(url, ...OPTIMIZE, '--estimate', '--price', 'small=1,10', '--price', 'large=100,1000');
  assert.deepEqual([estimate.code, received.length], [0, 0]);
  assert.match(estimate.stdout, /^at most 30 calls of the program and 0 proposals: 30 calls of models, [\d,]+ tokens, \$\d\.\d\d\n$/);
  const { code, stdout, stderr } = await lakelet(url, ...OPTIMIZE, '--out', 'better.json');
  assert.equal(code, 0);
  assert.match(stderr, /^BootstrapFewShotWithRandomSearch on 5 examples: at most 30 calls[^]*\ncandidate 0 of BootstrapFewShotWithRandomSearch scores 80\n/);
  assert.match(stdout, /^optimizer +BootstrapFewShotWithRandomSearch\nscore +100\.00\ncandidates +4: 100, 100, 100, 80\ntokens .*\nspent +28 calls, 504 tokens\nsaved in +better\.json\n$/);
  assert.match((await lakelet(url, ...EVALUATE, '--devset', 'dev.jsonl', '--state', 'better.json')).stdout, /score +100\.00/);
  const rest = ['--trainset', 'dev.jsonl', '--out', 'other.json', '--json'];
  const labeled = await lakelet(url, 'optimize', 'qa.json', '--concurrency', '2', '--optimizer', 'LabeledFewShot', '--option', 'k=2', ...rest);
  assert.deepEqual((({ optimizer, score, out }) => [optimizer, score, out])(JSON.parse(labeled.stdout) as Record<string, unknown>), ['LabeledFewShot', null, 'other.json']);
  assert.equal((JSON.parse(readFileSync(join(folder, 'other.json'), 'utf8')) as { answer: { demos: unknown[] } }).answer.demos.length, 2);
  const together = ['--optimizer', 'BetterTogether', '--option', 'strategy=LabeledFewShot -> p', '--option', 'LabeledFewShot.k=1', '--metric', 'answerExactMatch', '--valset', 'dev.jsonl', '--concurrency', '2'];
  assert.equal((JSON.parse((await lakelet(url, 'optimize', 'question -> answer', ...together, ...rest)).stdout) as { score: number }).score, 100);
});

test('what is told beside the score is told', async (t) => {
  const { url } = await learner(t);
  const search = ['optimize', 'question -> answer', '--trainset', 'dev.jsonl', '--metric', 'answerExactMatch', '--out', 'chosen.json'];
  const many = [...search, '--optimizer', 'MultiObjective', '--option', 'sources=LabeledFewShot', '--option', 'models=["small","large"]', '--model', 'small', '--model', 'large'];
  const told = JSON.parse((await lakelet(url, ...many, '--option', 'objectives=[{"measure":"score"},{"measure":"tokens"}]', '--json')).stdout) as Record<string, any>;
  assert.deepEqual(Object.keys(told.front[0]).sort(), ['examples', 'model', 'objectives']);
  assert.match((await lakelet(url, ...many)).stdout, /\nfront +(small|large): score [\d.]+, [^]*\nchosen +\S.*\n/);
  assert.match((await lakelet(url, ...search, '--optimizer', 'DatabricksOptimizedOptimizer', '--option', 'budget_ms=10000')).stdout, /\nserving +.*latency_p95_ms [\d.]+.*error_rate 0\.00\n/);
});

test('two programs, or two states of one, are compared', async (t) => {
  const { url } = await learner(t);
  await init();
  const state = put('taught.json', JSON.stringify({ ...(JSON.parse(predict('question -> answer').save()) as object), demos: [row('e')] }));
  const both = await lakelet(url, ...EVALUATE, '--devset', 'dev.jsonl', '--compare', state, '--json');
  const { score, other, comparison } = JSON.parse(both.stdout) as Record<string, any>;
  assert.deepEqual([both.code, score, other.score], [0, 80, 100]);
  assert.deepEqual([comparison.difference, comparison.better, comparison.worse, comparison.count, comparison.pValue], [20, 1, 0, 5, 1]);
  const { metadata, ...qa } = JSON.parse(readFileSync(join(folder, state), 'utf8')) as Record<string, unknown>;
  const ofModule = put('taught-twice.json', JSON.stringify({ qa, metadata }));
  for (const args of [['--compare', ofModule], ['--state', ofModule, '--compare', 'twice.mjs']]) {
    const told = await lakelet(url, 'evaluate', 'twice.mjs', '--inputs', 'question', '--metric', 'answerExactMatch', '--devset', 'dev.jsonl', '--json', ...args);
    assert.equal(told.code, 0, told.stderr);
    assert.equal((JSON.parse(told.stdout) as { comparison: { difference: number } }).comparison.difference, args[0] === '--state' ? -20 : 20);
  }
  const same = await lakelet(url, ...EVALUATE, '--devset', 'dev.jsonl', '--compare', 'qa.json');
  assert.match(same.stdout, /^score +80\.00[^]*\n\nqa\.json\nscore +80\.00[^]*\n\ndifference +0\.00 ± 0\.00\nexamples +better on 0, worse on 0, of 5\np-value +1\.00,/);
});

test('results are shown and written as DSPy has them', async (t) => {
  const { url } = await learner(t);
  const { stdout } = await lakelet(url, ...EVALUATE, '--devset', 'dev.jsonl', '--display-table', '2', '--save-as-csv', 'results.csv', '--save-as-json', 'results.json');
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  assert.match(stdout, /^.*question.*example_answer.*pred_answer.*answerExactMatch[^]*hard[^]*3 more rows not displayed[^]*\nscore +80\.00/);
  assert.equal(read('results.csv').split('\r\n')[2], 'hard,right,wrong,False');
  assert.deepEqual((JSON.parse(read('results.json')) as unknown[])[1], { question: 'hard', example_answer: 'right', pred_answer: 'wrong', answerExactMatch: false });
});

test('work that was interrupted goes on from its checkpoint', async (t) => {
  const store = mkdtempSync(join(tmpdir(), 'lakelet-cli-'));
  t.after(() => rmSync(store, { recursive: true, force: true }));
  let asked = 0, stopAt = Infinity, child: ReturnType<typeof start>['child'], isPatient = true;
  const { url } = await learner(t, async () => {
    if (++asked !== stopAt) return;
    const told = new Promise<void>((resolve) => child.stderr.on('data', (piece) => String(piece).includes('under way') && resolve()));
    child.kill('SIGINT');
    await told;
    if (isPatient) return;
    child.kill('SIGINT');
    await once(child, 'close');
  });
  const run = (...args: string[]) => {
    asked = 0;
    const begun = start(url, args);
    child = begun.child;
    return begun.ended;
  };
  const evaluation = [...EVALUATE, '--devset', 'dev.jsonl', '--concurrency', '1', '--checkpoint', store];
  stopAt = 4;
  const stopped = await run(...evaluation);
  assert.equal(stopped.code, 130);
  assert.match(stopped.stdout, /^score +75\.00[^]*\nended early: the work was stopped\n$/);
  assert.match(stopped.stderr, /\nthe same command goes on from here/);
  stopAt = Infinity;
  assert.match((await run(...evaluation)).stdout, /score +80\.00/);
  assert.equal(asked, 1);

  const search = [...OPTIMIZE, '--concurrency', '1', '--out', 'stopped.json'];
  const whole = await run(...search);
  const all = asked;
  stopAt = 9;
  const cut = await run(...search, '--checkpoint', store);
  assert.equal(cut.code, 130);
  assert.match(cut.stdout, /score +80\.00\ncandidates +1: 80\n[^]*saved in +stopped\.json\nended early: the work was stopped\n$/);
  assert.deepEqual((JSON.parse(readFileSync(join(folder, 'stopped.json'), 'utf8')) as { demos: unknown[] }).demos, []);
  stopAt = Infinity;
  assert.deepEqual([(await run(...search, '--checkpoint', store)).stdout, asked], [whole.stdout, all - 9]);

  stopAt = 1;
  put('kept.json', 'an earlier program');
  const early = await run(...OPTIMIZE, '--concurrency', '1', '--out', 'kept.json');
  assert.deepEqual([early.code, readFileSync(join(folder, 'kept.json'), 'utf8')], [130, 'an earlier program']);
  assert.match(early.stdout, /not saved +nothing was found yet\nended early: the work was stopped\n$/);
  const shortly = [...EVALUATE, '--devset', 'dev.jsonl', '--concurrency', '1'];
  assert.match((await run(...shortly)).stderr, /\nwith --checkpoint FOLDER/);
  isPatient = false;
  const hurried = await run(...shortly);
  assert.deepEqual([hurried.code, hurried.stdout], [130, '']);
});

test('it tells what it can do', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  assert.deepEqual(await lakelet('', '--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
  for (const args of [[], ['--help'], ['evaluate', '--help'], ['optimize', '--help']]) {
    const { code, stdout, stderr } = await lakelet('', ...args);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /npx lakelet/);
    assert.ok(stdout.split('\n').every((line) => line.length <= 110));
  }
});
