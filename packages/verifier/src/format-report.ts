import type { Report, StepStatus, Verdict } from './report.ts';

const marks: Readonly<Record<StepStatus, string>> = { passed: 'ok  ', failed: 'FAIL', skipped: '-   ' };
const words: Readonly<Record<Verdict, string>> = { verified: 'VERIFIED', refuted: 'REFUTED', unchecked: 'COULD NOT CHECK' };

/** Plain text for a terminal; no colours, so that it reads the same in a file. Details come from the bundle: control and direction characters are shown, not sent. */
export function formatReport(report: Report): string {
  const { receipt } = report;
  const lines = [
    `receipt ${receipt.id}`,
    `node    ${receipt.node} on chain ${receipt.chainId}`,
    `model   ${receipt.modelId}`,
    `tokens  ${receipt.promptTokens} prompt, ${receipt.completionTokens} answer, finish ${receipt.finishReason}`,
    '',
    ...report.steps.map(({ status, title, detail }) => `${marks[status]}  ${title}\n      ${detail}`),
    '',
    `${words[report.verdict]}: ${report.summary}`,
    ...differenceLines(report),
    ...list('Not checked:', report.notChecked),
    ...list('What remains trust:', report.trust),
  ];
  return `${visible(lines.join('\n'))}\n`;
}

function differenceLines({ placeDifference: place, tokenDifference: token }: Report): string[] {
  return [
    ...(place
      ? [`First differing place: position ${place.position}, commit point ${place.commitPoint} (after layer ${place.layer}).`]
      : []),
    ...(token
      ? [
          `First differing token: position ${token.position} (answer token ${token.index + 1}), claimed ${token.claimed}, sampled ${token.sampled}.`,
        ]
      : []),
  ];
}

const list = (heading: string, items: readonly string[]): string[] =>
  items.length === 0 ? [] : ['', heading, ...items.map((item) => `  - ${item}`)];

const visible = (text: string): string => text.replace(/(?!\n)[\p{Cc}\p{Cf}]/gu, (unit) => `\\u{${unit.codePointAt(0)!.toString(16)}}`);
