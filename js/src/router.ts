/** Models that stand for several. */
import { modelOf, type LanguageModel } from './configure.js';
import { calling } from './core.js';
import { LakeletError } from './errors.js';
import type { DescribedError } from './events.js';
import { Model } from './workspace.js';

/** A model that was passed over. */
export interface PassedOver {
  readonly model: string;
  /** Why. */
  readonly error: DescribedError;
  /** How long it is not asked, in milliseconds. */
  readonly forMs: number;
}

/** How a router asks. */
export interface RouterOptions {
  /** How often all models are asked again when none of them could answer; 6 unless given. */
  readonly retries?: number;
  /** Told of each model that is passed over. */
  readonly onPassedOver?: (passed: PassedOver) => void;
}

/**
 * A model that asks the first of several that can answer: one that is throttled or fails is passed over for as long as it asked for, or for
 * a while, and the next one is asked at once. A stream passes over models until its first piece is there.
 *
 * ```ts
 * configure({ lm: router(['databricks-claude-sonnet-4-6', 'databricks-meta-llama-3-3-70b-instruct']) });
 * ```
 *
 * What was used is counted for the model that answered.
 */
export function router(models: readonly LanguageModel[], { retries, onPassedOver }: RouterOptions = {}): Model {
  const of = models.map(modelOf);
  const [first] = of;
  if (!first) throw new LakeletError('a router needs a model', { code: 'config', hint: 'give one model at least' });
  const tell = onPassedOver && ((text: string) => onPassedOver(JSON.parse(text) as PassedOver));
  const tries = retries === undefined ? undefined : retries + 1;
  return new Model(of.map(({ name }) => name).join(' | '), first.owner, () =>
    calling((core) => core.Model.routed(of.map(({ handle }) => handle.copy()), tell, tries)));
}
