// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReceiptLog} from "../settlement/ReceiptLog.sol";
import {IAuditSeed} from "./IAuditSeed.sol";

/// @title What sources of audit seeds have in common
abstract contract AuditSeed is IAuditSeed {
    ReceiptLog public immutable LOG;

    mapping(uint64 round => bytes32) public seedOf;

    constructor(ReceiptLog log) {
        LOG = log;
    }

    /// @inheritdoc IAuditSeed
    function roundOf(address node, uint64 batchIndex) external view returns (uint64) {
        return _roundOf(LOG.batch(node, batchIndex));
    }

    /// @inheritdoc IAuditSeed
    function batchSeed(address node, uint64 batchIndex) external view returns (bytes32) {
        bytes32 seed = seedOf[_roundOf(LOG.batch(node, batchIndex))];
        return seed == 0 ? bytes32(0) : keccak256(abi.encode(seed, node, batchIndex));
    }

    function _deliver(uint64 round, bytes32 seed) internal {
        if (seedOf[round] != 0) return;
        seedOf[round] = seed;
        emit Delivered(round, seed);
    }

    function _roundOf(ReceiptLog.Batch memory batch) internal view virtual returns (uint64);
}
