/** The workspace that the command line works with. */
import { configure, type Settings } from 'lakelet';
import { configureDatabricks, type Databricks } from 'lakelet/databricks';

import { options, type SharedFlags } from './flags.js';
import { UsageError } from './usage.js';

/** The workspace, found when it is first needed: by the profile, or in the environment, as Databricks' SDKs find it. */
export class Platform {
  readonly #flags: SharedFlags;
  #connected: Promise<Databricks> | undefined;

  constructor(flags: SharedFlags) {
    this.#flags = flags;
  }

  get workspace(): Promise<Databricks> {
    const { profile } = this.#flags;
    return (this.#connected ??= configureDatabricks(profile === undefined ? {} : { profile }));
  }

  /** The models that programs ask: those that are named, those that a module has configured itself, or that of the environment. */
  async models(): Promise<Pick<Settings, 'lm'>> {
    const { model: named, 'model-option': given } = this.#flags;
    if (!named && configure().lm !== undefined) return {};
    const { workspace, lm } = await this.workspace;
    const parameters = options('model-option', given);
    const endpoints = named ?? (lm ? [lm.name] : []);
    if (endpoints.length === 0) throw new UsageError('no model is named: give --model ENDPOINT, or set LAKELET_CHAT_ENDPOINT');
    return { lm: Object.fromEntries(endpoints.map((name) => [name, workspace.lm(name, parameters)])) };
  }
}
