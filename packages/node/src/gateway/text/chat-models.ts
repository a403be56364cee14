import { CommonweightError } from '@commonweight/protocol';
import type { ChatModel } from './chat-model.ts';

/** The models that a gateway knows, by id and by printed name. */
export class ChatModels {
  readonly all: readonly ChatModel[];
  readonly #byName = new Map<string, ChatModel>();

  constructor(models: readonly ChatModel[]) {
    this.all = models;
    for (const model of models) {
      for (const name of [model.name.toLowerCase(), model.modelId]) {
        if (this.#byName.has(name)) {
          throw new CommonweightError(`packages: two of them are called ${name}; leave one out`, { code: 'config', field: 'packages' });
        }
        this.#byName.set(name, model);
      }
    }
  }

  /** @param name - a model id or a printed name; upper and lower case are the same. */
  find(name: string): ChatModel | undefined {
    return this.#byName.get(name.toLowerCase());
  }
}
