export * from './abis.gen.ts';
export { type Chain, type ConnectOptions, connectChain } from './clients.ts';
export { type Power, checkPowers } from './deploy/check-powers.ts';
export { type DeployOptions, type DeployProgress, deployContracts, deploymentAddresses } from './deploy/deploy-contracts.ts';
export { type DevDeployOptions, deployDevNetwork, devDeploymentDigest, isCurrentDevDeployment } from './deploy/deploy-dev-network.ts';
export { devGenesis } from './deploy/dev-genesis.ts';
export type { Genesis } from './deploy/genesis.ts';
export { type PreparedDeployment, prepareDeployment } from './deploy/prepare.ts';
export { readGenesis } from './deploy/read-genesis.ts';
export * from './deployments.ts';
export { type DevContracts, type DevContractsOptions, fundDollars, installDevContracts } from './dev-contracts.ts';
export { type DevChain, type DevChainOptions, startDevChain } from './dev-chain.ts';
export * from './errors.ts';
export { generateKey } from './keys.ts';
export { limits as chainLimits } from './limits.ts';
export { type ConfirmOptions, type Inclusion, confirmed } from './confirmations.ts';
export * from './payments/abis.gen.ts';
export * from './payments/addresses.ts';
export { type ChannelClaim, type ChannelOnChain, type ChannelsClient, type Mined, channelsClient } from './payments/channels-client.ts';
export { checkPaymentContracts } from './payments/check-contracts.ts';
export { type Settlement, findSettlement } from './payments/find-settlement.ts';
export { type Facilitator, type FacilitatorOptions, startFacilitator } from './payments/facilitator.ts';
export type { FaultsClient, OmissionChallenge, SignedReceipt } from './faults-client.ts';
export { type ModelLine, lineId } from './model-lines-client.ts';
export type { ModelParent, ShareEarnings, SharesInfo } from './model-shares-client.ts';
export { tokenBalance } from './payments/token-balance.ts';
export { tokenDomain } from './payments/token-domain.ts';
export type { ModelPublication, ModelRecord } from './models-client.ts';
export type { ModelPrice, NodeOffer, NodeRecord, NodeRegistration } from './nodes-client.ts';
export type { BatchPosting, BatchRecord } from './receipts-client.ts';
export { type NodeRegistryDomain, proveSessionKey, sessionKeyDigest } from './session-key-proof.ts';
export { type SettlementClient, type ShownReceipt, settlementClient } from './settlement-client.ts';
export { Submitter, type SubmitterOptions, type Transaction } from './submitter.ts';
export { type Rpc, connectRpc } from './rpc.ts';
export { setParameter, setSplit } from './governance/actions.ts';
export { formatParameter } from './governance/describe-action.ts';
export {
  type GovernanceClient,
  type NamedParameter,
  type Vote,
  connectGovernance,
  hexOf as proposalHex,
} from './governance/governance-client.ts';
export type { Action, Proposal, ProposalState } from './governance/proposals.ts';
export { parameterUnits } from './deploy/parameter-units.ts';
export { ETHER, formatAmount, parseAmount } from './units.ts';
export { type OperatorStake, type StakePosition, type StakingClient, connectStaking } from './staking-client.ts';
export { type Asset, type WalletClient, connectWallet } from './wallet-client.ts';
export { type StakeForOptions, stakeForOperators } from './stake-for-operators.ts';
