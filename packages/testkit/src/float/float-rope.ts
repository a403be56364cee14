import type { RopeParameters } from '@commonweight/models';

/** Angles of one position, pair by pair, with `Math.*`: a restatement of SPEC section 2.3. */
export function floatFrequencies({ base, scaling }: RopeParameters, headDimension: number): number[] {
  const plain = Array.from({ length: headDimension / 2 }, (_, i) => base ** ((-2 * i) / headDimension));
  switch (scaling.type) {
    case 'none':
      return plain;
    case 'linear':
      return plain.map((theta) => theta / scaling.factor);
    case 'factors':
      return plain.map((theta, i) => theta / scaling.factors[i]!);
    case 'yarn': {
      const pairOf = (turns: number): number =>
        (headDimension * Math.log(scaling.originalContext / (turns * 2 * Math.PI))) / (2 * Math.log(base));
      const low = Math.max(0, Math.floor(pairOf(scaling.betaFast)));
      const high = Math.min(headDimension - 1, Math.ceil(pairOf(scaling.betaSlow)));
      return plain.map((theta, i) => {
        const ramp = Math.min(1, Math.max(0, (i - low) / Math.max(0.001, high - low)));
        return theta * (1 - ramp) + (theta / scaling.factor) * ramp;
      });
    }
  }
}

export const floatAttentionFactor = ({ scaling }: RopeParameters): number => (scaling.type === 'yarn' ? scaling.attentionFactor : 1);
