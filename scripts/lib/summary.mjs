/** One part of a run that is reported apart: `{ name, passed, failed, note }`. */

/** Reads vitest's JSON report. A file that cannot be loaded fails without a failed test of its own. */
export function vitestResult(name, json, code) {
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = json;
  const failed = numFailedTests === 0 && (code !== 0 || numPassedTests === 0) ? 1 : numFailedTests;
  const skipped = numPendingTests + numTodoTests;
  return { name, passed: numPassedTests, failed, note: skipped === 0 ? '' : `${skipped} skipped` };
}

/** Reads the last `N passed, N failed` of a program's output. One that fails, or says nothing, failed. */
export function countedResult(name, output, code) {
  const counts = [...output.matchAll(/(\d+) passed, (\d+) failed/gu)].at(-1);
  const passed = Number(counts?.[1] ?? 0);
  const failed = Number(counts?.[2] ?? 0);
  return { name, passed, failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed, note: '' };
}

export function total(results) {
  return results.reduce((sum, { passed, failed }) => ({ passed: sum.passed + passed, failed: sum.failed + failed }), {
    passed: 0,
    failed: 0,
  });
}

export function table(results) {
  const width = Math.max(...results.map(({ name }) => name.length));
  const line = ({ name, passed, failed, note }) =>
    `${failed === 0 ? 'ok  ' : 'FAIL'}  ${name.padEnd(width)}  ${passed} passed, ${failed} failed${note ? ` (${note})` : ''}`;
  return results.map(line).join('\n');
}
