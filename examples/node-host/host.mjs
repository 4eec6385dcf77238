// Runs a program in Lakelet's component from Node, and prints its events as they happen.
//
//     npm install @bytecodealliance/jco @bytecodealliance/preview2-shim
//     npx jco transpile lakelet.component.wasm --name lakelet -o component
//     export DATABRICKS_HOST=https://... DATABRICKS_TOKEN=... LAKELET_CHAT_ENDPOINT=...
//     node host.mjs component/lakelet.js ../checked_answer.json '{"question": "Why is the sky blue?"}' [state.json]
//
// `state.json` is what DSPy's `program.save("state.json")` wrote.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [component, document, inputs, state] = process.argv.slice(2);
const { Program, Workspace } = (await import(pathToFileURL(resolve(component)))).programs;

const program = Program.load(readFileSync(document, 'utf8'), undefined);
if (state) program.loadState(readFileSync(state, 'utf8'));
const stream = program.start(Workspace.fromEnvironment(), inputs, { cache: false });
for (let event = stream.blockingGetNext(); event; event = stream.blockingGetNext()) {
  const told = line(event);
  if (told) console.log(told);
}

/** An event in words. */
function line({ tag, val }) {
  switch (tag) {
    case 'started': return `${val.step} started`;
    case 'text': return `${val.step}.${val.field} + ${JSON.stringify(val.text)}`;
    case 'partial':
    case 'value': return `${val.step}.${val.field} = ${val.value}`;
    case 'retracted': return `${val.step} begins again`;
    case 'warning': return `${val.step} warns: ${val.message}`;
    case 'finished': return `${val.name} ${val.status.tag}`;
    case 'outcome': return `outcome ${val.fields}`;
  }
}
