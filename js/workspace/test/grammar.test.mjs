import assert from "node:assert/strict";
import { test } from "node:test";
import { CHAT, start, user } from "./support.mjs";

test("response_format", async (t) => {
  const { call } = await start(t);
  const ask = async (schema, extra = {}) => {
    const { status, body } = await call("POST", CHAT, {
      model: "local-chat",
      messages: user("Describe a person in JSON."),
      max_tokens: 400,
      response_format: { type: "json_schema", json_schema: { name: "reply", schema, strict: true } },
      ...extra,
    });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.choices[0].finish_reason, "stop", body.choices[0].message.content);
    return JSON.parse(body.choices[0].message.content);
  };
  const object = (properties, required = Object.keys(properties)) => ({ type: "object", properties, required, additionalProperties: false });

  await t.test("keeps the order of properties, enums of long sentences, and maxLength", async () => {
    const sentences = ['She said: "You get 16 weeks" — of paid leave.', "A second line\nwith a break and a \\ backslash.", "not found"];
    const reply = await ask(object({ quote: { enum: sentences }, answer: { type: "string", maxLength: 20 } }));
    assert.deepEqual(Object.keys(reply), ["quote", "answer"]);
    assert.ok(sentences.includes(reply.quote));
    assert.ok([...reply.answer].length <= 20);
  });

  await t.test("follows references, also of a schema into itself", async () => {
    const text = { type: "string", maxLength: 8 };
    const schema = {
      ...object({ boss: { $ref: "#/$defs/Person" }, age: { anyOf: [{ type: "integer" }, { type: "null" }] } }),
      $defs: { Person: object({ name: text, reports: { type: "array", maxItems: 1, items: { $ref: "#/$defs/Person" } } }, ["name"]) },
    };
    const reply = await ask(schema);
    assert.equal(typeof reply.boss.name, "string");
    assert.ok(reply.age === null || Number.isInteger(reply.age));
  });

  await t.test("knows every type, at any temperature", async () => {
    const schema = object({
      yes: { type: "boolean" },
      score: { type: "number" },
      kind: { const: "person" },
      tags: { type: "array", items: { type: "string", maxLength: 6 }, minItems: 1, maxItems: 3 },
      pair: { type: "array", prefixItems: [{ type: "boolean" }, { type: "null" }] },
      either: { type: ["boolean", "null"] },
    });
    for (const seed of [1, 2, 3]) {
      const reply = await ask(schema, { temperature: 1, seed });
      assert.equal(typeof reply.yes, "boolean");
      assert.equal(typeof reply.score, "number");
      assert.equal(reply.kind, "person");
      assert.ok(reply.tags.length >= 1 && reply.tags.length <= 3);
      assert.deepEqual(reply.pair.map((x) => typeof x), ["boolean", "object"]);
    }
  });

  await t.test("leaves out only what is not required", async () => {
    const schema = object({ a: { type: "boolean" }, b: { type: "boolean" }, c: { type: "boolean" }, d: { type: "boolean" } }, ["b", "d"]);
    for (const seed of [1, 2, 3, 4]) {
      const keys = Object.keys(await ask(schema, { temperature: 1.5, seed }));
      assert.ok(["ab,d", "b,d", "a,b,d", "b,c,d", "a,b,c,d"].includes(keys.join()), keys.join());
    }
    const none = await ask(object({ a: { type: "boolean" } }, []));
    assert.ok(Object.keys(none).length <= 1);
  });

  await t.test("json_object gives an object", async () => {
    const { body } = await call("POST", CHAT, {
      model: "local-chat",
      messages: user('Repeat exactly: {"a": 1}'),
      max_tokens: 200,
      response_format: { type: "json_object" },
    });
    assert.match(body.choices[0].message.content, /^\{/);
    if (body.choices[0].finish_reason === "stop") JSON.parse(body.choices[0].message.content);
  });

  await t.test("says what is wrong with a schema", async () => {
    const cases = [
      [{ type: "object", properties: { a: { type: "text" } } }, /schema\.a\.type/],
      [{ $ref: "#/$defs/Nope" }, /Nope/],
      [{ type: "object", properties: { a: { enum: [] } } }, /schema\.a\.enum/],
      [{ type: "string", minLength: 5, maxLength: 2 }, /maxLength/],
      ["text", /schema must be/],
      [{ $ref: "#" }, /refers to itself/],
    ];
    for (const [schema, message] of cases) {
      const format = { type: "json_schema", json_schema: { name: "x", schema } };
      const reply = await call("POST", CHAT, { model: "local-chat", messages: user("x"), response_format: format });
      assert.equal(reply.status, 400);
      assert.match(reply.body.message, message);
    }
  });
});
