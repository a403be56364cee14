// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a payer signs about one request (packages/protocol/src/request.ts): everything that says whose money a receipt may take, and how much of it.
struct Request {
    bytes32 requestHash;
    address payer;
    address node;
    bytes32 modelId;
    address asset;
    bytes32 channel;
    /// Highest cumulative amount of the account (node, payer, model, asset, channel) that the payer agrees to.
    uint256 cumulativeLimit;
}

bytes32 constant REQUEST_TYPEHASH = keccak256(
    "Request(bytes32 requestHash,address payer,address node,bytes32 modelId,address asset,bytes32 channel,uint256 cumulativeLimit)"
);
