import { profiles } from './profiles.ts';
import type { Result } from './result.ts';

const percent = (x: number, digits: number): string => `${(100 * x).toFixed(digits)} %`;
const signed = (x: number): string => `${x < 0 ? '' : '+'}${percent(x, 3)}`;

/** The table of docs/quality.md. */
export function tableOf(results: readonly Result[]): string {
  const [{ floatPerplexity, predictions }] = results as [Result];
  const rows = results.map(({ profile, bytes, perplexity, perplexityChange, divergence, top1Agreement, passed }) => {
    const { title, targets } = profiles[profile];
    const target = targets ? `+${percent(targets.perplexity, 1)}, ${targets.divergence}: ${passed ? 'met' : 'MISSED'}` : '';
    return [
      title,
      (bytes / 1e6).toFixed(1),
      perplexity.toFixed(4),
      signed(perplexityChange),
      divergence.toFixed(5),
      percent(top1Agreement, 2),
      predictions.toLocaleString('en'),
      target,
      `\`npm run bench:quality -- --profile ${profile}\``,
    ];
  });
  const float = ['float32 of the same file', '', floatPerplexity.toFixed(4), '', '0', '100 %', predictions.toLocaleString('en'), '', ''];
  const head = ['model', 'MB', 'perplexity', 'change', 'KL', 'top-1', 'predictions', 'target', 'command'];
  return [head, head.map(() => '---'), float, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
