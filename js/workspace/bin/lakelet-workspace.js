#!/usr/bin/env node
import { existsSync } from "node:fs";

const cli = new URL("../dist/cli.js", import.meta.url);
if (existsSync(cli)) {
  const { main } = await import(cli.href);
  await main(process.argv.slice(2));
} else {
  console.error("lakelet-workspace is not built yet. Run: npm run build --workspace lakelet-workspace");
  process.exitCode = 1;
}
