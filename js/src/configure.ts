/** What programs use unless a call says otherwise. */
import type { Model as ModelHandle, Services } from '../wasm/lakelet.js';
import { memory, store, type CacheStore } from './cache.js';
import { calling, inCore } from './core.js';
import { LakeletError } from './errors.js';
import type { EndedCall } from './events.js';
import { languageModel, type ModelFunction } from './language-model.js';
import { Index, Model, Workspace } from './workspace.js';

/** A model: an endpoint of the workspace by name, a {@link Model}, or a function that answers. */
export type LanguageModel = string | Model | ModelFunction;

/** A retriever: an index of the workspace by name, or an {@link Index}. */
export type Retriever = string | Index;

/** What programs may reach. Several models or retrievers have names; the first one serves the steps that name none. */
export interface Settings {
  readonly workspace?: Workspace;
  readonly lm?: LanguageModel | Readonly<Record<string, LanguageModel>>;
  readonly rm?: Retriever | Readonly<Record<string, Retriever>>;
  /**
   * Where answers are kept for the same request: those of endpoints in the memory of their {@link Workspace}, unless told otherwise;
   * `true` keeps those of functions too. `config: { cache: false }` asks the model itself, and so does another `rollout_id`.
   */
  readonly cache?: CacheStore | boolean;
  /** Told of every call of a program that has ended: what {@link MlflowLogger.trace} of `lakelet/databricks` logs. What it throws is lost. */
  readonly trace?: (call: EndedCall) => void;
}

/** How a signature becomes messages, and a reply becomes fields. */
export type AdapterName = 'chat' | 'json' | 'xml' | 'baml';

/** An adapter with options, by DSPy's names. */
export interface AdapterOptions {
  readonly adapter: AdapterName;
  /** Tools go to the model as tools, and its calls come back as calls, where it can do that. `json` and `baml` do so unless told otherwise. */
  readonly useNativeFunctionCalling?: boolean;
  /** Whether the model may ask for several calls at once. */
  readonly parallelToolCalls?: boolean;
  /** Whether a reply that cannot be read is asked for once more as JSON; `chat` and `xml` do so unless told otherwise. */
  readonly useJsonAdapterFallback?: boolean;
}

/** An adapter for models that keep to no format: another, smaller one finds the fields in what they write. */
export interface TwoStepOptions {
  readonly adapter: 'twoStep';
  readonly extractionModel: LanguageModel;
}

/** An adapter: its name, or its name with options. */
export type Adapter = AdapterName | AdapterOptions | TwoStepOptions;

/** The settings of the program, and what new predictors speak. */
export interface Defaults extends Settings {
  /** How a signature becomes messages; `chat`, with `json` when a reply cannot be read, unless given. */
  readonly adapter?: Adapter;
}

/** Settings, each given or not. */
type Reach = { readonly [K in keyof Omit<Settings, 'trace'>]-?: Settings[K] | undefined };

let defaults: Defaults = {};
/** What the last call was given, and what was made of it: the next one mostly wants the same. */
const last = inCore((): { assembled?: { readonly from: Reach; readonly made: Services } } => ({}));

/**
 * Sets what programs use unless a call says otherwise, as `dspy.configure` does. Settings that are not named stay.
 *
 * ```ts
 * configure({ workspace, lm: 'databricks-meta-llama-3-3-70b-instruct', rm: workspace.index('main.rag.docs_index') });
 * ```
 *
 * @returns what is configured now
 */
export function configure(settings: Defaults = {}): Defaults {
  return (defaults = { ...defaults, ...settings });
}

/** The adapter of predictors that name none. @internal */
export function defaultAdapter(): Adapter {
  return defaults.adapter ?? 'chat';
}

/** The adapter as the core reads it, and its second model. @internal */
export function adapterOf(adapter: Adapter = defaultAdapter()): [adapter: unknown, extractionModel: ModelHandle | undefined] {
  if (typeof adapter !== 'object' || !('extractionModel' in adapter)) return [adapter, undefined];
  return [adapter.adapter, single(adapter.extractionModel, {})];
}

/** What a call may reach: its own settings before the defaults. @internal */
export function services(own: Settings): Services {
  const from: Reach = { workspace: own.workspace ?? defaults.workspace, lm: own.lm ?? defaults.lm, rm: own.rm ?? defaults.rm, cache: own.cache ?? defaults.cache };
  const { assembled: before } = last();
  if (before && from.workspace === before.from.workspace && from.cache === before.from.cache && same('lm', from, before.from) && same('rm', from, before.from)) return before.made;
  const made = assemble(from);
  last().assembled = { from, made };
  return made;
}

/** Who is told of calls that have ended. @internal */
export function tracer(own: Settings): Settings['trace'] {
  return own.trace ?? defaults.trace;
}

/** The one model that a setting names, to be given away; nothing when it names several. @internal */
export function single(lm: NonNullable<Settings['lm']>, own: Settings): ModelHandle | undefined {
  const is = typeof lm !== 'object' || lm instanceof Model;
  return is ? cached(model(lm as LanguageModel, own.workspace ?? defaults.workspace), own.cache ?? defaults.cache) : undefined;
}

/** Settings in which more models can be asked, and the names that they have there. A text that the settings know as a name is one. @internal */
export function withModels<S extends Settings>(own: S, more: Readonly<Record<string, LanguageModel | undefined>>): [settings: S, names: Record<string, string>] {
  const lm = Object.fromEntries(named(own.lm ?? defaults.lm, Model));
  const names: Record<string, string> = {};
  for (const [name, model] of Object.entries(more)) {
    if (model === undefined) continue;
    const isKnown = typeof model === 'string' && model in lm;
    names[name] = isKnown ? model : name;
    if (!isKnown) lm[name] = model;
  }
  return [Object.keys(names).length === 0 ? own : { ...own, lm }, names];
}

/** The model that a setting names, in the workspace that is configured. @internal */
export function modelOf(lm: LanguageModel): Model {
  return model(lm, defaults.workspace);
}

/** The model with its cache. */
function cached({ handle, owner }: Model, cache: Settings['cache'] = owner instanceof Workspace): ModelHandle {
  if (cache === false) return calling(() => handle.copy());
  return calling(() => handle.cached(cache === true ? memory(owner) : store(cache)));
}

/** A record that a call brings may have changed since; what was configured counts as it was. */
function same(name: 'lm' | 'rm', a: Reach, b: Reach): boolean {
  const of = a[name];
  return of === b[name] && (of === defaults[name] || typeof of !== 'object' || of instanceof Model || of instanceof Index);
}

function assemble({ workspace, lm, rm, cache }: Reach): Services {
  return calling((core) => {
    const into = new core.Services();
    for (const [name, of] of named(lm, Model)) into.add_model(name, cached(model(of, workspace), cache));
    for (const [name, of] of named(rm, Index)) into.add_retriever(name, index(of, workspace).handle);
    return into;
  });
}

function named<T extends string | object>(given: T | Readonly<Record<string, T>> | undefined, one: typeof Model | typeof Index): [string, T][] {
  if (given === undefined) return [];
  if (typeof given === 'string') return [[given, given]];
  if (typeof given === 'function') return [[given.name || 'function', given]];
  return given instanceof one ? [[given.name, given as T]] : Object.entries(given as Readonly<Record<string, T>>);
}

function model(lm: LanguageModel, workspace: Workspace | undefined): Model {
  if (typeof lm === 'function') return languageModel(lm.name || 'function', lm);
  return typeof lm === 'string' ? within(workspace, 'lm', lm).lm(lm) : lm;
}

function index(rm: Retriever, workspace: Workspace | undefined): Index {
  return typeof rm === 'string' ? within(workspace, 'rm', rm).index(rm) : rm;
}

function within(workspace: Workspace | undefined, setting: string, name: string): Workspace {
  if (workspace) return workspace;
  throw new LakeletError(`${setting}: '${name}' names something in a workspace, and none is configured`, {
    code: 'config',
    hint: 'configure({ workspace: new Workspace({ host, token }), ... })',
  });
}
