// A workspace in a process of its own, for the test that kills it.
import { startWorkspace } from "lakelet-workspace";

const { url, token } = await startWorkspace({ port: 0, model: "smollm2", documents: false, threads: 1, data: process.argv[2], sql: process.argv[3] });
process.send({ url, token });
