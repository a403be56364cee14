// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Merkle trees of the protocol (packages/protocol/src/merkle.ts)
/// @notice RFC 6962 shape (an odd node moves up unchanged), SHA-256, tagged leaves, and a root that binds the tag and the count.
library SealedMerkle {
    bytes1 private constant LEAF = 0x00;
    bytes1 private constant NODE = 0x01;
    bytes1 private constant ROOT = 0x02;

    function leaf(bytes1 tag, bytes32 data) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(LEAF, tag, data));
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(NODE, left, right));
    }

    function seal(bytes1 tag, uint64 count, bytes32 top) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(ROOT, tag, count, top));
    }

    /// @notice Whether `data` is leaf `index` of the tree of `count` leaves with this root. False on any malformed proof.
    function includes(bytes1 tag, bytes32 data, uint64 index, uint64 count, bytes32[] calldata siblings, bytes32 root)
        internal
        pure
        returns (bool)
    {
        (bool wellFormed, bytes32 proved) = rootOf(tag, data, index, count, siblings);
        return wellFormed && proved == root;
    }

    /// @notice The root of the tree of `count` leaves that has `data` as leaf `index`; not well-formed when there are too few or too many siblings, or no such leaf.
    /// @param siblings Bottom up; an odd node at the right edge has none. At most 64 rounds, whatever the caller passes.
    function rootOf(bytes1 tag, bytes32 data, uint64 index, uint64 count, bytes32[] calldata siblings)
        internal
        pure
        returns (bool wellFormed, bytes32 root)
    {
        if (index >= count) return (false, 0);
        bytes32 hash = leaf(tag, data);
        uint256 used = 0;
        uint256 place = index;
        for (uint256 width = count; width > 1; width = (width + 1) / 2) {
            bool isRight = place % 2 == 1;
            bool isAlone = !isRight && place + 1 == width;
            if (!isAlone) {
                if (used == siblings.length) return (false, 0);
                bytes32 sibling = siblings[used++];
                hash = isRight ? node(sibling, hash) : node(hash, sibling);
            }
            place /= 2;
        }
        return (used == siblings.length, seal(tag, count, hash));
    }
}
