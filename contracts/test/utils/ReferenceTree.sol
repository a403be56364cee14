// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SealedMerkle} from "../../src/lib/SealedMerkle.sol";

/// @title The tree by RFC 6962's own recursive definition (section 2.1), to compare the iterative verifier with
library ReferenceTree {
    function digests(uint256 count, bytes32 seed) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = keccak256(abi.encode(seed, i));
        }
    }

    function root(bytes1 tag, bytes32[] memory list) internal pure returns (bytes32) {
        return SealedMerkle.seal(tag, uint64(list.length), top(tag, list, 0, list.length));
    }

    /// @notice MTH(D[from:to])
    function top(bytes1 tag, bytes32[] memory list, uint256 from, uint256 to) internal pure returns (bytes32) {
        if (to - from == 1) return SealedMerkle.leaf(tag, list[from]);
        uint256 middle = from + split(to - from);
        return SealedMerkle.node(top(tag, list, from, middle), top(tag, list, middle, to));
    }

    /// @notice PATH(index, D)
    function proof(bytes1 tag, bytes32[] memory list, uint256 index) internal pure returns (bytes32[] memory siblings) {
        bytes32[] memory topDown = new bytes32[](64);
        uint256 used = 0;
        uint256 from = 0;
        uint256 to = list.length;
        while (to - from > 1) {
            uint256 middle = from + split(to - from);
            if (index < middle) {
                topDown[used++] = top(tag, list, middle, to);
                to = middle;
            } else {
                topDown[used++] = top(tag, list, from, middle);
                from = middle;
            }
        }
        siblings = new bytes32[](used);
        for (uint256 i = 0; i < used; i++) {
            siblings[i] = topDown[used - 1 - i];
        }
    }

    /// @dev Largest power of two below `count`.
    function split(uint256 count) private pure returns (uint256 size) {
        size = 1;
        while (size * 2 < count) size *= 2;
    }
}
