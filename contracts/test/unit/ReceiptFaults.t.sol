// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReceiptFaults} from "../../src/faults/ReceiptFaults.sol";
import {Receipt} from "../../src/settlement/Receipt.sol";
import {Staking} from "../../src/staking/Staking.sol";
import {EconomyFixture} from "../utils/EconomyFixture.sol";

contract ReceiptFaultsTest is EconomyFixture {
    address private accuser = address(0xACC);

    function setUp() public override {
        super.setUp();
        stakeToken.transfer(accuser, 10 ether);
        vm.prank(accuser);
        stakeToken.approve(address(faults), type(uint256).max);
    }

    function test_two_receipts_with_one_sequence_number_cost_stake_at_once() public {
        (ReceiptFaults.SignedReceipt memory a, ReceiptFaults.SignedReceipt memory b) = twoOfOneNumber();
        vm.prank(accuser);
        faults.equivocation(a, b);
        vm.snapshotGasLastCall("ReceiptFaults", "equivocation");
        assertEq(staking.ownStakeOf(operator), 900 ether, "a tenth of the own stake");
        assertEq(stakeToken.balanceOf(accuser), 60 ether, "half of it");
        assertEq(stakeToken.balanceOf(staking.BURNED()), 50 ether, "the rest burns");
    }

    function test_a_receipt_that_names_another_before_it_contradicts_it() public {
        Receipt memory first = receiptOf(1 ether);
        Receipt memory second = receiptOf(2 ether);
        (second.sequence, second.previous) = (1, keccak256("another receipt"));
        ReceiptFaults.SignedReceipt memory a = signed(first, SESSION);
        faults.equivocation(a, signed(second, SESSION));
        assertEq(staking.ownStakeOf(operator), 900 ether, "slashed");
        ReceiptFaults.SignedReceipt memory third = signed(receiptOf(3 ether), SESSION);
        vm.expectRevert(abi.encodeWithSelector(Staking.AlreadySlashed.selector, faults.equivocationOf(operator, payer, 0)));
        faults.equivocation(a, third);
    }

    function test_an_equivocation_is_slashed_for_once() public {
        (ReceiptFaults.SignedReceipt memory a, ReceiptFaults.SignedReceipt memory b) = twoOfOneNumber();
        faults.equivocation(a, b);
        bytes memory again = abi.encodeWithSelector(Staking.AlreadySlashed.selector, faults.equivocationOf(operator, payer, 0));
        vm.expectRevert(again);
        faults.equivocation(a, b);
        vm.expectRevert(again);
        faults.equivocation(b, a);
    }

    function test_receipts_that_agree_are_no_fault() public {
        Receipt memory first = receiptOf(1 ether);
        Receipt memory second = receiptOf(2 ether);
        (second.sequence, second.previous) = (1, log.receiptDigest(first));
        refused(first, SESSION, first, SESSION);
        refused(first, SESSION, second, SESSION);
        refused(second, SESSION, first, SESSION);
        second.sequence = 2;
        second.previous = "later";
        refused(first, SESSION, second, SESSION);
    }

    function test_receipts_for_two_payers_or_of_two_nodes_are_no_fault() public {
        (Receipt memory first, Receipt memory second) = (receiptOf(1 ether), receiptOf(1 ether));
        second.payer = address(1);
        refused(first, SESSION, second, SESSION);
        register(vm.addr(0x0222), 0x5E5);
        (second.payer, second.node) = (first.payer, vm.addr(0x0222));
        refused(first, SESSION, second, 0x5E5);
    }

    function test_a_strangers_signature_accuses_nobody() public {
        (ReceiptFaults.SignedReceipt memory a, ReceiptFaults.SignedReceipt memory b) = twoOfOneNumber();
        bytes32 digest = log.receiptDigest(b.receipt);
        b = signed(b.receipt, 0xBAD);
        bytes memory expected = abi.encodeWithSelector(ReceiptFaults.NotSignedByNode.selector, digest, operator);
        vm.expectRevert(expected);
        faults.equivocation(a, b);
        vm.expectRevert(expected);
        faults.challenge(b);
        b.signature = hex"00";
        vm.expectRevert(expected);
        faults.challenge(b);
        // the operator's own key is not his session key
        b = signed(b.receipt, 0x0123);
        vm.expectRevert(expected);
        faults.challenge(b);
    }

    function test_a_rotated_key_still_speaks_for_its_node() public {
        Receipt memory before = receiptOf(1 ether);
        bytes memory proof = proofOf(0xB0B, operator);
        vm.startPrank(operator);
        registry.rotateSessionKey(vm.addr(0xB0B), proof);
        registry.requestExit();
        vm.warp(block.timestamp + DELAY);
        registry.withdraw(payable(operator));
        vm.stopPrank();
        faults.equivocation(signed(before, SESSION), signed(receiptOf(2 ether), 0xB0B));
        assertEq(staking.ownStakeOf(operator), 900 ether, "slashed");
    }

    function test_a_node_without_own_stake_has_nothing_to_lose() public {
        register(vm.addr(0x0222), 0x5E5);
        (Receipt memory a, Receipt memory b) = (receiptOf(1 ether), receiptOf(2 ether));
        (a.node, b.node) = (vm.addr(0x0222), vm.addr(0x0222));
        (ReceiptFaults.SignedReceipt memory x, ReceiptFaults.SignedReceipt memory y) = (signed(a, 0x5E5), signed(b, 0x5E5));
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.NothingAtStake.selector, vm.addr(0x0222), 0, CHALLENGE_BOND));
        faults.equivocation(x, y);
    }

    /// @dev A fault is punished once: with next to nothing at stake its name would be used up for the price of that.
    function test_faults_cannot_be_bought_in_advance_for_next_to_nothing() public {
        address second = vm.addr(0x777);
        register(second, 0x888);
        (Receipt memory a, Receipt memory b) = (receiptOf(1 ether), receiptOf(2 ether));
        (a.node, b.node) = (second, second);
        (ReceiptFaults.SignedReceipt memory x, ReceiptFaults.SignedReceipt memory y) = (signed(a, 0x888), signed(b, 0x888));
        vm.warp(block.timestamp + POSTING_WINDOW);
        staking.stake(second, CHALLENGE_BOND - 1);
        bytes memory refusal = abi.encodeWithSelector(ReceiptFaults.NothingAtStake.selector, second, CHALLENGE_BOND - 1, CHALLENGE_BOND);
        vm.expectRevert(refusal);
        faults.equivocation(x, y);
        vm.expectRevert(refusal);
        challenge(x);

        // all of the least stake that can be lost, not a tenth of it
        staking.stake(second, 1);
        (a.sequence, b.sequence) = (1, 1);
        faults.equivocation(signed(a, 0x888), signed(b, 0x888));
        assertEq(staking.ownStakeOf(second), 0, "the bond at least");

        staking.stake(second, 1000 ether);
        (a.sequence, b.sequence) = (0, 0);
        faults.equivocation(x, y);
        assertEq(staking.ownStakeOf(second), 900 ether, "the first one still costs what it should");
    }

    function test_what_no_slash_can_take_is_not_at_stake() public {
        parameters.set("slashFraction", 100);
        staking.stake(vm.addr(0x777), 100 * CHALLENGE_BOND);
        register(vm.addr(0x777), 0x888);
        (Receipt memory a, Receipt memory b) = (receiptOf(1 ether), receiptOf(2 ether));
        (a.node, b.node) = (vm.addr(0x777), vm.addr(0x777));
        faults.equivocation(signed(a, 0x888), signed(b, 0x888));
        assertEq(staking.ownStakeOf(vm.addr(0x777)), 99 * CHALLENGE_BOND, "a hundredth");
        (a.sequence, b.sequence) = (1, 1);
        (ReceiptFaults.SignedReceipt memory x, ReceiptFaults.SignedReceipt memory y) = (signed(a, 0x888), signed(b, 0x888));
        vm.expectRevert(
            abi.encodeWithSelector(ReceiptFaults.NothingAtStake.selector, vm.addr(0x777), 99 * CHALLENGE_BOND / 100, CHALLENGE_BOND)
        );
        faults.equivocation(x, y);
    }

    function test_delegators_lose_nothing_by_it() public {
        delegate(5000 ether);
        (ReceiptFaults.SignedReceipt memory a, ReceiptFaults.SignedReceipt memory b) = twoOfOneNumber();
        faults.equivocation(a, b);
        (, uint256 worth) = staking.holdingOf(operator, address(this), false);
        assertEq(worth, 5000 ether, "whole");
        assertEq(staking.ownStakeOf(operator), 900 ether, "own");
    }

    function test_an_omitted_receipt_costs_stake_when_nobody_answers() public {
        ReceiptFaults.SignedReceipt memory s = signed(receiptOf(1 ether), SESSION);
        bytes32 id = log.receiptDigest(s.receipt);
        post(receiptOf(2 ether));
        challenge(s);
        vm.snapshotGasLastCall("ReceiptFaults", "challenge");
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.NotYetLost.selector, id, uint64(block.timestamp + ANSWER_WINDOW)));
        faults.punish(id);
        vm.warp(block.timestamp + ANSWER_WINDOW + 1);
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.TooLate.selector, id, uint64(block.timestamp - 1)));
        faults.answer(id, 0, new bytes32[](0));
        faults.punish(id);
        vm.snapshotGasLastCall("ReceiptFaults", "punish");
        assertEq(staking.ownStakeOf(operator), 900 ether, "slashed");
        assertEq(stakeToken.balanceOf(accuser), 60 ether, "bond and reward");
        assertEq(stakeToken.balanceOf(address(faults)), 0, "nothing stays");
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.NotChallenged.selector, id));
        faults.punish(id);
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.AlreadyChallenged.selector, id));
        challenge(s);
    }

    function test_an_inclusion_proof_answers_and_earns_the_bond() public {
        Receipt memory r = receiptOf(1 ether);
        ReceiptFaults.SignedReceipt memory s = signed(r, SESSION);
        bytes32 id = log.receiptDigest(r);
        bytes32[] memory siblings = post(r);
        challenge(s);
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.NotIncluded.selector, id));
        faults.answer(id, 0, siblings);
        faults.answer(id, 1, siblings);
        vm.snapshotGasLastCall("ReceiptFaults", "answer");
        assertEq(stakeToken.balanceOf(operator), CHALLENGE_BOND, "for the node's cost");
        assertEq(faults.openChallengesOf(operator, 0, 256).length, 0, "answered");
        assertEq(stakeToken.balanceOf(accuser), 10 ether - CHALLENGE_BOND, "lost");
        assertEq(staking.ownStakeOf(operator), 1000 ether, "whole");
        (,,, uint256 disputes,) = staking.operatorInfo(operator);
        assertEq(disputes, 0, "nothing is frozen any more");
        vm.warp(block.timestamp + ANSWER_WINDOW + 1);
        bytes memory closed = abi.encodeWithSelector(ReceiptFaults.NotChallenged.selector, id);
        vm.expectRevert(closed);
        faults.punish(id);
        vm.expectRevert(closed);
        faults.answer(id, 1, siblings);
    }

    function test_a_batch_must_be_posted_within_the_window() public {
        Receipt memory r = receiptOf(1 ether);
        r.issuedAt = uint64(block.timestamp);
        ReceiptFaults.SignedReceipt memory s = signed(r, SESSION);
        bytes32 id = log.receiptDigest(r);
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.NotYetDue.selector, uint64(0), block.timestamp + POSTING_WINDOW));
        challenge(s);
        vm.warp(block.timestamp + POSTING_WINDOW);
        challenge(s);
        // late, but before the challenge runs out
        bytes32[] memory siblings = post(r);
        faults.answer(id, 1, siblings);
        assertEq(staking.ownStakeOf(operator), 1000 ether, "whole");
    }

    function test_a_time_beyond_all_clocks_is_not_due() public {
        Receipt memory r = receiptOf(1 ether);
        r.issuedAt = type(uint64).max;
        ReceiptFaults.SignedReceipt memory s = signed(r, SESSION);
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.NotYetDue.selector, uint64(0), uint256(type(uint64).max) + POSTING_WINDOW));
        challenge(s);
        post(receiptOf(2 ether));
        challenge(s);
    }

    function test_a_challenge_freezes_the_operator_and_not_his_delegators() public {
        delegate(100 ether);
        vm.prank(operator);
        staking.thaw(operator, true, 500 ether);
        staking.thaw(operator, false, 100 ether);
        vm.warp(block.timestamp + 10 days);
        ReceiptFaults.SignedReceipt memory s = signed(receiptOf(1 ether), SESSION);
        challenge(s);
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Staking.InDispute.selector, operator, uint256(1)));
        staking.withdraw(operator, true);
        assertEq(staking.withdraw(operator, false), 100 ether, "free");
        vm.warp(block.timestamp + ANSWER_WINDOW + 1);
        faults.punish(log.receiptDigest(s.receipt));
        vm.prank(operator);
        assertEq(staking.withdraw(operator, true), 450 ether, "a pending exit loses its part");
    }

    function test_an_operator_who_challenges_himself_freezes_nobody_else() public {
        delegate(100 ether);
        staking.thaw(operator, false, 100 ether);
        vm.warp(block.timestamp + 10 days);
        stakeToken.transfer(accuser, 100 ether);
        // more penalties than there is own stake
        for (uint64 i = 0; i < 12; i++) {
            Receipt memory r = receiptOf(1 ether);
            r.sequence = i;
            challenge(signed(r, SESSION));
        }
        assertEq(staking.withdraw(operator, false), 100 ether, "free");
        assertEq(faults.openChallengesOf(operator, 0, 256).length, 12, "to be answered");
        ReceiptFaults.OpenChallenge[] memory page = faults.openChallengesOf(operator, 10, 5);
        assertEq(page.length, 2, "the last two");
        assertEq(page[0].challenge.challenger, accuser, "challenger");
        vm.warp(block.timestamp + ANSWER_WINDOW + 1);
        faults.punish(page[0].receipt);
        assertEq(faults.openChallengesOf(operator, 0, 256).length, 11, "one less");
    }

    function test_a_penalty_is_what_was_at_stake_and_at_most_what_is_left() public {
        ReceiptFaults.SignedReceipt memory s = signed(receiptOf(1 ether), SESSION);
        vm.warp(block.timestamp + POSTING_WINDOW);
        challenge(s);
        staking.slash(Staking.Slash("all", operator, 0, 950 ether, address(this), 0, address(this), 0, 0));
        vm.warp(block.timestamp + ANSWER_WINDOW + 1);
        delegate(10 ether);
        faults.punish(log.receiptDigest(s.receipt));
        assertEq(staking.ownStakeOf(operator), 0, "what was left");
        assertEq(staking.stakeOf(operator), 10 ether, "delegators keep theirs");
    }

    /// @dev Operator, challenger and payer are one person.
    function testFuzz_accusing_oneself_does_not_profit(uint96 own, uint16 penalty, bool omission) public {
        staking.stake(operator, bound(own, 1, 100_000 ether));
        parameters.set("faultPenalty", bound(penalty, 1, 10_000));
        uint256 before = staking.ownStakeOf(operator) + stakeToken.balanceOf(accuser) + stakeToken.balanceOf(operator);
        if (omission) {
            ReceiptFaults.SignedReceipt memory s = signed(receiptOf(1 ether), SESSION);
            vm.warp(block.timestamp + POSTING_WINDOW);
            challenge(s);
            vm.warp(block.timestamp + ANSWER_WINDOW + 1);
            faults.punish(log.receiptDigest(s.receipt));
        } else {
            (ReceiptFaults.SignedReceipt memory a, ReceiptFaults.SignedReceipt memory b) = twoOfOneNumber();
            vm.prank(accuser);
            faults.equivocation(a, b);
        }
        uint256 left = staking.ownStakeOf(operator) + stakeToken.balanceOf(accuser) + stakeToken.balanceOf(operator);
        assertEq(left < before, true, "a loss");
        assertEq(before - left, stakeToken.balanceOf(staking.BURNED()), "as much as burned");
    }

    function challenge(ReceiptFaults.SignedReceipt memory s) private {
        vm.prank(accuser);
        faults.challenge(s);
    }

    function delegate(uint256 amount) private {
        staking.delegate(operator, amount);
    }

    function refused(Receipt memory a, uint256 keyOfA, Receipt memory b, uint256 keyOfB) private {
        (ReceiptFaults.SignedReceipt memory x, ReceiptFaults.SignedReceipt memory y) = (signed(a, keyOfA), signed(b, keyOfB));
        (bytes32 first, bytes32 second) = (log.receiptDigest(a), log.receiptDigest(b));
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.NoContradiction.selector, first, second));
        faults.equivocation(x, y);
    }

    function twoOfOneNumber() private view returns (ReceiptFaults.SignedReceipt memory, ReceiptFaults.SignedReceipt memory) {
        return (signed(receiptOf(1 ether), SESSION), signed(receiptOf(2 ether), SESSION));
    }

    function signed(Receipt memory r, uint256 key) private view returns (ReceiptFaults.SignedReceipt memory) {
        (uint8 v, bytes32 x, bytes32 y) = vm.sign(key, log.receiptDigest(r));
        return ReceiptFaults.SignedReceipt(r, abi.encodePacked(x, y, v));
    }
}
