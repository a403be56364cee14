import { expect, test } from 'vitest';
import { nodeVersionProblem } from './node-version.mjs';
import { explain } from './problems.mjs';
import { countedResult, total, vitestResult } from './summary.mjs';

test.each([
  [
    'npm error code EAI_AGAIN\nnpm error request to https://host failed',
    /^No network while installing packages: .*run the command again\.$/u,
  ],
  [
    'npm error code ENOSPC\nnpm error nospc no space left on device',
    /^The disk is full while installing packages: free about 1\.5 GB .* run the command again\.$/u,
  ],
  ['npm error code EACCES', /^No permission while installing packages: /u],
])('%j is one sentence', (output, sentence) => {
  expect(explain('installing packages', output, '/clone')).toMatch(sentence);
});

test('anything else shows the end of the output', () => {
  expect(explain('building', 'src/a.ts(1,1): error TS1', '/clone')).toContain('error TS1');
});

test.each(['16.20.0', '18.19.0', '20.18.3'])('Node %s is too old', (version) => {
  expect(nodeVersionProblem(version)).toBe(
    `Commonweight needs Node >= 20.19, and this is Node ${version}: install a newer one from https://nodejs.org and run the command again.`,
  );
});

test.each(['20.19.0', '22.0.0', '24.1.0'])('Node %s will do', (version) => {
  expect(nodeVersionProblem(version)).toBeUndefined();
});

test('a part that fails, or says nothing, counts as failed', () => {
  expect(countedResult('x', 'x: 3 passed, 0 failed', 0)).toMatchObject({ passed: 3, failed: 0 });
  expect(countedResult('x', 'x: 3 passed, 0 failed', 1)).toMatchObject({ passed: 3, failed: 1 });
  expect(countedResult('x', 'crash', 1)).toMatchObject({ passed: 0, failed: 1 });
  expect(countedResult('x', '', 0)).toMatchObject({ passed: 0, failed: 1 });
  expect(vitestResult('v', { numPassedTests: 5, numFailedTests: 0 }, 1)).toMatchObject({ passed: 5, failed: 1 });
  expect(
    total([
      { passed: 1, failed: 2 },
      { passed: 3, failed: 0 },
    ]),
  ).toEqual({ passed: 4, failed: 2 });
});
