/** Programs as documents. */
import { LakeletError } from './errors.js';
import type { Core } from './core.js';
import { Compiled } from './program.js';

/** A pipeline document; the core's errors name the step and the field when it is not valid. */
export interface PipelineDocument {
  readonly lakelet: number;
  readonly name: string;
  readonly description?: string;
  readonly inputs: Readonly<Record<string, string | PipelineInputSpec>>;
  readonly steps: Readonly<Record<string, PipelineStepSpec>>;
  readonly outputs: unknown;
  readonly [member: string]: unknown;
}

/** An input in a document. */
export interface PipelineInputSpec {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly trusted?: boolean;
}

/** A step in a document. */
export interface PipelineStepSpec {
  readonly do: string;
  readonly [member: string]: unknown;
}

/** How a document is loaded. */
export interface PipelineOptions {
  /** Changes to steps, by name, as a JSON merge patch (RFC 7396): `{ steps: { answer: { config: { max_tokens: 160 } } } }`. */
  readonly changes?: Readonly<Record<string, unknown>>;
}

/** An input of a pipeline. */
export interface PipelineInput {
  readonly name: string;
  /** DSPy's notation: `str`, `list[str]`, `Literal['EU', 'US']`. */
  readonly type: string;
  readonly description: string;
  readonly required: boolean;
}

/** A program that was loaded from a document. Made by {@link pipeline}. */
export class Pipeline<I extends object = Record<string, unknown>, O extends object = Record<string, unknown>> extends Compiled<I, O> {
  readonly name: string;
  readonly description: string;
  /** What it takes, in the order of the document. */
  readonly inputs: readonly PipelineInput[];
  /** Its steps, in the order of the document; they run in the order of the data. */
  readonly steps: readonly { readonly name: string; readonly kind: string }[];
  readonly #text: string;
  readonly #changes: string | undefined;

  /** @internal */
  constructor(text: string, { changes }: PipelineOptions) {
    super();
    const document = read(text);
    this.#text = text;
    this.#changes = changes && JSON.stringify(changes);
    this.name = document.name;
    this.description = document.description ?? '';
    this.inputs = Object.entries(document.inputs ?? {}).map(([name, given]) => input(name, given));
    this.steps = Object.entries(document.steps ?? {}).map(([name, step]) => ({ name, kind: step.do }));
  }

  /** @internal */
  override get traceName(): string {
    return this.name;
  }

  /** What it was loaded from: the text of the document, and of the changes to it. @internal */
  get source(): { readonly text: string; readonly changes: string | undefined } {
    return { text: this.#text, changes: this.#changes };
  }

  /** @internal */
  protected override again(): this {
    return new Pipeline(this.#text, this.#changes === undefined ? {} : { changes: JSON.parse(this.#changes) as Record<string, unknown> }) as this;
  }

  /** @internal */
  protected override compile({ Program }: Core) {
    return Program.pipeline(this.#text, this.#changes);
  }
}

/**
 * Loads a pipeline document: steps, the data that flows between them, guards, and what comes out.
 *
 * ```ts
 * import { enterpriseAssistant } from 'lakelet/assistant';
 * const assistant = pipeline(enterpriseAssistant, { changes: { steps: { retrieve: { k: 4 } } } });
 * const { answer, sources } = await assistant.run({ question, role: 'employee', region: 'EU', department: 'Sales' });
 * ```
 *
 * The text of a document is checked for members that are there twice; an object cannot be.
 */
export function pipeline<I extends object = Record<string, unknown>, O extends object = Record<string, unknown>>(
  document: PipelineDocument | string,
  options: PipelineOptions = {},
): Pipeline<I, O> {
  return new Pipeline(typeof document === 'string' ? document : JSON.stringify(document), options);
}

function read(text: string): Partial<PipelineDocument> & { name: string } {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document === 'object' && document !== null) return document as PipelineDocument;
  } catch {
    // told below
  }
  throw new LakeletError('the document is not a JSON object', { code: 'pipeline', hint: 'give the document, or its text' });
}

function input(name: string, given: string | PipelineInputSpec): PipelineInput {
  const { type = 'str', description = '', ...rest } = typeof given === 'string' ? { type: given } : given;
  return { name, type, description, required: !('default' in rest) };
}
