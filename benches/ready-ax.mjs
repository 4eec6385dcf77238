// The same for ax.
import { pathToFileURL } from 'node:url';
const start = performance.now();
const { AxSignature } = await import(pathToFileURL(`${process.argv[2]}/node_modules/@ax-llm/ax/index.js`).href);
new AxSignature('userQuestion:string -> replyText:string');
console.log(performance.now() - start);
process.exit(0);
