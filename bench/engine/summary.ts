import type { Results } from './results.ts';

type Ratio = number | null;
type PerThreads = Readonly<Record<'t1' | 't2', Ratio>>;
type PerModel = Readonly<Record<'135M' | '1.1B', PerThreads>>;

/** The JSON line. Speeds are ours over llama.cpp's, fractions of a whole; null is what was not measured. Prefill, batches, re-execution and peak: 1.1B shape, two threads. */
export interface Summary {
  readonly decode: Readonly<Record<'wasm' | 'native', PerModel>>;
  readonly prefill: Readonly<Record<'wasm' | 'native', Ratio>>;
  /** Tokens a second of eight streams over those of one. */
  readonly batch8: Readonly<Record<'wasm' | 'native', Ratio>>;
  /** The largest share over models, engines and threads. */
  readonly commitment: Ratio;
  readonly reexecution: Readonly<Record<'wasm' | 'native14' | 'native8', Ratio>>;
  /** Largest resident size of the WASM process. */
  readonly peakMB: Ratio;
}

const OURS = ['wasm', 'native'] as const;
const STREAMS = 8;

export function summarise(results: Results): Summary {
  const large = (measure: string) => ({ measure, model: '1.1B', threads: 2 });
  const decodeOf = (engine: 'wasm' | 'native', model: string): PerThreads => ({
    t1: results.speed({ measure: 'decode', model, threads: 1 }, engine),
    t2: results.speed({ measure: 'decode', model, threads: 2 }, engine),
  });
  const decode = (engine: 'wasm' | 'native'): PerModel => ({ '135M': decodeOf(engine, '135M'), '1.1B': decodeOf(engine, '1.1B') });
  const prefill = (engine: 'wasm' | 'native'): Ratio => results.speed(large('prefill'), engine);
  const batch8 = (engine: 'wasm' | 'native'): Ratio => {
    const share = results.share(large('batch1'), large(`batch${STREAMS}`), engine);
    return share === null ? null : STREAMS * share;
  };
  const commitments = ['135M', '1.1B'].flatMap((model) =>
    [1, 2].flatMap((threads) =>
      OURS.map((engine) => results.share({ measure: 'commitment', model, threads }, { measure: 'token', model, threads }, engine)),
    ),
  );
  const peak = results.median(large('peak'), 'wasm');
  return rounded({
    decode: { wasm: decode('wasm'), native: decode('native') },
    prefill: { wasm: prefill('wasm'), native: prefill('native') },
    batch8: { wasm: batch8('wasm'), native: batch8('native') },
    commitment: commitments.reduce((most, share) => (share === null ? most : Math.max(most ?? 0, share)), null),
    reexecution: {
      wasm: results.share(large('reexecute'), large('generate'), 'wasm'),
      native14: results.share(large('reexecute'), large('generate'), 'native'),
      native8: results.share(large('int8.reexecute'), large('int8.generate'), 'native'),
    },
    peakMB: peak === null ? null : peak / 1e6,
  });
}

/** Four digits: what the measurement is worth at most. */
const rounded = (summary: Summary): Summary =>
  JSON.parse(JSON.stringify(summary, (_, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value))) as Summary;
