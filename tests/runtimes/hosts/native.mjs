// Rust itself: what `cargo` runs and prints is brought into the form of the other hosts' results.
import { spawnSync } from 'node:child_process';

import { root } from '../build.mjs';

function cargo(...args) {
  const { stdout, stderr } = spawnSync('cargo', args, { cwd: root, encoding: 'utf8', maxBuffer: 1e8 });
  return { lines: stdout.trimEnd().split('\n'), stderr };
}

export function runNative(folder) {
  const recorded = cargo('run', '--quiet', '--example', 'conformance', '--', folder);
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(recorded.lines.pop()) ?? [];
  if (!passed) throw new Error(recorded.stderr);
  const failing = recorded.lines.map((line) => /^(\S+) (\S+): (.*)$/.exec(line).slice(1));
  const { lines, stderr } = cargo('test', '--quiet', '--test', 'programs', '--', '--format', 'pretty');
  const tests = lines.map((line) => /^test (\w+)(?:::tests)?::(\w+) \.\.\. (\w+)$/.exec(line)).filter(Boolean);
  if (tests.length === 0) throw new Error(stderr);
  return {
    cases: Number(passed) + Number(failed),
    failing,
    tests: tests.map(([, file, test, outcome]) => [`${file}::${test}`, outcome === 'ok' ? null : 'see: cargo test --test programs']),
  };
}
