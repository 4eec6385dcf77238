/** What `--help` prints. */

const PROGRAM = `  PROGRAM is a signature ('question -> answer'), a pipeline document (.json), or a module (.mjs)
  whose default export is a program. The workspace is found as Databricks' SDKs find it:
  DATABRICKS_HOST, DATABRICKS_TOKEN ..., or a profile. A set is a file (.json, .jsonl, .csv, .tsv) or
  a table, catalog.schema.table.`;

const SHARED = `  --state FILE             state of the program, saved by DSPy or Lakelet
  --chain-of-thought       a signature reasons before it answers
  --inputs A,B             fields that the program is given, where it does not tell
  --fields A,B=COLUMN      fields to take of a set, and what they are called there (all)
  --limit N                at most so many examples of a set
  --metric METRIC          answerExactMatch, answerPassageMatch, semanticF1, completeAndGrounded, or a
                           module whose default export is (example, prediction) => score
  --model ENDPOINT         the model ($LAKELET_CHAT_ENDPOINT); several where models are searched
  --model-option KEY=VALUE parameter of every request: temperature=0; can be repeated
  --profile NAME           profile of ~/.databrickscfg
  --warehouse ID           SQL warehouse that reads tables ($DATABRICKS_WAREHOUSE_ID)
  --concurrency N          examples under way at once (8)
  --max-errors N           failed examples at which the rest is given up (10)
  --checkpoint FOLDER      keeps the answers of models: the same command goes on where it was
  --budget-calls N         calls of models, at most
  --budget-tokens N        tokens, of prompts and answers
  --budget-dollars X       US dollars, by the prices
  --budget-seconds S       seconds
  --price MODEL=IN,OUT     US dollars for a million tokens, of prompts and of answers; can be repeated
  --json                   the result as JSON
  --help                   this text`;

export const HELP = `lakelet: DSPy programs on Databricks

  npx lakelet evaluate PROGRAM --devset SET --metric METRIC [options]
  npx lakelet optimize PROGRAM --optimizer NAME --trainset SET --metric METRIC --out FILE [options]

  Each tells more with --help.

  --version                the version of the package
  --help                   this text`;

export const EVALUATE = `lakelet evaluate: how well a program does on a set of examples

  npx lakelet evaluate PROGRAM --devset SET --metric METRIC [options]

${PROGRAM}

  --devset SET             the examples
  --compare OTHER          another program, or a state of this one: evaluates it too, and says whether it
                           does better; what may be spent, each of the two may spend
  --display-table N        shows the first N results
  --save-as-csv FILE       writes the results, as DSPy writes them
  --save-as-json FILE      the same as JSON
${SHARED}`;

export const OPTIMIZE = `lakelet optimize: makes a program better, and saves its state

  npx lakelet optimize PROGRAM --optimizer NAME --trainset SET --metric METRIC --out FILE [options]

${PROGRAM}

  --optimizer NAME         LabeledFewShot, BootstrapFewShot, BootstrapFewShotWithRandomSearch, COPRO,
                           MIPROv2, SIMBA, GEPA, InferRules, BetterTogether,
                           DatabricksOptimizedOptimizer, MultiObjective
  --option NAME=VALUE      option of the optimizer by DSPy's name or in camel case, the value as JSON or
                           text: auto=light, max_labeled_demos=8; can be repeated
  --trainset SET           the examples to learn from
  --valset SET             the examples that candidates are scored on
  --estimate               only says what the search comes to at most
  -o, --out FILE           where the state of the program is saved; DSPy loads it
${SHARED}`;
