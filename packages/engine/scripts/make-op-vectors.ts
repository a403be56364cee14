// Writes conformance/ops/*.json: npx tsx packages/engine/scripts/make-op-vectors.ts
// Outputs come from the big-integer restatement of the SPEC, not from the reference, which a test then compares with them;
// `forward` alone comes from the reference.
import { mkdirSync, writeFileSync } from 'node:fs';
import { ENGINE_SPEC } from '@commonweight/protocol';
import { exp2n, isqrt, quantise, rsh, sdiv } from './op-vectors/arithmetic.ts';
import { embedding, matmul, qkNorm, requantise, rmsNorm, rope } from './op-vectors/matrices.ts';
import { attention, cacheEntry, residualAdd, swiglu } from './op-vectors/attention.ts';
import { adjustLogits, logitWeights, sampler } from './op-vectors/sampling.ts';
import { log2, logprobs } from './op-vectors/logprobs.ts';
import { forward } from './op-vectors/forward.ts';
import { grammar } from './op-vectors/grammar.ts';

const folder = new URL('../../../conformance/ops/', import.meta.url);

function write(op: string, section: string, cases: readonly object[]): void {
  const lines = cases.map(
    (one) => `    ${JSON.stringify(one, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
  );
  const head = `{\n  "spec": "${ENGINE_SPEC}",\n  "section": "${section}",\n  "op": "${op}",\n  "cases": [\n`;
  writeFileSync(new URL(`${op}.json`, folder), `${head}${lines.join(',\n')}\n  ]\n}\n`);
}

mkdirSync(folder, { recursive: true });
write('rsh', '1', rsh());
write('quantise', '1', quantise());
write('sdiv', '1', sdiv());
write('exp2n', '1', exp2n());
write('isqrt', '1', isqrt());
write('embedding', '3', embedding());
write('rms-norm', '4', rmsNorm());
write('matmul', '5', matmul());
write('requantise', '6', requantise());
write('rope', '7', rope());
write('cache-entry', '8', cacheEntry());
write('attention', '9-10', attention());
write('swiglu', '11', swiglu());
write('residual-add', '12', residualAdd());
write('logit-weights', '14', logitWeights());
write('forward', '3-13', forward());
write('adjust-logits', '14', adjustLogits());
write('sampler', '14', sampler());
write('log2', '14.1', log2());
write('logprobs', '14.1', logprobs());
write('qk-norm', '6.2', qkNorm());
write('grammar', '14.2', grammar());
