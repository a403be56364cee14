// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlockhashSeed} from "../../src/audit/BlockhashSeed.sol";
import {ReceiptLog} from "../../src/settlement/ReceiptLog.sol";
import {NodeFixture} from "../utils/NodeFixture.sol";

contract BlockhashSeedTest is NodeFixture {
    ReceiptLog private log = new ReceiptLog(registry);
    BlockhashSeed private seeds;

    function setUp() public {
        vm.chainId(1 << 40);
        seeds = new BlockhashSeed(log);
        register(operator, SESSION);
        vm.roll(1000);
        vm.prank(operator);
        log.post(operator, 0, keccak256("root"), 1, 0);
    }

    function testFuzz_public_chains_are_refused(uint32 chainId) public {
        vm.assume(chainId != 0);
        vm.chainId(chainId);
        vm.expectRevert(abi.encodeWithSelector(BlockhashSeed.PublicChain.selector, chainId));
        new BlockhashSeed(log);
    }

    function test_the_block_after_the_posting_draws() public {
        assertEq(seeds.roundOf(operator, 0), 1001, "round");
        bytes memory early = abi.encodeWithSelector(BlockhashSeed.NoHash.selector, uint64(1001), 1001);
        vm.roll(1001);
        vm.expectRevert(early);
        seeds.deliver(1001);
        assertEq(seeds.batchSeed(operator, 0), 0, "not yet");
        vm.roll(1002);
        seeds.deliver(1001);
        bytes32 seed = blockhash(1001);
        assertEq(seeds.seedOf(1001), seed, "seed");
        assertEq(seeds.batchSeed(operator, 0), keccak256(abi.encode(seed, operator, uint64(0))), "of the batch");
        vm.roll(1200);
        seeds.deliver(1001);
        assertEq(seeds.seedOf(1001), seed, "for ever");
    }

    function test_a_missed_window_draws_nothing() public {
        vm.roll(1001 + 257);
        vm.expectRevert(abi.encodeWithSelector(BlockhashSeed.NoHash.selector, uint64(1001), 1001 + 257));
        seeds.deliver(1001);
        assertEq(seeds.roundOf(operator, 0), 1001, "and its round stays");
        assertEq(seeds.batchSeed(operator, 0), 0, "unaudited");
    }
}
