/** What a predictor inside a program has been told. */
import { calling } from './core.js';
import type { Compiled } from './program.js';
import { Signature } from './signature.js';
import { opened } from './types.js';
import { write } from './values.js';

/** Values by the names of fields. */
export type Example = Readonly<Record<string, unknown>>;

/** A predictor of a program: {@link Program.namedPredictors} finds it. Its settings can be read and set while no call is under way. */
export class PredictorSettings {
  readonly #owner: Compiled<object, object>;
  readonly #name: string;

  /** @internal */
  constructor(owner: Compiled<object, object>, name: string) {
    this.#owner = owner;
    this.#name = name;
  }

  /** Solved examples that every prompt shows. A whole number that is a float comes as {@link float} makes it. */
  get demos(): readonly Example[] {
    return this.#read.records;
  }

  set demos(demos: readonly Example[]) {
    this.#set({ demos });
  }

  /** Parameters of every request, by their wire names. */
  get config(): Readonly<Record<string, unknown>> {
    return this.#read.config;
  }

  set config(config: Readonly<Record<string, unknown>>) {
    this.#set({ config });
  }

  /** What is given and what is asked for. */
  get signature(): Signature<object, object> {
    return new Signature(calling(() => this.#owner.handle.signature(this.#name)));
  }

  set signature(signature: Signature<object, object>) {
    this.#set({}, signature);
  }

  /** What the model is to do. */
  get instructions(): string {
    return this.signature.instructions;
  }

  set instructions(instructions: string) {
    this.signature = this.signature.withInstructions(instructions);
  }

  get #read() {
    return opened<{ config: Record<string, unknown>; records: Example[] }>(calling(() => this.#owner.handle.settings(this.#name)));
  }

  #set(settings: Readonly<Record<string, unknown>>, signature?: Signature<object, object>): void {
    this.#owner.change((handle) => handle.set(this.#name, write(settings), signature?.handle.copy()));
  }
}
