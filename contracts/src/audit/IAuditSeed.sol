// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Where the randomness comes from that chooses what is audited
/// @notice A batch's round follows from its posting alone, and a round has one seed for ever: whoever delivers it, and however late, it is the same. A round that
/// nobody delivers draws nothing, and nothing is drawn in its place.
interface IAuditSeed {
    event Delivered(uint64 indexed round, bytes32 seed);

    /// @notice The round that draws for a posted batch: the first that nobody could know when it was posted. Reverts with UnknownBatch.
    function roundOf(address node, uint64 batchIndex) external view returns (uint64);

    /// @notice The seed of a round; zero until it is delivered.
    function seedOf(uint64 round) external view returns (bytes32);

    /// @notice The seed of a batch: keccak256(abi.encode(seed of its round, node, batchIndex)); zero until the round is delivered.
    function batchSeed(address node, uint64 batchIndex) external view returns (bytes32);
}
