import { invalid, missing, notImplemented } from "../http/errors.js";
import type { Entity } from "./definition.js";
import { ExternalModel, type Secrets } from "./external-model.js";
import type { ServedModel, Task } from "./served-model.js";

/** The workspace's own models: what Databricks calls foundation models. */
export interface FoundationModel {
  /** The endpoint that is always there. */
  endpoint: string;
  /** `system.ai.<model>` */
  entity: string;
  /** What really runs. */
  displayName: string;
  model: ServedModel;
}

/** Starts a registered model, by its full name and version. */
export type OpenRegistered = (name: string, version: string, environment: Record<string, string>) => Promise<ServedModel>;

/** Turns served entities into models that answer. */
export class EntityOpener {
  readonly #foundation: FoundationModel[];
  readonly #secrets: Secrets;
  readonly #registered: OpenRegistered | undefined;

  constructor(foundation: FoundationModel[], secrets: Secrets, registered?: OpenRegistered) {
    this.#foundation = foundation;
    this.#secrets = secrets;
    this.#registered = registered;
  }

  /** What entities are for, as far as that is known before they are started. Throws when they cannot be started, or not together. */
  check(entities: Entity[]): Task | undefined {
    const [task, ...others] = new Set(entities.map((entity) => this.#task(entity)));
    if (others.length > 0) throw invalid(`The served entities of an endpoint must have the same task, not ${[task, ...others].join(" and ")}.`);
    return task;
  }

  #task({ external, model }: Entity): Task | undefined {
    if (external) return new ExternalModel(external, this.#secrets).task;
    if (model?.name.startsWith("system.ai.")) return this.#own(model.name).model.task;
    if (this.#registered) return undefined;
    throw notImplemented(`The local workspace cannot serve the registered model ${model?.name}: it serves ${this.#names()} and external models.`);
  }

  /** Starts the model of an entity. Throws the reason when it does not start. */
  async open({ external, model, environment }: Entity): Promise<ServedModel> {
    if (external) {
      const opened = new ExternalModel(external, this.#secrets);
      opened.check();
      return opened;
    }
    const { name, version } = model ?? { name: "", version: "" };
    if (name.startsWith("system.ai.") || !this.#registered) return this.#own(name).model;
    return this.#registered(name, version, environment);
  }

  /** The workspace's own model of that entity name. */
  foundation(entity: string): FoundationModel | undefined {
    return this.#foundation.find((own) => own.entity === entity);
  }

  #own(entity: string): FoundationModel {
    const found = this.foundation(entity);
    if (!found) throw missing(`Model '${entity}' does not exist; there is ${this.#names()}.`);
    return found;
  }

  #names(): string {
    return this.#foundation.map(({ entity }) => entity).join(", ");
  }
}
