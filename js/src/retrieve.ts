/** Finding passages, and examples that are alike. */
import { Fixed } from './asking.js';
import type { Program } from './program.js';
import type { Example } from './settings.js';

/**
 * Asks a retriever of the settings for passages, as DSPy's `Retrieve` does.
 *
 * ```ts
 * configure({ workspace, rm: 'main.rag.docs_index' });
 * const { passages } = await retrieve({ k: 5 }).run({ query: 'parental leave' });
 * ```
 *
 * @param options `k`: how many passages, 3 unless given; `rm`: the retriever's name in the settings, the first one unless given.
 */
export function retrieve(options: { readonly k?: number; readonly rm?: string } = {}): Program<{ readonly query: string; readonly k?: number }, { passages: string[] }> {
  return new Fixed('retrieve', options);
}

/** Makes a vector of each text. */
export type Vectorizer = (texts: readonly string[]) => readonly (readonly number[])[] | Promise<readonly (readonly number[])[]>;

/** What {@link knn} looks in. */
export interface KnnOptions<E extends Example> {
  /** How many examples. */
  readonly k: number;
  readonly trainset: readonly E[];
  /** The fields of an example that are compared: its inputs. */
  readonly inputs: readonly (keyof E & string)[];
  /** {@link Workspace.embedder}, or a function of one's own. */
  readonly vectorizer: Vectorizer;
}

/**
 * Finds the examples whose inputs are most like those of a call, as DSPy's `KNN` does. The training set is embedded with the first call.
 *
 * ```ts
 * const nearest = knn({ k: 3, trainset, inputs: ['question'], vectorizer: workspace.embedder('databricks-gte-large-en') });
 * const { examples } = await nearest.run({ question });
 * await qa.run({ question }, { demos: examples });
 * ```
 */
export function knn<const E extends Example>({ vectorizer, ...options }: KnnOptions<E>): Program<Example, { examples: E[] }> {
  return new Fixed('knn', options, [async (texts) => JSON.stringify(await vectorizer(JSON.parse(texts) as string[]))]);
}
