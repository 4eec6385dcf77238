import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { FolderStore } from 'lakelet/node';

import { complete, reply, serve } from './support.js';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'lakelet-store-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a text is there whole or not at all, whoever writes', async (t) => {
  const path = join(folder(t), 'made');
  const [one, other] = [new FolderStore(path), new FolderStore(path)];
  assert.equal(await one.get('qa/../x'), undefined);
  const texts = ['a', 'b'].map((letter) => letter.repeat(100_000));
  const read = async () => {
    const text = await other.get('qa/../x');
    assert.ok(text === undefined || texts.includes(text));
  };
  await Promise.all(Array.from({ length: 40 }, (_, i) => [(i % 2 ? one : other).set('qa/../x', texts[i % 2] as string), read()]).flat());
  assert.ok(texts.includes((await one.get('qa/../x')) ?? ''));
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
  assert.equal(files.length, 1, 'nothing is left aside');
  assert.equal(statSync(join(files[0]?.parentPath as string, files[0]?.name as string)).mode & 0o077, 0);
});

test('a folder that cannot be written is told', async (t) => {
  const path = join(folder(t), 'file');
  writeFileSync(path, '');
  await assert.rejects(new FolderStore(path).set('a', 'b'), { code: /EEXIST|ENOTDIR/ });
});

const SEARCH = `
  import { answerExactMatch, predict, Workspace } from 'lakelet';
  import { FolderStore } from 'lakelet/node';
  import { BootstrapFewShotWithRandomSearch } from 'lakelet/optimize';
  const [url, folder] = process.argv.slice(1);
  const trainset = ['a', 'hard', 'b', 'c', 'd'].map((question) => ({ question, answer: 'right' }));
  const optimizer = new BootstrapFewShotWithRandomSearch({ metric: answerExactMatch, numCandidatePrograms: 2, numThreads: 1 });
  const { program, candidates } = await optimizer.compile(predict('question -> answer'), {
    trainset, lm: new Workspace({ host: url, token: 'dapi-1' }).lm('small'), cache: false, checkpoint: { store: new FolderStore(folder), job: 'search' },
  });
  console.log(JSON.stringify([candidates.map(({ score }) => score), program.save()]));
`;

test('a search that was killed goes on where it was', async (t) => {
  const store = folder(t);
  let asked = 0, killAt = Infinity, child: ReturnType<typeof search>;
  const server = await serve(t, ({ body }, response) => {
    if (++asked === killAt) return void child.kill('SIGKILL');
    const isRight = (body.messages?.length ?? 0) > 2 || !body.messages?.at(-1)?.content.includes('hard');
    complete(response, reply({ answer: isRight ? 'right' : 'wrong' }));
  });
  const search = (into: string) => spawn(process.execPath, ['--input-type=module', '-e', SEARCH, server.url, into], { stdio: ['ignore', 'pipe', 'inherit'] });
  const run = async (into: string) => {
    asked = 0;
    child = search(into);
    const said: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => said.push(piece));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return { code, signal, said: Buffer.concat(said).toString() };
  };

  const whole = await run(folder(t));
  const all = asked;
  assert.equal(whole.code, 0);
  killAt = 10;
  assert.equal((await run(store)).signal, 'SIGKILL');
  killAt = Infinity;
  const again = await run(store);
  assert.deepEqual([again.said, asked], [whole.said, all - 9], 'what had been answered was not asked again');
  assert.deepEqual([(await run(store)).said, asked], [whole.said, 0]);
});
