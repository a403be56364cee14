// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReceiptLog} from "../../src/settlement/ReceiptLog.sol";
import {NodeFixture} from "../utils/NodeFixture.sol";
import {ReferenceTree} from "../utils/ReferenceTree.sol";

contract ReceiptLogTest is NodeFixture {
    ReceiptLog private log = new ReceiptLog(registry);
    bytes32 private constant ROOT = keccak256("root");
    bytes32 private constant DATA = keccak256("data");

    function test_the_operator_and_the_session_key_post() public {
        register(operator, SESSION);
        vm.warp(1000);
        vm.expectEmit(address(log));
        emit ReceiptLog.BatchPosted(operator, 0, ROOT, 3, DATA);
        vm.prank(operator);
        log.post(operator, 0, ROOT, 3, DATA);
        vm.prank(vm.addr(SESSION));
        log.post(operator, 1, ROOT, 4, DATA);
        vm.snapshotGasLastCall("ReceiptLog", "post");
        assertEq(log.nextBatch(operator), 2, "next");
        ReceiptLog.Batch memory first = log.batch(operator, 0);
        assertEq(first.root, bytes22(ROOT), "root, cut");
        assertEq(first.count, 3, "count");
        assertEq(first.postedAt, 1000, "time");
    }

    function testFuzz_strangers_do_not_post(address stranger) public {
        vm.assume(stranger != operator && stranger != vm.addr(SESSION));
        register(operator, SESSION);
        vm.expectRevert(abi.encodeWithSelector(ReceiptLog.NotNode.selector, operator, stranger));
        vm.prank(stranger);
        log.post(operator, 0, ROOT, 1, DATA);
    }

    function test_a_rotated_key_does_not_post() public {
        register(operator, SESSION);
        bytes memory proof = proofOf(0xB0B, operator);
        vm.prank(operator);
        registry.rotateSessionKey(vm.addr(0xB0B), proof);
        vm.expectRevert(abi.encodeWithSelector(ReceiptLog.NotNode.selector, operator, vm.addr(SESSION)));
        vm.prank(vm.addr(SESSION));
        log.post(operator, 0, ROOT, 1, DATA);
        vm.prank(vm.addr(0xB0B));
        log.post(operator, 0, ROOT, 1, DATA);
    }

    function test_a_node_finishes_after_its_exit_its_session_key_does_not() public {
        register(operator, SESSION);
        vm.prank(operator);
        registry.requestExit();
        vm.prank(vm.addr(SESSION));
        log.post(operator, 0, ROOT, 1, DATA);
        vm.warp(block.timestamp + DELAY);
        vm.startPrank(operator);
        registry.withdraw(payable(operator));
        log.post(operator, 1, ROOT, 1, DATA);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(ReceiptLog.NotNode.selector, operator, vm.addr(SESSION)));
        vm.prank(vm.addr(SESSION));
        log.post(operator, 2, ROOT, 1, DATA);
        register(operator, SESSION);
        vm.prank(vm.addr(SESSION));
        log.post(operator, 2, ROOT, 1, DATA);
        assertEq(log.nextBatch(operator), 3, "the count goes on after a new registration");
    }

    function testFuzz_the_next_batch_is_found(uint256 count) public {
        count = bound(count, 0, 70);
        vm.startPrank(operator);
        for (uint64 i = 0; i < count; i++) {
            log.post(operator, i, ROOT, 1, DATA);
        }
        vm.stopPrank();
        assertEq(log.nextBatch(operator), count, "next");
        assertEq(log.isPosted(operator, uint64(count)), false, "not posted");
        if (count != 0) assertEq(log.isPosted(operator, uint64(count - 1)), true, "posted");
    }

    function testFuzz_batches_are_gapless(uint64 index) public {
        register(operator, SESSION);
        vm.startPrank(operator);
        log.post(operator, 0, ROOT, 1, DATA);
        vm.assume(index != 1);
        vm.expectRevert(abi.encodeWithSelector(ReceiptLog.NotNextBatch.selector, operator, 1, index));
        log.post(operator, index, ROOT, 1, DATA);
        vm.stopPrank();
    }

    function test_no_empty_batch() public {
        register(operator, SESSION);
        vm.expectRevert(ReceiptLog.EmptyBatch.selector);
        vm.prank(operator);
        log.post(operator, 0, ROOT, 0, DATA);
    }

    function test_unknown_batches() public {
        vm.expectRevert(abi.encodeWithSelector(ReceiptLog.UnknownBatch.selector, operator, 0));
        log.batch(operator, 0);
        assertEq(log.verifyInclusion(operator, 0, ROOT, 0, new bytes32[](0)), false, "nothing is in an unknown batch");
    }

    function testFuzz_inclusion(uint8 count, uint8 index, bytes32 seed) public {
        bytes32[] memory digests = ReferenceTree.digests(bound(count, 1, 40), seed);
        uint64 place = uint64(bound(index, 0, digests.length - 1));
        register(operator, SESSION);
        // hashed before the prank: the SHA-256 precompile would be the call that it applies to
        bytes32 root = ReferenceTree.root(0x13, digests);
        vm.prank(operator);
        log.post(operator, 0, root, uint16(digests.length), DATA);
        bytes32[] memory siblings = ReferenceTree.proof(0x13, digests, place);
        assertEq(log.verifyInclusion(operator, 0, digests[place], place, siblings), true, "included");
        assertEq(log.verifyInclusion(operator, 0, seed, place, siblings), false, "another digest");
        assertEq(log.verifyInclusion(operator, 1, digests[place], place, siblings), false, "another batch");
        assertEq(log.verifyInclusion(vm.addr(9), 0, digests[place], place, siblings), false, "another node");
        if (digests.length > 1) {
            assertEq(log.verifyInclusion(operator, 0, digests[place], place ^ 1, siblings), false, "another place");
        }
    }
}
