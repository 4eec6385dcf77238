import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { SEARCH, start, temporaryFolder } from "./support.mjs";

const INDEX = "main.default.handbook";
const QUERY = `${SEARCH}/indexes/${INDEX}/query`;

function write(folder, file, text) {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

const LEAVE = `---
title: "Parental leave"
audience: employees
region: EU
department: people
updated: 2026-01-01
---

# Parental leave

HR-12.

## Amount

Parents get **16 weeks** at full pay.

### Part-time

They may be taken part-time.

## How to ask

1. Tell your manager.

2. Fill in the form.
`;

/** All passages of the index by position within their documents. */
async function passages(call) {
  const { body } = await call("POST", `${SEARCH}/indexes/${INDEX}/scan`, { num_results: 1000 });
  return body.data.map(({ fields }) =>
    Object.fromEntries(fields.filter(({ key }) => key !== "embedding").map(({ key, value }) => [key, Object.values(value)[0]])),
  );
}

test("a folder of Markdown becomes an index", async (t) => {
  const documents = temporaryFolder(t);
  const data = temporaryFolder(t);
  write(documents, "people/leave.md", LEAVE);
  write(documents, "plain.md", "Just a paragraph about the office plants.\n");
  write(documents, "notes.txt", "not Markdown");
  const first = await start(t, { documents, data });
  await first.documentsLoaded;

  await t.test("split at headings, with front matter in the columns", async () => {
    const rows = await passages(first.call);
    const leave = rows.filter((row) => row.document === "people/leave.md");
    assert.deepEqual(leave.map(({ heading, text }) => [heading, text]), [
      ["Amount", "HR-12.\n\nParents get **16 weeks** at full pay."],
      ["Amount > Part-time", "They may be taken part-time."],
      ["How to ask", "1. Tell your manager.\n2. Fill in the form."],
    ]);
    const { id, title, uri, audience, region, department, position } = leave[1];
    assert.deepEqual({ id, title, uri, audience, region, department, position }, {
      id: "people/leave.md#1",
      title: "Parental leave",
      uri: "people/leave.md#part-time",
      audience: "employees",
      region: "EU",
      department: "people",
      position: 1,
    });
    const plain = rows.find((row) => row.document === "plain.md");
    assert.deepEqual([plain.title, plain.audience, plain.region, plain.uri], ["plain", "everyone", "global", "plain.md"]);
    assert.equal(rows.length, 4);
  });

  await t.test("answers text queries, filtered by audience", async () => {
    const ask = async (extra) => (await first.call("POST", QUERY, { columns: ["id"], query_text: "How long may parents stay at home?", ...extra })).body;
    assert.match((await ask({ query_type: "HYBRID" })).result.data_array[0][0], /^people\/leave/);
    const open = await ask({ filters_json: JSON.stringify({ audience: ["everyone"] }) });
    assert.deepEqual(open.result.data_array.map(([id]) => id), ["plain.md#0"]);
  });

  await t.test("is brought up to date with what changed, and no more", async () => {
    await first.close();
    write(documents, "plain.md", "# Plants\n\nWater them on Mondays.\n");
    write(documents, "new.md", "A new one.");
    rmSync(join(documents, "people"), { recursive: true });
    const changed = [];
    const second = await start(t, { documents, data, onProgress: (progress) => changed.push(progress.changed) });
    await second.documentsLoaded;
    assert.deepEqual(changed, [1, 2]);
    assert.deepEqual((await passages(second.call)).map(({ id, title }) => [id, title]), [["new.md#0", "new"], ["plain.md#0", "Plants"]]);
    await second.close();
    const third = await start(t, { documents, data, onProgress: ({ changed }) => assert.equal(changed, 0) });
    await third.documentsLoaded;
  });
});

test("long text is split between sentences, items and rows, and nothing is lost", async (t) => {
  const documents = temporaryFolder(t);
  const sentence = (i) => `Sentence number ${i} says something about topic ${i}.`;
  const numbers = Array.from({ length: 60 }, (_, i) => i);
  write(documents, "a.md", `# A\n\n## Prose\n\n${numbers.map(sentence).join(" ")}\n`);
  write(documents, "b.md", `# B\n\n## List\n\n${numbers.map((i) => `- ${sentence(i)}`).join("\n")}\n`);
  write(documents, "c.md", `# C\n\n## Table\n\n| n | text |\n|---|---|\n${numbers.map((i) => `| ${i} | ${sentence(i)} |`).join("\n")}\n`);
  write(documents, "d.md", `# D\n\n## Code\n\n\`\`\`sh\n# no heading\n\necho hi\n\`\`\`\n\n${"x".repeat(2000)}\n`);
  write(documents, "e.md", `| ${"wide ".repeat(300)} |\n|---|\n| x |\n`);
  write(documents, "f.md", "");
  const { call, documentsLoaded } = await start(t, { documents });
  await documentsLoaded;
  const rows = await passages(call);
  for (const row of rows) assert.ok(row.text.length <= 450, `${row.id} has ${row.text.length}`);
  for (const document of ["a.md", "b.md", "c.md"]) {
    const texts = rows.filter((row) => row.document === document).map((row) => row.text);
    assert.ok(texts.length > 2);
    for (const i of numbers) assert.equal(texts.filter((text) => text.includes(sentence(i))).length, 1, `${document} ${i}`);
    if (document === "c.md") assert.ok(texts.every((text) => text.startsWith("| n | text |\n|---|---|\n")));
  }
  const code = rows.filter((row) => row.document === "d.md");
  assert.match(code[0].text, /# no heading\n\necho hi/);
  assert.equal(code.map((row) => row.text.match(/x/g)?.length ?? 0).reduce((a, b) => a + b), 2000);
});

test("a first filling is told apart from an empty index", async (t) => {
  const documents = temporaryFolder(t);
  for (let i = 0; i < 40; i++) write(documents, `${i}.md`, `Text ${i}. `.repeat(100));
  const { call, documentsLoaded } = await start(t, { documents });
  const early = await call("GET", `${SEARCH}/indexes/${INDEX}`);
  assert.equal(early.body.status.ready, false);
  const reply = await call("POST", QUERY, { columns: ["id"], query_text: "x", query_type: "FULL_TEXT" });
  if (reply.status !== 200) {
    assert.deepEqual([reply.status, reply.body.error_code], [503, "TEMPORARILY_UNAVAILABLE"]);
    assert.ok(Number(reply.headers.get("retry-after")) > 0);
  }
  await documentsLoaded;
  assert.equal((await call("GET", `${SEARCH}/indexes/${INDEX}`)).body.status.ready, true);
});
