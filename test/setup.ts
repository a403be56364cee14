import fc from 'fast-check';

// `npm run test:nightly` asks for more cases of every property that names no number of its own
const runs = Number(process.env['COMMONWEIGHT_TEST_RUNS'] ?? 0);
if (runs > 0) fc.configureGlobal({ numRuns: 100 * runs });
