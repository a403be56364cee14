import { pino } from 'pino';

/** The closed list of what a worker logs. No event carries prompts, token ids, answers or keys. */
export type WorkerEvent =
  | 'started'
  | 'stopped'
  | 'failed'
  | 'journal_replayed'
  | 'journal_torn_tail'
  | 'node_registered'
  | 'engine_backend'
  | 'engine_ready'
  | 'engine_crashed'
  | 'engine_run_failed'
  | 'engine_gone'
  | 'run_started'
  | 'run_refused'
  | 'run_abandoned'
  | 'receipt_signed'
  | 'batch_posted'
  | 'payment_settled'
  | 'deposit_settled'
  | 'payment_failed'
  | 'payments_recovered'
  | 'channels_claimed'
  | 'channel_set_aside'
  | 'revenue_covered'
  | 'revenue_not_covered'
  | 'revenue_released'
  | 'challenge_answered'
  | 'challenge_lost'
  | 'chain_failed'
  | 'digests_not_stored'
  | 'internal_error';

type Write = (event: WorkerEvent, fields?: Readonly<Record<string, string | number | boolean | null>>) => void;

export interface WorkerLog {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

/** JSON lines on stderr. */
export function createWorkerLog(node: string): WorkerLog {
  const logger = pino(
    { base: { role: 'worker', node }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
  const write =
    (level: 'info' | 'warn' | 'error'): Write =>
    (event, fields = {}) =>
      logger[level]({ event, ...fields });
  return { info: write('info'), warn: write('warn'), error: write('error') };
}
