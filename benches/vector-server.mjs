// The local workspace in a process of its own, for the vector bench. Tells its memory when asked.
import { startWorkspace } from '../js/workspace/dist/index.js';

const { url, token, close } = await startWorkspace({ port: 0, model: 'smollm2', documents: false, threads: 1, data: process.argv[2] });
process.on('message', async (message) => {
  if (message === 'memory') process.send({ memory: process.memoryUsage().rss });
  if (message === 'close') {
    await close();
    process.exit(0);
  }
});
process.send({ url, token });
