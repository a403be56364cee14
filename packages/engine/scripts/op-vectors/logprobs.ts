// Vectors of log probabilities (SPEC section 14.1).
import { log2Q24Big, sortingLogprobs } from '../../src/testing/sorting-sampler.ts';
import { MAX, list, random } from './draw.ts';

export function log2(): object[] {
  const edges = Array.from({ length: 21 }, (_, n) => [2 ** (24 + n) - 1, 2 ** (24 + n), 2 ** (24 + n) + 1])
    .flat()
    .slice(1, -1);
  const weights = [...edges, ...list(40, () => 2 ** random.integer(24, 43) + random.uint32() / 2 ** random.integer(8, 32))].map(Math.floor);
  return weights.map((w) => ({ w, expect: Number(log2Q24Big(BigInt(w))) }));
}

export function logprobs(): object[] {
  return list(60, (i) => {
    const spread = 2 ** random.integer(2, i % 5 ? 22 : 30);
    const step = i % 3 ? 1 : Math.ceil(spread / 4);
    const size = random.integer(1, 40);
    const logits = list(size, () => random.integer(-Math.floor(spread / step), Math.floor(spread / step)) * step);
    if (i === 0) logits.push(MAX, -MAX);
    const id = random.integer(0, size - 1);
    const top = [0, 1, 5, 20][i % 4]!;
    const { logprobs: of, order } = sortingLogprobs(Int32Array.from(logits));
    return { logits, id, top, expect: { logprob: Number(of[id]!), top: order.slice(0, top).map((other) => [other, Number(of[other]!)]) } };
  });
}
