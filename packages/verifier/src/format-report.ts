import type { PartialReport, Report, StepStatus, Verdict } from './report.ts';

const marks: Readonly<Record<StepStatus, string>> = { passed: 'ok  ', failed: 'FAIL', skipped: '-   ' };
const words: Readonly<Record<Verdict, string>> = { verified: 'VERIFIED', refuted: 'REFUTED', unchecked: 'COULD NOT CHECK' };

/** Plain text for a terminal; no colours, so that it reads the same in a file. Details come from the bundle: control and direction characters are shown, not sent. */
export function formatReport(report: Report | PartialReport): string {
  const lines = [
    ...subjectLines(report),
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

function subjectLines(report: Report | PartialReport): string[] {
  const signed = 'receipt' in report ? report.receipt : report.checkpoint;
  const end = 'receipt' in report ? `finish ${report.receipt.finishReason}` : 'broken off';
  return [
    'receipt' in report ? `receipt ${report.receipt.id}` : `request ${report.checkpoint.requestHash}`,
    `node    ${signed.node} on chain ${signed.chainId}`,
    `model   ${signed.modelId}`,
    `tokens  ${signed.promptTokens} prompt, ${'receipt' in report ? '' : 'the first '}${signed.completionTokens} answer, ${end}`,
  ];
}

function differenceLines(report: Report | PartialReport): string[] {
  const { tokenDifference: token } = report;
  const place = 'receipt' in report ? report.placeDifference : undefined;
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
