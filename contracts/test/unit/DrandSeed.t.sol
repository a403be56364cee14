// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DrandSeed} from "../../src/audit/DrandSeed.sol";
import {IAuditSeed} from "../../src/audit/IAuditSeed.sol";
import {Bn254} from "../../src/lib/Bn254.sol";
import {HashToBn254} from "../../src/lib/HashToBn254.sol";
import {ReceiptLog} from "../../src/settlement/ReceiptLog.sol";
import {NodeFixture} from "../utils/NodeFixture.sol";

contract DrandSeedTest is NodeFixture {
    uint64 private constant MARGIN = 60;
    ReceiptLog private log = new ReceiptLog(registry);
    DrandSeed private drand = new DrandSeed(log, MARGIN);
    string private json = vm.readFile("../conformance/drand/evmnet.json");

    function test_published_rounds() public {
        uint256 cases = vm.parseJsonUint(json, ".caseCount");
        assertEq(cases >= 8, true, "vectors are there");
        for (uint256 i = 0; i < cases; i++) {
            (uint64 round, bytes memory signature, bytes32 randomness) = published(i);
            assertEq(drand.seedOf(round), 0, "not yet");
            vm.expectEmit(address(drand));
            emit IAuditSeed.Delivered(round, randomness);
            drand.deliver(round, signature);
            vm.snapshotGasLastCall("DrandSeed", "deliver");
            assertEq(drand.seedOf(round), randomness, vm.toString(round));
        }
    }

    function test_the_published_network() public view {
        assertEq(drand.GENESIS_TIME(), vm.parseJsonUint(json, ".genesisTime"), "genesis");
        assertEq(drand.PERIOD(), vm.parseJsonUint(json, ".period"), "period");
    }

    function test_another_round_is_refused() public {
        (uint64 round, bytes memory signature,) = published(0);
        vm.expectRevert(abi.encodeWithSelector(DrandSeed.NotTheRound.selector, round + 1));
        drand.deliver(round + 1, signature);
    }

    function testFuzz_a_flipped_bit_is_refused(uint256 which, uint256 bit) public {
        (uint64 round, bytes memory signature,) = published(which % vm.parseJsonUint(json, ".caseCount"));
        bit %= 512;
        signature[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        vm.expectRevert(abi.encodeWithSelector(DrandSeed.NotTheRound.selector, round));
        drand.deliver(round, signature);
    }

    function test_other_encodings_are_refused() public {
        (uint64 round, bytes memory signature,) = published(0);
        (uint256 x, uint256 y) = abi.decode(signature, (uint256, uint256));
        assertEq(drand.isSignature(round, abi.encode(x, y)), true, "as published");
        assertEq(drand.isSignature(round, abi.encode(x + Bn254.P, y)), false, "x beyond P");
        assertEq(drand.isSignature(round, abi.encode(x, y + Bn254.P)), false, "y beyond P");
        assertEq(drand.isSignature(round, abi.encode(x, Bn254.P - y)), false, "negated");
        assertEq(drand.isSignature(round, abi.encode(0, 0)), false, "the point at infinity");
        assertEq(drand.isSignature(round, abi.encode(x, y, 0)), false, "too long");
        assertEq(drand.isSignature(round, abi.encodePacked(x)), false, "too short");
    }

    function test_another_key_is_refused() public view {
        (uint64 round, bytes memory signature,) = published(0);
        bytes memory key = vm.parseJsonBytes(json, ".publicKey");
        Bn254.G1 memory hash = HashToBn254.hash(abi.encodePacked(keccak256(abi.encodePacked(round))), drand.DOMAIN());
        Bn254.G1 memory point = abi.decode(signature, (Bn254.G1));
        Bn254.G2 memory right = abi.decode(key, (Bn254.G2));
        assertEq(Bn254.isSignature(point, hash, right), true, "drand's");
        Bn254.G2 memory negated = Bn254.G2(right.xImaginary, right.xReal, Bn254.P - right.yImaginary, Bn254.P - right.yReal);
        assertEq(Bn254.isSignature(point, hash, negated), false, "its negative");
        Bn254.G2 memory swapped = Bn254.G2(right.xReal, right.xImaginary, right.yReal, right.yImaginary);
        assertEq(Bn254.isSignature(point, hash, swapped), false, "no point of the group");
        assertEq(Bn254.isSignature(point, hash, Bn254.G2(0, 0, 0, 0)), false, "the point at infinity");
    }

    function test_a_late_delivery_changes_nothing() public {
        (uint64 round, bytes memory signature, bytes32 randomness) = published(1);
        drand.deliver(round, signature);
        vm.warp(block.timestamp + 1000 days);
        drand.deliver(round, signature);
        assertEq(drand.seedOf(round), randomness, "the same");
        DrandSeed late = new DrandSeed(log, MARGIN);
        late.deliver(round, signature);
        assertEq(late.seedOf(round), randomness, "and for who comes first after years");
    }

    function test_the_first_round_after_posting_and_margin_draws() public {
        register(operator, SESSION);
        // round 513 is published 512 periods after genesis; the last posting time before it
        uint64 time = drand.GENESIS_TIME() + 512 * 3 - MARGIN - 1;
        vm.warp(time);
        post();
        assertEq(drand.roundOf(operator, 0), 513, "after, not at");
        vm.warp(time + 1);
        post();
        assertEq(drand.roundOf(operator, 1), 514, "published at that second: known already");
        assertEq(drand.batchSeed(operator, 0), 0, "not delivered");
        (uint64 round, bytes memory signature, bytes32 randomness) = published(1);
        drand.deliver(round, signature);
        assertEq(drand.batchSeed(operator, 0), keccak256(abi.encode(randomness, operator, uint64(0))), "seed of the batch");
        assertEq(drand.batchSeed(operator, 1), 0, "another round");
        vm.expectRevert(abi.encodeWithSelector(ReceiptLog.UnknownBatch.selector, operator, uint64(2)));
        drand.roundOf(operator, 2);
    }

    function testFuzz_rounds_of_times(uint64 time) public view {
        time = uint64(bound(time, 0, 1 << 40));
        uint64 round = drand.firstRoundAfter(time);
        uint64 publishedAt = drand.GENESIS_TIME() + (round - 1) * 3;
        assertEq(publishedAt > time, true, "after");
        assertEq(round == 1 || publishedAt - 3 <= time, true, "the first");
    }

    function post() private {
        uint64 next = log.nextBatch(operator);
        vm.prank(operator);
        log.post(operator, next, keccak256("root"), 1, 0);
    }

    function published(uint256 i) private view returns (uint64 round, bytes memory signature, bytes32 randomness) {
        string memory place = string.concat(".cases[", vm.toString(i), "]");
        round = uint64(vm.parseJsonUint(json, string.concat(place, ".round")));
        signature = vm.parseJsonBytes(json, string.concat(place, ".signature"));
        randomness = vm.parseJsonBytes32(json, string.concat(place, ".randomness"));
    }
}
