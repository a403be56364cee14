// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a node signs about one answer (packages/protocol/src/receipt.ts). Every field is static: its EIP-712 encoding is its ABI encoding.
struct Receipt {
    address node;
    address payer;
    bytes32 modelId;
    bytes32 requestHash;
    bytes32 idsRoot;
    bytes32 thinRoot;
    uint32 promptTokens;
    uint32 completionTokens;
    uint8 finishReason;
    uint256 promptPrice;
    uint256 completionPrice;
    address asset;
    uint256 cumulativeAmount;
    bytes32 channel;
    uint64 batch;
    uint64 sequence;
    bytes32 previous;
    uint64 issuedAt;
}

bytes32 constant RECEIPT_TYPEHASH = keccak256(
    "Receipt(address node,address payer,bytes32 modelId,bytes32 requestHash,bytes32 idsRoot,bytes32 thinRoot,uint32 promptTokens,uint32 completionTokens,uint8 finishReason,uint256 promptPrice,uint256 completionPrice,address asset,uint256 cumulativeAmount,bytes32 channel,uint64 batch,uint64 sequence,bytes32 previous,uint64 issuedAt)"
);
