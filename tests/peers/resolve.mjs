// Reads cases as JSON from standard input, configures Lakelet as each says, and prints what came of them: how it authenticates, or what
// it says against it.
import { text } from "node:stream/consumers";
import { configureDatabricks } from "lakelet/databricks";

const outcomes = [];
for (const { options, environment } of JSON.parse(await text(process.stdin))) {
  // `~` of the profiles is the home directory of the process.
  process.env.HOME = environment.HOME;
  try {
    const { authType, host } = await configureDatabricks({ ...options, environment });
    outcomes.push({ authType, host });
  } catch (error) {
    outcomes.push({ error: error.message });
  }
}
console.log(JSON.stringify(outcomes));
