/** Every parameter of `contracts/src/governance/Parameters.sol`, with what its number counts: the contract knows numbers only. */
export const parameterUnits = {
  /** For the node to show a receipt that is said to be missing. */
  answerWindow: 'seconds',
  /** Share of the posted receipts that are audited. */
  auditRate: 'basis points',
  /** What a challenger deposits. */
  challengeBond: 'tokens',
  /** Delegated stake that counts beside an operator's own. */
  delegationRatio: 'times the own stake',
  /** From a receipt that was shown to the end of its dispute window. */
  disputeWindow: 'seconds',
  /** Part of an operator's own stake that a fault of its signatures costs. */
  faultPenalty: 'basis points',
  /** From a model's publication to the return of its deposit. */
  modelChallengeWindow: 'seconds',
  /** What a publication of a model deposits. */
  modelDeposit: 'ether',
  /** From a receipt's time to the posting of its batch. */
  postingWindow: 'seconds',
  /** From a payment to the right to take back what no receipt covered. */
  refundWindow: 'seconds',
  /** Most of an operator's stake that one slash takes. */
  slashFraction: 'basis points',
  /** From a request to withdraw stake to the withdrawal. */
  thawPeriod: 'seconds',
} as const;

export type ParameterName = keyof typeof parameterUnits;
