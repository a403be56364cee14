import { CommonweightError, type ErrorAction } from '@commonweight/protocol';

export type ChainErrorCode =
  /** No answer from the RPC URL, or not in time. */
  | 'chain_unreachable'
  /** A contract refused; `details.reason` is the name of its error, `details.args` its arguments. */
  | 'chain_reverted'
  /** The RPC URL serves another chain, or nothing is deployed at our addresses. */
  | 'wrong_chain'
  /** The RPC URL answered with an error that is no revert (no funds, unknown method). */
  | 'chain_rpc'
  /** A transaction was not mined in time, replacements included. */
  | 'chain_timeout'
  /** Too many transactions of one key wait already. */
  | 'chain_busy'
  /** A transaction was asked for from a client without a key. */
  | 'chain_read_only'
  /** A payment cannot be settled: `details.reason` is what x402 calls it. */
  | 'payment_refused'
  /** A facilitator was asked for a transaction that settles no payment in one of its assets. */
  | 'call_refused'
  /** A genesis file is not what a network can be founded on. */
  | 'bad_genesis'
  /** The chain lacks what every deployment needs: the CREATE2 factory. */
  | 'no_create2_factory'
  /** The account cannot pay for the gas. */
  | 'insufficient_funds'
  /** The code at one of our addresses is not ours. */
  | 'wrong_code'
  /** An address that is none of our contracts holds a power over them. */
  | 'special_power'
  /** A proposal that cannot be made: no change, an unknown parameter, a value out of bounds. */
  | 'bad_proposal'
  /** No proposal, or several, by that number. */
  | 'no_proposal'
  /** A proposal is not yet, or no longer, what a step needs. */
  | 'proposal_state'
  /** More than there is was to be moved. */
  | 'too_much'
  /** Nothing can be withdrawn yet. */
  | 'nothing_due'
  /** Another process runs a development chain in this data directory. */
  | 'dev_chain_locked'
  /** anvil or its guard did not start or ended. */
  | 'dev_chain_failed'
  /** No anvil binary for this platform. */
  | 'no_anvil'
  /** A file of the data directory is not what we wrote. */
  | 'dev_chain_file';

const actions: Record<ChainErrorCode, ErrorAction> = {
  chain_unreachable: 'retry',
  chain_reverted: 'fix-input',
  wrong_chain: 'stop',
  chain_rpc: 'fix-input',
  chain_timeout: 'retry',
  chain_busy: 'retry',
  chain_read_only: 'fix-input',
  payment_refused: 'fix-input',
  call_refused: 'fix-input',
  bad_genesis: 'fix-input',
  no_create2_factory: 'stop',
  insufficient_funds: 'fix-input',
  wrong_code: 'stop',
  special_power: 'stop',
  bad_proposal: 'fix-input',
  no_proposal: 'fix-input',
  proposal_state: 'retry',
  too_much: 'fix-input',
  nothing_due: 'retry',
  dev_chain_locked: 'fix-input',
  dev_chain_failed: 'stop',
  no_anvil: 'stop',
  dev_chain_file: 'stop',
};

export class ChainError extends CommonweightError {
  override readonly name = 'ChainError';
  declare readonly code: ChainErrorCode;

  constructor(code: ChainErrorCode, message: string, options: { details?: Readonly<Record<string, unknown>>; cause?: unknown } = {}) {
    super(message, { code, action: actions[code], ...options });
  }
}
