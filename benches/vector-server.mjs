// The local workspace in a process of its own, for the vector bench. Tells its memory in MB and its processor time when asked.
import { startWorkspace } from '../js/workspace/dist/index.js';

const { url, token, close } = await startWorkspace({ port: 0, model: 'smollm2', documents: false, threads: 1, data: process.argv[2] });
process.on('disconnect', () => process.exit());
process.on('message', async (message) => {
  if (message === 'usage') {
    const { user, system } = process.cpuUsage();
    process.send({ memory: process.memoryUsage().rss / 1e6, seconds: (user + system) / 1e6 });
  }
  if (message === 'close') {
    await close();
    process.exit(0);
  }
});
process.send({ url, token });
