// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SealedMerkle} from "../../src/lib/SealedMerkle.sol";
import {ReferenceTree} from "../utils/ReferenceTree.sol";
import {Test} from "../utils/Test.sol";

contract SealedMerkleTest is Test {
    bytes1 private constant TAG = 0x13;

    /// @dev Siblings have to come as calldata.
    function includes(bytes1 tag, bytes32 data, uint64 index, uint64 count, bytes32[] calldata siblings, bytes32 root)
        external
        pure
        returns (bool)
    {
        return SealedMerkle.includes(tag, data, index, count, siblings, root);
    }

    function testFuzz_every_leaf_of_every_shape(uint8 size, uint8 index, bytes32 seed) public view {
        bytes32[] memory list = ReferenceTree.digests(bound(size, 1, 70), seed);
        uint64 place = uint64(bound(index, 0, list.length - 1));
        bytes32 root = ReferenceTree.root(TAG, list);
        bytes32[] memory siblings = ReferenceTree.proof(TAG, list, place);
        uint64 count = uint64(list.length);
        assertEq(this.includes(TAG, list[place], place, count, siblings, root), true, "included");
        assertEq(this.includes(0x12, list[place], place, count, siblings, root), false, "another tag");
        assertEq(this.includes(TAG, list[place], place, count + 1, siblings, root), false, "another count");
        assertEq(this.includes(TAG, list[place], count, count, siblings, root), false, "index out of range");
    }

    function testFuzz_a_changed_sibling_is_refused(uint8 size, uint8 index, uint8 which, uint8 bit, bytes32 seed) public view {
        bytes32[] memory list = ReferenceTree.digests(bound(size, 2, 70), seed);
        uint64 place = uint64(bound(index, 0, list.length - 1));
        bytes32[] memory siblings = ReferenceTree.proof(TAG, list, place);
        siblings[which % siblings.length] ^= bytes32(uint256(1) << bit);
        assertEq(
            this.includes(TAG, list[place], place, uint64(list.length), siblings, ReferenceTree.root(TAG, list)), false, "changed sibling"
        );
    }

    function test_too_many_and_too_few_siblings() public view {
        bytes32[] memory list = ReferenceTree.digests(5, 0);
        bytes32 root = ReferenceTree.root(TAG, list);
        bytes32[] memory siblings = ReferenceTree.proof(TAG, list, 0);
        bytes32[] memory longer = new bytes32[](siblings.length + 1);
        bytes32[] memory shorter = new bytes32[](siblings.length - 1);
        for (uint256 i = 0; i < siblings.length; i++) {
            longer[i] = siblings[i];
            if (i < shorter.length) shorter[i] = siblings[i];
        }
        assertEq(this.includes(TAG, list[0], 0, 5, siblings, root), true, "right");
        assertEq(this.includes(TAG, list[0], 0, 5, longer, root), false, "longer");
        assertEq(this.includes(TAG, list[0], 0, 5, shorter, root), false, "shorter");
    }

    function test_the_widest_tree_ends() public view {
        bytes32[] memory siblings = new bytes32[](64);
        assertEq(this.includes(TAG, 0, 0, type(uint64).max, siblings, 0), false, "no root");
    }
}
