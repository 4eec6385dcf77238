// The plot of docs/edge-benchmarks.md: how latency grows with the load, and how many questions are answered.
import { STUDY } from './study.mjs';

const [WIDTH, HEIGHT] = [760, 330];
const [TOP, BOTTOM, PANEL] = [64, 278, 220];

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #3d4450 }
  .title { font-weight: 600; fill: #14181f }
  .grid { stroke: #dfe3e8 }
  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
  .own { stroke: #1f6feb } .failing { stroke: #c2570c; stroke-dasharray: 7 4 } .study { stroke: #8a929e }
  text.own { fill: #1f6feb; stroke: none } text.failing { fill: #c2570c; stroke: none } text.study { fill: #6a727d; stroke: none }
  .dot.own { fill: #1f6feb } .dot.failing { fill: #c2570c } .dot.study { fill: #8a929e }
  @media (prefers-color-scheme: dark) {
    text { fill: #b6bec9 } .title { fill: #f0f3f6 } .grid { stroke: #333a44 }
    .own { stroke: #6ea8fe } .failing { stroke: #f0883e } .study { stroke: #7d8590 }
    text.own { fill: #6ea8fe } text.failing { fill: #f0883e } text.study { fill: #9aa3ad }
    .dot.own { fill: #6ea8fe } .dot.failing { fill: #f0883e } .dot.study { fill: #7d8590 }
  }`;

/** @returns {string} the SVG */
export function plot({ plain, mixed }) {
  const readers = plain.map((row) => row.readers);
  const base = plain[0].meanMs;
  const study = readers.map((count) => STUDY[count]);
  const growth = panel({
    left: 52,
    title: 'Mean latency, as a multiple of 10 at once',
    ticks: [0, 1, 2, 3, 4].map((at) => [at, `${at}×`]),
    readers,
    lines: [
      { kind: 'study', label: 'case study', values: study.map(({ meanMs }) => meanMs / study[0].meanMs), dy: -2 },
      { kind: 'failing', label: 'one call in ten fails', values: mixed.map(({ meanMs }) => meanMs / base), dy: -4 },
      { kind: 'own', label: 'Worker', values: plain.map(({ meanMs }) => meanMs / base), dy: 8 },
    ],
  });
  const answered = panel({
    left: 448,
    title: 'Questions answered',
    ticks: [95, 96, 97, 98, 99, 100].map((at) => [at, `${at} %`]),
    readers,
    lines: [
      { kind: 'study', label: 'case study', values: study.map((row) => row.answered), dy: 4 },
      { kind: 'failing', label: '', values: mixed.map((row) => row.answered), dy: 4 },
      { kind: 'own', label: 'Worker, both', values: plain.map((row) => row.answered), dy: 4 },
    ],
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Latency and answered questions by concurrent questions">
<style>${STYLE}
</style>
${growth}
${answered}
</svg>
`;
}

function panel({ left, title, ticks, readers, lines }) {
  const [low, high] = [ticks[0][0], ticks.at(-1)[0]];
  const x = (i) => left + 16 + (i * (PANEL - 32)) / (readers.length - 1);
  const y = (value) => BOTTOM - ((value - low) / (high - low)) * (BOTTOM - TOP);
  const at = (value) => value.toFixed(1);
  const parts = [`<text class="title" x="${left}" y="32">${title}</text>`];
  for (const [value, label] of ticks) {
    parts.push(`<line class="grid" x1="${left}" x2="${left + PANEL}" y1="${at(y(value))}" y2="${at(y(value))}"/>`);
    parts.push(`<text x="${left - 8}" y="${at(y(value) + 4)}" text-anchor="end">${label}</text>`);
  }
  readers.forEach((count, i) => parts.push(`<text x="${at(x(i))}" y="${BOTTOM + 22}" text-anchor="middle">${count}</text>`));
  parts.push(`<text x="${left + PANEL / 2}" y="${BOTTOM + 42}" text-anchor="middle">questions at once</text>`);
  for (const { kind, label, values, dy } of lines) {
    const points = values.map((value, i) => [at(x(i)), at(y(value))]);
    parts.push(`<polyline class="line ${kind}" points="${points.map((point) => point.join(',')).join(' ')}"/>`);
    for (const [px, py] of points) parts.push(`<circle class="dot ${kind}" stroke="none" cx="${px}" cy="${py}" r="3.5"/>`);
    if (label) parts.push(`<text class="${kind}" x="${left + PANEL - 4}" y="${at(y(values.at(-1)) + dy)}">${label}</text>`);
  }
  return parts.join('\n');
}
