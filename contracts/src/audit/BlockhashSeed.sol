// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReceiptLog} from "../settlement/ReceiptLog.sol";
import {AuditSeed} from "./AuditSeed.sol";

/// @title Audit seeds from block hashes, for development chains
/// @notice A round is a block; a batch's round is the block after its posting. Whoever makes blocks chooses the seed, so public chains are refused. The EVM knows the
/// last 256 hashes: a round that nobody delivered by then stays without a seed.
contract BlockhashSeed is AuditSeed {
    /// @notice Development chains have random ids from here on; public ones smaller ones.
    uint256 public constant LEAST_CHAIN_ID = 1 << 32;

    error PublicChain(uint256 chainId);
    error NoHash(uint64 round, uint256 blockNumber);

    constructor(ReceiptLog log) AuditSeed(log) {
        if (block.chainid < LEAST_CHAIN_ID) revert PublicChain(block.chainid);
    }

    /// @notice Records the hash of a block, while the EVM knows it. Anybody may call it.
    function deliver(uint64 round) external {
        bytes32 seed = blockhash(round);
        if (seed == 0) revert NoHash(round, block.number);
        _deliver(round, seed);
    }

    function _roundOf(ReceiptLog.Batch memory batch) internal pure override returns (uint64) {
        return batch.postedBlock + 1;
    }
}
