import type { Address, Hex32, RunRequest } from '@commonweight/protocol';
import { toHex, uintBE } from '@commonweight/protocol';
import type { RoleProcess, TestNetwork } from '@commonweight/testkit';
import { runFrames } from '../../packages/node/src/worker/testing/frames.ts';
import { ask } from '../../packages/node/src/worker/testing/payer.ts';

/** What one stream took, in milliseconds since its request was sent. */
export interface StreamTimes {
  readonly first: number;
  readonly last: number;
  readonly tokens: number;
  readonly cached: number;
}

/** Asks a worker as gateways do. A payer is a number from 1 on. */
export class Client {
  readonly #network: TestNetwork;
  readonly #worker: RoleProcess;
  #asked = 0;

  constructor(network: TestNetwork, worker: RoleProcess) {
    this.#network = network;
    this.#worker = worker;
  }

  /** A signed request, so that signing is not part of what is measured. */
  prepare(payer: number, promptIds: readonly number[], maxTokens: number): RunRequest {
    const { chain, modelId } = this.#network;
    const key = toHex(uintBE(payer, 32)) as Hex32;
    const node = this.#worker.nodeId as Address;
    return ask({ domain: chain.domain, node, modelId, promptIds, key, nonce: this.#asked++, change: { maxTokens, stopIds: [] } });
  }

  async stream(run: RunRequest): Promise<StreamTimes> {
    const start = performance.now();
    let [first, last, tokens, cached] = [0, 0, 0, 0];
    for await (const frame of runFrames(this.#worker.url, run)) {
      if (frame.type === 'error') throw new Error(`${frame.code}: ${frame.message}`);
      if (frame.type === 'prefill') cached = frame.cached;
      if (frame.type !== 'token') continue;
      last = performance.now() - start;
      if (tokens++ === 0) first = last;
    }
    return { first, last, tokens, cached };
  }
}
