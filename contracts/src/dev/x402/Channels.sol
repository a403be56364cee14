// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Terms of a payment channel. They never change: other terms are another channel.
struct ChannelConfig {
    address payer;
    // signs vouchers for the payer (a plain key), or zero: then the payer signs, who may be a contract
    address payerAuthorizer;
    address receiver;
    // signs batches of claims and refunds
    address receiverAuthorizer;
    address token;
    // seconds between the start and the end of a withdrawal
    uint40 withdrawDelay;
    bytes32 salt;
}

struct Voucher {
    ChannelConfig channel;
    uint128 maxClaimableAmount;
}

struct VoucherClaim {
    Voucher voucher;
    bytes signature;
    uint128 totalClaimed;
}

/// @notice Brings the tokens of a deposit from the payer to the escrow, which calls it.
interface IDepositCollector {
    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata data) external;
}
