/**
 * DSPy's own types: values of which a prompt shows more than JSON. Inputs, demos and messages of a history may hold them;
 * outputs of type `ToolCalls`, `Citations` and `History` are objects of these classes.
 */
import { LakeletError } from './errors.js';

/** What they have in common. */
export abstract class Type {
  /** DSPy's name of the class. @internal */
  static readonly kind: string;
}

/** A picture: the address of one, a data URI, or the bytes of a PNG, JPEG, GIF or WebP file. */
export class Image extends Type {
  /** @internal */
  static override readonly kind = 'Image';
  /** An address, or a data URI. */
  readonly url: string;

  /**
   * ```ts
   * new Image('https://example.com/cat.png');
   * new Image(await readFile('cat.png'));
   * ```
   */
  constructor(source: string | Uint8Array | { readonly url: string }) {
    super();
    if (source instanceof Uint8Array) this.url = dataUri(source, pictureType(source));
    else this.url = typeof source === 'string' ? source : source.url;
    if (!/^(data:|(https?|gs):\/\/[^/?#])/.test(this.url)) {
      throw new LakeletError(`not the address of a picture: ${this.url}`, { code: 'input', hint: 'give an address, a data URI, or the bytes of the file' });
    }
  }

  /** The picture that a page has as a `Blob` or `File`. */
  static async fromBlob(blob: Blob): Promise<Image> {
    return new Image(dataUri(await bytesOf(blob), blob.type || 'image/png'));
  }

  /** Downloads the picture, where the constructor leaves that to the model's service. */
  static async fromUrl(url: string): Promise<Image> {
    return Image.fromBlob(await download(url));
  }
}

/** A sound: base64 with its format, a data URI, or the bytes of a file. */
export class Audio extends Type {
  /** @internal */
  static override readonly kind = 'Audio';
  /** Base64. */
  readonly data: string;
  /** `wav`, `mp3` ... */
  readonly audioFormat: string;

  /**
   * ```ts
   * new Audio(await readFile('hello.wav'), { audioFormat: 'wav' });
   * ```
   *
   * @param options `audioFormat`: the format of bytes; `wav` unless given.
   */
  constructor(source: string | Uint8Array | { readonly data: string; readonly audioFormat: string }, options: { readonly audioFormat?: string } = {}) {
    super();
    if (source instanceof Uint8Array) {
      this.data = base64(source);
      this.audioFormat = options.audioFormat ?? 'wav';
    } else if (typeof source === 'string') {
      const [, format, data] = /^data:audio\/(?:x-)?([^;,]+);base64,(.*)$/s.exec(source) ?? [];
      if (format === undefined || data === undefined) {
        throw new LakeletError('the text is no data URI of a sound', { code: 'input', hint: 'give base64 as { data, audioFormat }, or the bytes of the file' });
      }
      this.data = data;
      this.audioFormat = format;
    } else {
      this.data = source.data;
      this.audioFormat = source.audioFormat;
    }
  }

  /** The sound that a page has as a `Blob` or `File`. */
  static async fromBlob(blob: Blob): Promise<Audio> {
    return new Audio(dataUri(await bytesOf(blob), blob.type || 'audio/wav'));
  }

  /** Downloads the sound. */
  static async fromUrl(url: string): Promise<Audio> {
    return Audio.fromBlob(await download(url));
  }
}

/** A file: its data as a data URI, or the id that the model's service gave it. */
export class File extends Type {
  /** @internal */
  static override readonly kind = 'File';
  /** A data URI. */
  declare readonly fileData?: string;
  declare readonly fileId?: string;
  declare readonly filename?: string;

  /**
   * ```ts
   * new File({ fileId: 'file-1' });
   * File.fromBytes(await readFile('report.pdf'), { filename: 'report.pdf', mimeType: 'application/pdf' });
   * ```
   */
  constructor(given: { readonly fileData?: string; readonly fileId?: string; readonly filename?: string }) {
    super();
    if (given.fileData === undefined && given.fileId === undefined && given.filename === undefined) {
      throw new LakeletError('the file has neither data nor an id', { code: 'input', hint: 'give `fileData`, `fileId` or `filename`' });
    }
    Object.assign(this, given);
  }

  static fromBytes(bytes: Uint8Array, options: { readonly filename?: string; readonly mimeType?: string } = {}): File {
    const { filename, mimeType = 'application/octet-stream' } = options;
    return new File({ fileData: dataUri(bytes, mimeType), ...(filename === undefined ? {} : { filename }) });
  }

  /** The file that a page has as a `Blob` or `File`. */
  static async fromBlob(blob: Blob): Promise<File> {
    const filename = 'name' in blob && typeof blob.name === 'string' ? { filename: blob.name } : {};
    return File.fromBytes(await bytesOf(blob), { ...filename, ...(blob.type ? { mimeType: blob.type } : {}) });
  }
}

/** A text, or a PDF as base64, that a model may cite. */
export class Document extends Type {
  /** @internal */
  static override readonly kind = 'Document';
  readonly data: string;
  declare readonly title?: string;
  declare readonly mediaType?: 'text/plain' | 'application/pdf';
  declare readonly context?: string;

  constructor(given: string | { readonly data: string; readonly title?: string; readonly mediaType?: 'text/plain' | 'application/pdf'; readonly context?: string }) {
    super();
    const { data, ...more } = typeof given === 'string' ? { data: given } : given;
    this.data = data;
    Object.assign(this, more);
  }
}

/** Code as an input. As an output it is its text. */
export class Code extends Type {
  /** @internal */
  static override readonly kind = 'Code';
  readonly code: string;

  constructor({ code }: { readonly code: string }) {
    super();
    this.code = code;
  }
}

/** What a model thought, as an input. As an output it is its text. */
export class Reasoning extends Type {
  /** @internal */
  static override readonly kind = 'Reasoning';
  readonly content: string;

  constructor({ content }: { readonly content: string }) {
    super();
    this.content = content;
  }
}

/**
 * The earlier turns of a conversation: inputs and outputs of the same signature by name.
 *
 * ```ts
 * const chat = predict('question, history: dspy.History -> answer');
 * const history = new History();
 * const { answer } = await chat.run({ question: 'Who?', history });
 * history.messages.push({ question: 'Who?', answer });
 * ```
 */
export class History extends Type {
  /** @internal */
  static override readonly kind = 'History';
  readonly messages: Record<string, unknown>[];

  constructor({ messages = [] }: { readonly messages?: readonly Readonly<Record<string, unknown>>[] } = {}) {
    super();
    this.messages = [...messages];
  }
}

/** A tool that a model wants called. */
export interface ToolCall {
  readonly id?: string | null;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What calling a tool came to. */
export interface ToolCallResult {
  /** The id of the call. */
  readonly call_id?: string | null;
  readonly name: string;
  readonly value: unknown;
  readonly is_error?: boolean;
}

/** The tools that a model wants called, and, in a history, what that came to. */
export class ToolCalls extends Type {
  /** @internal */
  static override readonly kind = 'ToolCalls';
  readonly toolCalls: readonly ToolCall[];
  declare readonly toolCallResults?: readonly ToolCallResult[];

  constructor(given: { readonly toolCalls: readonly ToolCall[]; readonly toolCallResults?: readonly ToolCallResult[] }) {
    super();
    this.toolCalls = given.toolCalls;
    if (given.toolCallResults) this.toolCallResults = given.toolCallResults;
  }
}

/** A quotation, and where it stands in the documents. */
export interface Citation {
  readonly type?: string;
  readonly cited_text: string;
  readonly document_index: number;
  readonly document_title?: string | null;
  readonly start_char_index: number;
  readonly end_char_index: number;
  readonly supported_text?: string | null;
}

/** What an answer quotes. */
export class Citations extends Type {
  /** @internal */
  static override readonly kind = 'Citations';
  readonly citations: readonly Citation[];

  constructor({ citations }: { readonly citations: readonly Citation[] }) {
    super();
    this.citations = citations;
  }
}

/**
 * A whole number that is a float in Python, and so `1.0` in a prompt: JavaScript has one kind of number. For inputs and demos.
 *
 * ```ts
 * await predict('score: float -> verdict').run({ score: float(1) });
 * ```
 */
export function float(value: number): number {
  return new Number(value) as number;
}

/** @internal */
export class Tuple extends Array<unknown> {}

/** A tuple of Python, where prompts tell it from a list. For inputs and demos. */
export function tuple<const T extends readonly unknown[]>(...items: T): T {
  return Tuple.from(items) as unknown as T;
}

const classes = [Image, Audio, File, Document, Code, Reasoning, History, ToolCalls, Citations];

/** Where values stand that JSON has no form for, the inner ones first. */
type Places = readonly [kind: string, path: readonly (string | number)[]][];

/** Makes what stands at these places what it was. */
function revive(within: unknown, places: Places = []): void {
  for (const [kind, path] of places) {
    const last = path.at(-1) as string;
    const holder = path.slice(0, -1).reduce((of, step) => of[step] as Record<string, unknown>, within as Record<string, unknown>);
    holder[last] = revived(kind, holder[last]);
  }
}

/** The records in what the core gave as JSON text. @internal */
export function opened<R extends { readonly records: unknown[]; readonly typed?: Places }>(text: string): R {
  const read = JSON.parse(text) as R;
  revive(read.records, read.typed);
  return read;
}

function revived(kind: string, value: unknown): unknown {
  if (kind === 'float') return float(value as number);
  if (kind === 'tuple') return tuple(...(value as unknown[]));
  if (kind === 'datetime') return new Date(value as string);
  const of = classes.find((known) => known.kind === kind);
  if (!of) return value;
  const members = Object.entries(value as object).map(([name, of]) => [name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()), of] as const);
  return Object.assign(Object.create(of.prototype as object) as object, Object.fromEntries(members));
}

/** The attributes of an object, as DSPy names them. @internal */
export function attributes(given: Type): [string, unknown][] {
  return Object.entries(given).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]);
}

/** What the first bytes of a file say. */
function pictureType(bytes: Uint8Array): string {
  const head = String.fromCharCode(...bytes.subarray(0, 12));
  if (head.startsWith('\x89PNG')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (head.startsWith('GIF8')) return 'image/gif';
  if (/^RIFF.{4}WEBP/s.test(head)) return 'image/webp';
  throw new LakeletError('the bytes are no PNG, JPEG, GIF or WebP file', { code: 'input', hint: 'give other pictures as a data URI' });
}

async function download(url: string): Promise<Blob> {
  const response = await fetch(url);
  if (!response.ok) throw new LakeletError(`${url} answered with status ${response.status}`, { code: 'network', status: response.status });
  return response.blob();
}

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}

function dataUri(bytes: Uint8Array, mimeType: string): string {
  return `data:${mimeType};base64,${base64(bytes)}`;
}

function base64(bytes: Uint8Array): string {
  let letters = '';
  // A call takes only so many arguments.
  for (let i = 0; i < bytes.length; i += 8192) letters += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(letters);
}
