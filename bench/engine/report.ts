import type { Place, Results } from './results.ts';
import type { Engine } from './subjects/messages.ts';

const OURS = ['wasm', 'native'] as const;
const MODELS = ['135M', '1.1B'];
const THREADS = [1, 2];
const PREFILL_TOKENS = 256;

/** The tables for a reader; a dash is what was not measured. */
export function report(results: Results): string {
  const places = MODELS.flatMap((model) => THREADS.map((threads) => ({ model, threads })));
  const tables = [
    speedTable(results, places, 'decode', 'Decode, tokens a second at positions 64 to 128 (times llama.cpp)', 1),
    speedTable(results, places, 'prefill', `Prefill of ${PREFILL_TOKENS} tokens, tokens a second (times llama.cpp)`, PREFILL_TOKENS),
    shareTable(results, places),
    startTable(results, [...places, LARGE]),
    largeLine(results),
  ];
  const reasons = results.reasons.map((reason) => `not measured: ${reason}`);
  return [...tables.filter((table) => table !== ''), ...reasons].join('\n\n');
}

const LARGE = { model: '8B', threads: 1 };

type Where = Omit<Place, 'measure'>;

function speedTable(results: Results, places: readonly Where[], measure: string, title: string, tokens: number): string {
  const rate = (where: Where, name: string, engine: Engine): string => {
    const time = results.median({ measure: name, ...where }, engine);
    return time === null ? '-' : ((1000 * tokens) / time).toFixed(1);
  };
  const rows = places.map((where) => [
    nameOf(where),
    rate(where, measure, 'llama'),
    ...(measure === 'decode' ? [rate(where, 'loop', 'llama')] : []),
    ...OURS.map((engine) => {
      const speed = results.speed({ measure, ...where }, engine);
      return speed === null ? rate(where, measure, engine) : `${rate(where, measure, engine)} (${speed.toFixed(2)})`;
    }),
  ]);
  const heads = ['model', 'llama.cpp', ...(measure === 'decode' ? ['its JavaScript loop'] : []), 'WASM', 'native'];
  return table(title, heads, rows);
}

function shareTable(results: Results, places: readonly Where[]): string {
  const share = (where: Where, part: string, whole: string, engine: Engine): string => {
    const value = results.share({ measure: part, ...where }, { measure: whole, ...where }, engine);
    return value === null ? '-' : `${(100 * value).toFixed(part === 'commitment' ? 2 : 1)} %`;
  };
  const batch = (where: Where, engine: Engine): string => {
    const value = results.share({ measure: 'batch1', ...where }, { measure: 'batch8', ...where }, engine);
    return value === null ? '-' : `${(8 * value).toFixed(2)} x`;
  };
  const rows = places.flatMap((where) =>
    OURS.map((engine) => [
      `${nameOf(where)}, ${engine}`,
      share(where, 'commitment', 'token', engine),
      share(where, 'reexecute', 'generate', engine),
      share(where, 'int8.reexecute', 'int8.generate', engine),
      batch(where, engine),
    ]),
  );
  return table(
    'Commitment in a decode step; re-execution of 64 + 256 tokens over generating them; eight streams over one',
    ['', 'commitment', 're-execution', 'with 8-bit activations', 'eight streams'],
    rows,
  );
}

function startTable(results: Results, places: readonly Where[]): string {
  const at = (where: Where, measure: string, engine: Engine): number => results.median({ measure, ...where }, engine) ?? NaN;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  const rows = places.flatMap((where) =>
    OURS.filter((engine) => !Number.isNaN(at(where, 'peak', engine))).map((engine) => {
      const [peak, weights, cache] = ['peak', 'weights', 'cache'].map((measure) => at(where, measure, engine)) as [number, number, number];
      return [
        `${nameOf(where)}, ${engine}`,
        `${at(where, 'load', engine).toFixed(0)} ms`,
        `${at(where, 'toFirstToken', engine).toFixed(0)} ms`,
        `${megabytes(peak)} MB`,
        `${megabytes(weights)} + ${megabytes(cache)} MB`,
        `${megabytes(peak - weights - cache)} MB`,
      ];
    }),
  );
  return table(
    'Load (weights checked against their Merkle root) to first token; peak resident memory after 256 + 32 tokens (8B: 8 + 8)',
    ['', 'load', 'with start of Node', 'peak', 'weights + KV cache', 'above them'],
    rows,
  );
}

function largeLine(results: Results): string {
  const time = results.median({ measure: 'decode', ...LARGE }, 'native');
  return time === null ? '' : `A model of more than 4 GiB in the addon: ${(1000 / time).toFixed(2)} tokens a second over 8 tokens.`;
}

const nameOf = ({ model, threads }: Where): string => `${model}, ${threads} thread${threads === 1 ? '' : 's'}`;

/** Markdown; rows without a figure are left out, and so is a table without rows. */
function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const filled = rows.filter(([, ...cells]) => cells.some((cell) => cell !== '-'));
  if (filled.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [`${title}:`, '', line(heads), line(heads.map(() => '---')), ...filled.map(line)].join('\n');
}
