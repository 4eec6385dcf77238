import { invalid } from "../http/errors.js";
import { isObject } from "../http/fields.js";

type Schema = Record<string, unknown>;

/** White space that a reply may contain: none, one blank, or a line break with indentation. */
const BASE = {
  space: '| " " | "\\n" [ \\t]{0,12}',
  char: '[^"\\\\\\x7F\\x00-\\x1F] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4})',
  string: '"\\"" char* "\\""',
  integer: '"-"? ("0" | [1-9] [0-9]{0,15})',
  number: 'integer ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,3})?',
  boolean: '"true" | "false"',
  null: '"null"',
  value: "string | number | boolean | null | list | object",
  list: '"[" space (value ("," space value)*)? space "]"',
  object: '"{" space (string ":" space value ("," space string ":" space value)*)? space "}"',
} as const;

/** What a reply in JSON is to be: any object, or what a JSON Schema allows. */
export type JsonReply = "object" | { schema: unknown };

/** A function that the model may call: its name, and the JSON Schema of its arguments. */
export interface CallableFunction {
  name: string;
  parameters: unknown;
}

/** Stand around each call that a model makes, as those write them that were trained to call functions (Hermes, Qwen). */
export const CALL_OPEN = "<tool_call>";
export const CALL_CLOSE = "</tool_call>";

/**
 * A grammar (GBNF, llama.cpp's notation) of the JSON texts that a reply may be.
 *
 * Properties come in the order of the schema; those not `required` may be left out. Understood: `type` (also a list),
 * `properties`, `required`, `additionalProperties`, `items`, `prefixItems`, `minItems`, `maxItems`, `enum`, `const`,
 * `anyOf`, `oneOf`, `allOf` of one schema, `minLength`, `maxLength`, `$ref` into the schema. Objects take further
 * properties only if `additionalProperties` says so, since that is what clients mean who constrain a reply. `pattern`,
 * `format` and bounds on numbers are hints that do not constrain; unknown keywords are ignored.
 */
export function jsonGrammar(reply: JsonReply): string {
  const rules = new Map<string, string>();
  return grammar(replyRule(reply, rules), rules);
}

/**
 * A grammar of calls of functions, `<tool_call>\n{"name": …, "arguments": …}\n</tool_call>`: one, or `several` that follow each
 * other; or of those or a reply in JSON.
 */
export function callGrammar(functions: CallableFunction[], several: boolean, reply?: JsonReply): string {
  const rules = new Map<string, string>();
  const calls = functions.map(({ name, parameters }, i) => {
    const args = new GrammarWriter(parameters, `tools[${i}].function.parameters`, rules).visit(parameters, "parameters");
    return `("{" space ${literal("name")} ":" space ${literal(name)} "," space ${literal("arguments")} ":" space ${args} space "}")`;
  });
  rules.set("call", `"${CALL_OPEN}\\n" (${calls.join(" | ")}) "\\n${CALL_CLOSE}"`);
  const all = several ? 'call ("\\n" call)*' : "call";
  return grammar(reply === undefined ? all : `(${all}) | ${replyRule(reply, rules)}`, rules);
}

function replyRule(reply: JsonReply, rules: Map<string, string>): string {
  if (reply === "object") return "object";
  return new GrammarWriter(reply.schema, "response_format", rules).visit(reply.schema, "schema");
}

function grammar(root: string, rules: Map<string, string>): string {
  return [["root", root], ...rules, ...Object.entries(BASE)].map(([name, body]) => `${name} ::= ${body}`).join("\n");
}

/** Writes the rules of one schema into those of a grammar. */
class GrammarWriter {
  readonly #root: unknown;
  readonly #field: string;
  readonly #rules: Map<string, string>;
  readonly #refs = new Map<string, string>();

  /** `field` is the field of the request that the schema came in, for errors. */
  constructor(root: unknown, field: string, rules: Map<string, string>) {
    this.#root = root;
    this.#field = field;
    this.#rules = rules;
  }

  /** The name of the rule of a schema. `path` tells where it stands, for errors. */
  visit(schema: unknown, path: string): string {
    if (schema === true) return "value";
    if (!isObject(schema)) throw this.#wrong(`${path} must be a JSON Schema object.`);
    if (typeof schema["$ref"] === "string") return this.#ref(schema["$ref"], path);
    if ("const" in schema) return this.#rule(literal(schema["const"]));
    if (Array.isArray(schema["enum"])) return this.#choice(schema["enum"].map(literal), `${path}.enum`);
    for (const keyword of ["anyOf", "oneOf", "allOf"]) {
      const options = schema[keyword];
      if (!Array.isArray(options)) continue;
      if (keyword === "allOf" && options.length > 1) throw this.#wrong(`${path}.allOf of several schemas is not supported.`);
      return this.#choice(options.map((option, i) => this.visit(option, `${path}.${keyword}[${i}]`)), `${path}.${keyword}`);
    }
    const type = schema["type"] ?? impliedType(schema);
    if (Array.isArray(type)) return this.#choice(type.map((one) => this.#typed(one, schema, path)), `${path}.type`);
    return this.#typed(type, schema, path);
  }

  #typed(type: unknown, schema: Schema, path: string): string {
    switch (type) {
      case undefined:
        return "value";
      case "object":
        return this.#object(schema, path);
      case "array":
        return this.#array(schema, path);
      case "string":
        return this.#string(schema, path);
      case "integer":
      case "number":
      case "boolean":
      case "null":
        return type;
      default:
        throw this.#wrong(`${path}.type is ${JSON.stringify(type)}, which is no JSON Schema type.`);
    }
  }

  #string(schema: Schema, path: string): string {
    const { min, max } = this.#bounds(schema, "minLength", "maxLength", path);
    return min === 0 && max === undefined ? "string" : this.#rule(`"\\"" char{${min},${max ?? ""}} "\\""`);
  }

  #object(schema: Schema, path: string): string {
    const properties = schema["properties"] ?? {};
    if (!isObject(properties)) throw this.#wrong(`${path}.properties must be an object.`);
    const required = Array.isArray(schema["required"]) ? (schema["required"] as unknown[]) : [];
    const members = Object.entries(properties).map(([name, property]) => ({
      rule: this.#rule(`${literal(name)} ":" space ${this.visit(property, `${path}.${name}`)}`),
      required: required.includes(name),
    }));
    const extra = schema["additionalProperties"];
    if (members.length === 0 && (extra === undefined || extra === true)) return "object";
    if (extra !== undefined && extra !== false) {
      const member = this.#rule(`string ":" space ${this.visit(extra, `${path}.additionalProperties`)}`);
      members.push({ rule: this.#rule(`${member} ("," space ${member})*`), required: false });
    }
    return this.#rule(`"{" space ${this.#members(members)} space "}"`);
  }

  /** Members in their order, the optional ones left out or not; every comma stands between two that are there. */
  #members(members: Array<{ rule: string; required: boolean }>): string {
    // `first` begins with the member at i as the first of all, `later` puts a comma before it.
    let [first, later] = ['""', '""'];
    for (const { rule, required } of members.toReversed()) {
      const tail = this.#rule(later);
      const withComma = `"," space ${rule} ${tail}`;
      later = required ? withComma : `(${withComma}) | ${tail}`;
      first = required ? `${rule} ${tail}` : `(${rule} ${tail}) | ${this.#rule(first)}`;
    }
    return this.#rule(first);
  }

  #array(schema: Schema, path: string): string {
    const { min, max } = this.#bounds(schema, "minItems", "maxItems", path);
    const prefix = Array.isArray(schema["prefixItems"]) ? (schema["prefixItems"] as unknown[]) : [];
    if (prefix.length > 0) {
      const items = prefix.map((item, i) => this.visit(item, `${path}.prefixItems[${i}]`));
      return this.#rule(`"[" space ${items.join(' "," space ')} space "]"`);
    }
    if (max === 0) return this.#rule('"[" space "]"');
    const item = this.visit(schema["items"] ?? true, `${path}.items`);
    const rest = `("," space ${item}){${Math.max(0, min - 1)},${max === undefined ? "" : max - 1}}`;
    const items = `${item} ${rest}`;
    return this.#rule(`"[" space ${min === 0 ? `(${items})?` : items} space "]"`);
  }

  /** A reference gets its rule before its target is visited, so that a schema may contain itself. */
  #ref(ref: string, path: string): string {
    const known = this.#refs.get(ref);
    if (known !== undefined) return known;
    const name = this.#rule("");
    this.#refs.set(ref, name);
    this.#rules.set(name, this.visit(this.#resolve(ref, path), ref));
    return name;
  }

  #resolve(ref: string, path: string): unknown {
    if (!ref.startsWith("#")) throw this.#wrong(`${path}.$ref '${ref}' must point into the schema ('#/$defs/...').`);
    const keys = ref.slice(1).split("/").slice(1).map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
    const target = keys.reduce<unknown>((node, key) => (isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined), this.#root);
    if (target === undefined) throw this.#wrong(`${path}.$ref '${ref}' points at nothing.`);
    return target;
  }

  #choice(options: string[], path: string): string {
    if (options.length === 0) throw this.#wrong(`${path} must not be empty.`);
    return this.#rule(options.join(" | "));
  }

  #rule(body: string): string {
    const name = `r${this.#rules.size}`;
    this.#rules.set(name, body);
    return name;
  }

  #bounds(schema: Schema, lower: string, upper: string, path: string): { min: number; max: number | undefined } {
    const read = (name: string) => {
      const value = schema[name] ?? undefined;
      if (value === undefined || (Number.isInteger(value) && (value as number) >= 0)) return value as number | undefined;
      throw this.#wrong(`${path}.${name} must be a whole number that is not negative.`);
    };
    const [min, max] = [read(lower) ?? 0, read(upper)];
    if (max !== undefined && max < min) throw this.#wrong(`${path}.${upper} is less than ${lower}.`);
    return { min, max };
  }

  #wrong(what: string): Error {
    return invalid(`${this.#field}: ${what}`);
  }
}

function impliedType(schema: Schema): string | undefined {
  if ("properties" in schema || "additionalProperties" in schema) return "object";
  return "items" in schema || "prefixItems" in schema ? "array" : undefined;
}

/** A JSON value as a terminal of the grammar, letter by letter. */
function literal(value: unknown): string {
  const json = JSON.stringify(value);
  return `"${json.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
