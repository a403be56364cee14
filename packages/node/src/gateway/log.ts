import { pino } from 'pino';

/** The closed list of what a gateway logs. No event carries prompts, token ids, answers or keys. */
export type GatewayEvent =
  | 'started'
  | 'stopped'
  | 'chain_failed'
  | 'node_failed'
  | 'price_refused'
  | 'payment_refused'
  | 'paid'
  | 'answer_checked'
  | 'answer_refused'
  | 'chain_gap'
  | 'partial_kept'
  | 'request_not_kept'
  | 'client_gone'
  | 'internal_error';

type Write = (event: GatewayEvent, fields?: Readonly<Record<string, string | number | boolean | null>>) => void;

export interface GatewayLog {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

/** JSON lines on stderr. */
export function createGatewayLog(): GatewayLog {
  const logger = pino({ base: { role: 'gateway' }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
  const write =
    (level: 'info' | 'warn' | 'error'): Write =>
    (event, fields = {}) =>
      logger[level]({ event, ...fields });
  return { info: write('info'), warn: write('warn'), error: write('error') };
}
