// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Staking} from "../../src/staking/Staking.sol";
import {FalseToken, FeeToken, ReentrantToken} from "../utils/OddTokens.sol";
import {StakingFixture} from "../utils/StakingFixture.sol";

contract StakingTest is StakingFixture {
    function test_stake_thaw_withdraw() public {
        stakeOwn(100);
        thaw(operator, 40);
        assertEq(staking.freeStake(operator), 60, "free");
        assertEq(staking.stakeOf(operator), 100, "thawing stake counts");
        assertEq(withdraw(operator), 0, "not yet");
        vm.warp(block.timestamp + PERIOD);
        assertEq(withdraw(operator), 40, "withdrawn");
        assertEq(token.balanceOf(operator), 40, "paid");
        assertEq(withdraw(operator), 0, "once");
    }

    function test_anybody_may_stake_for_an_operator_but_not_take_it() public {
        give(delegator, 10);
        vm.prank(delegator);
        staking.stake(operator, 10);
        vm.prank(delegator);
        vm.expectRevert(abi.encodeWithSelector(Staking.NotStaked.selector, delegator));
        staking.thaw(operator, true, 10);
        thaw(operator, 10);
    }

    function test_delegation_needs_own_stake() public {
        give(delegator, 10);
        vm.prank(delegator);
        vm.expectRevert(abi.encodeWithSelector(Staking.NotStaked.selector, operator));
        staking.delegate(operator, 10);
    }

    function test_nothing_is_refused() public {
        vm.expectRevert(Staking.NothingToMove.selector);
        staking.stake(operator, 0);
        stakeOwn(10);
        vm.prank(operator);
        vm.expectRevert(Staking.NothingToMove.selector);
        staking.thaw(operator, true, 0);
        vm.expectRevert(Staking.NothingToMove.selector);
        staking.reserve(operator, "r", 0, 0);
    }

    function test_more_than_held_is_refused() public {
        stakeOwn(10);
        delegateTo(delegator, 5);
        vm.prank(delegator);
        vm.expectRevert(abi.encodeWithSelector(Staking.TooManyShares.selector, uint256(6), uint256(5)));
        staking.thaw(operator, false, 6);
    }

    function test_shares_worth_nothing_do_not_thaw() public {
        stakeOwn(10);
        delegateTo(delegator, 10);
        staking.slash(slashing(15, 0, 0));
        vm.prank(delegator);
        vm.expectRevert(Staking.NothingToMove.selector);
        staking.thaw(operator, false, 1);
        thaw(delegator, 2);
    }

    function test_thaws_are_bounded() public {
        stakeOwn(100);
        for (uint256 i = 0; i < 32; i++) {
            thaw(operator, 1);
        }
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Staking.TooManyThaws.selector, uint256(32)));
        staking.thaw(operator, true, 1);
        assertEq(staking.thawsOf(operator, operator, true).length, 32, "listed");
        vm.warp(block.timestamp + PERIOD);
        assertEq(withdraw(operator), 32, "all at once");
        assertEq(staking.thawsOf(operator, operator, true).length, 0, "empty");
    }

    function test_a_reservation_frees_what_is_due() public {
        stakeOwn(100);
        uint64 until = uint64(block.timestamp + 1 days);
        staking.reserve(operator, "first", 60, until);
        staking.reserve(operator, "freed by hand", 20, until);
        staking.reserve(operator, "longer", 20, until + 1 days);
        vm.warp(until);
        staking.release("freed by hand");
        staking.reserve(operator, "next", 80, until + 2 days);
        vm.snapshotGasLastCall("Staking", "reserveAndFree");
        (,, uint256 reserved,,) = staking.operatorInfo(operator);
        assertEq(reserved, 100, "the longer and the next one");
        vm.expectRevert(abi.encodeWithSelector(Staking.NotReserved.selector, bytes32("first")));
        staking.release("first");
        assertEq(staking.releaseDue(operator), 0, "nothing else is due");
    }

    function test_no_call_frees_more_than_it_can_carry() public {
        stakeOwn(100);
        for (uint256 i = 0; i < 40; i++) {
            staking.reserve(operator, bytes32(i), 1, uint64(block.timestamp + 1));
        }
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(Staking.StakeReserved.selector, operator, uint256(92), uint256(100)));
        staking.reserve(operator, "large", 100, 0);
        assertEq(staking.releaseDue(operator), 32, "the most of one call");
        vm.snapshotGasLastCall("Staking", "releaseDue");
        staking.reserve(operator, "large", 100, 0);
        assertEq(staking.freeStake(operator), 0, "the rest is freed with it");
    }

    function test_a_dispute_keeps_what_is_due() public {
        stakeOwn(100);
        staking.reserve(operator, "r", 60, uint64(block.timestamp));
        staking.openDispute("fault", operator, 0);
        assertEq(staking.releaseDue(operator), 0, "kept");
        vm.expectRevert(abi.encodeWithSelector(Staking.StakeReserved.selector, operator, uint256(40), uint256(41)));
        staking.reserve(operator, "s", 41, 0);
        staking.closeDispute("fault");
        assertEq(staking.releaseDue(operator), 1, "freed");
    }

    function test_reserved_stake_is_not_reserved_again() public {
        stakeOwn(100);
        staking.reserve(operator, "r", 70, uint64(block.timestamp + 1 days));
        vm.expectRevert(abi.encodeWithSelector(Staking.StakeReserved.selector, operator, uint256(30), uint256(31)));
        staking.reserve(operator, "s", 31, 0);
        vm.expectRevert(abi.encodeWithSelector(Staking.AlreadyReserved.selector, bytes32("r")));
        staking.reserve(operator, "r", 1, 0);
        vm.expectRevert(abi.encodeWithSelector(Staking.StillReserved.selector, bytes32("r"), uint64(block.timestamp + 1 days)));
        staking.release("r");
        vm.warp(block.timestamp + 1 days);
        staking.release("r");
        assertEq(staking.freeStake(operator), 100, "free again");
        vm.expectRevert(abi.encodeWithSelector(Staking.NotReserved.selector, bytes32("r")));
        staking.release("r");
        vm.expectRevert(abi.encodeWithSelector(Staking.AlreadyReserved.selector, bytes32("r")));
        staking.reserve(operator, "r", 1, 0);
    }

    function test_a_thaw_ends_no_sooner_than_the_reservations_of_its_beginning() public {
        stakeOwn(100);
        delegateTo(delegator, 100);
        uint64 late = uint64(block.timestamp + PERIOD + 5 days);
        staking.reserve(operator, "r", 200, late);
        thaw(operator, 100);
        thaw(delegator, 100);
        vm.warp(block.timestamp + PERIOD);
        assertEq(withdraw(operator) + withdraw(delegator), 0, "still reserved");
        Staking.Slash memory s = slashing(150, 0, 0);
        s.receipt = "r";
        staking.slash(s);
        vm.warp(late);
        assertEq(withdraw(operator), 0, "own stake was lost first");
        assertEq(withdraw(delegator), 50, "the rest");
    }

    function test_delegators_are_no_hostages_of_reservations() public {
        stakeOwn(100);
        delegateTo(delegator, 100);
        uint256 window = 3 days;
        staking.reserve(operator, "first", 200, uint64(block.timestamp + window));
        thaw(delegator, 100);
        // receipts to himself, again and again, as much as the stake bears
        for (uint256 day = 1; day <= 10; day++) {
            vm.warp(block.timestamp + 1 days);
            if (day == 3) staking.release("first");
            uint256 free = staking.freeStake(operator);
            if (free != 0) staking.reserve(operator, bytes32(day), free, uint64(block.timestamp + window));
        }
        assertEq(withdraw(delegator), 100, "after the thaw period, whatever the operator did");
    }

    function test_a_dispute_freezes_withdrawals_and_releases() public {
        stakeOwn(100);
        staking.reserve(operator, "r", 50, uint64(block.timestamp));
        thaw(operator, 50);
        vm.warp(block.timestamp + PERIOD);
        staking.openDispute("a", operator, 10);
        staking.openDispute("b", operator, 20);
        vm.expectRevert(abi.encodeWithSelector(Staking.AlreadyOpen.selector, bytes32("a")));
        staking.openDispute("a", operator, 10);
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Staking.InDispute.selector, operator, uint256(2)));
        staking.withdraw(operator, true);
        vm.expectRevert(abi.encodeWithSelector(Staking.InDispute.selector, operator, uint256(2)));
        staking.release("r");
        staking.closeDispute("a");
        staking.closeDispute("b");
        vm.expectRevert(abi.encodeWithSelector(Staking.NoDispute.selector, bytes32("b")));
        staking.closeDispute("b");
        staking.release("r");
        assertEq(withdraw(operator), 50, "thawed");
    }

    function test_a_dispute_freezes_delegators_only_beyond_the_own_stake() public {
        stakeOwn(100);
        delegateTo(delegator, 100);
        thaw(delegator, 40);
        vm.warp(block.timestamp + PERIOD);
        staking.openDispute("a", operator, 60);
        staking.openDispute("b", operator, 50);
        vm.prank(delegator);
        vm.expectRevert(abi.encodeWithSelector(Staking.InDispute.selector, operator, uint256(2)));
        staking.withdraw(operator, false);
        staking.closeDispute("b");
        assertEq(withdraw(delegator), 40, "the own stake bears what is left");
        staking.slash(fault("a", 60, 0, 0));
        (,, uint256 reserved, uint256 disputes, uint256 atStake) = staking.operatorInfo(operator);
        assertEq(reserved + disputes + atStake, 0, "a slash ends the dispute of its name");
    }

    function test_a_slasher_ends_its_own_disputes_only() public {
        address[] memory two = new address[](2);
        (two[0], two[1]) = (address(this), challenger);
        staking = new Staking(IERC20(token), parameters, address(this), two);
        assertEq(staking.slashers().length, 2, "listed");
        stakeOwn(100);
        staking.openDispute("a", operator, 10);
        vm.startPrank(challenger);
        vm.expectRevert(abi.encodeWithSelector(Staking.NoDispute.selector, bytes32("a")));
        staking.closeDispute("a");
        staking.openDispute("a", operator, 10);
        staking.slash(fault("a", 10, 0, 0));
        vm.stopPrank();
        (,,, uint256 disputes,) = staking.operatorInfo(operator);
        assertEq(disputes, 1, "the other one runs");
    }

    function test_slashers_are_a_small_fixed_set() public {
        vm.expectRevert(abi.encodeWithSelector(Staking.BadSlashers.selector, uint256(0), uint256(4)));
        new Staking(IERC20(token), parameters, address(this), new address[](0));
        vm.expectRevert(abi.encodeWithSelector(Staking.BadSlashers.selector, uint256(5), uint256(4)));
        new Staking(IERC20(token), parameters, address(this), new address[](5));
    }

    function test_a_fault_is_slashed_for_once() public {
        stakeOwn(100);
        staking.slash(fault("a", 10, 0, 0));
        vm.expectRevert(abi.encodeWithSelector(Staking.AlreadySlashed.selector, bytes32("a")));
        staking.slash(fault("a", 10, 0, 0));
        staking.slash(fault("b", 10, 0, 0));
        assertEq(staking.ownStakeOf(operator), 80, "two faults");
    }

    function test_delegated_stake_counts_in_proportion_to_the_own_one() public {
        stakeOwn(10);
        delegateTo(delegator, 1000);
        assertEq(staking.freeStake(operator), 100, "ten times the own stake");
        thaw(operator, 10);
        assertEq(staking.freeStake(operator), 0, "nothing of his own, nothing to reserve");
    }

    function test_own_stake_is_lost_first() public {
        stakeOwn(100);
        delegateTo(delegator, 300);
        staking.slash(slashing(60, 0, 0));
        (, uint256 own) = staking.holdingOf(operator, operator, true);
        (, uint256 delegated) = staking.holdingOf(operator, delegator, false);
        assertEq(own, 40, "own");
        assertEq(delegated, 300, "delegated");
        assertEq(token.balanceOf(staking.BURNED()), 60, "burned");
    }

    function test_the_reward_is_half_of_the_own_part_at_most() public {
        stakeOwn(100);
        delegateTo(delegator, 300);
        staking.slash(slashing(200, type(uint256).max, 120));
        assertEq(token.balanceOf(challenger), 50, "reward");
        // 50 of the own part, and of the delegated part a tenth of what was paid: the nodes' and models' parts of it may be the payer's own
        assertEq(token.balanceOf(payer), 62, "refund");
        assertEq(token.balanceOf(staking.BURNED()), 88, "burned");
        assertEq(staking.stakeOf(operator), 200, "left");
    }

    function test_the_refund_is_what_is_left() public {
        stakeOwn(100);
        staking.slash(slashing(100, 50, 1000));
        assertEq(token.balanceOf(payer), 50, "refund");
        assertEq(staking.stakeOf(operator), 0, "gone");
    }

    function test_a_pending_exit_loses_the_same_fraction() public {
        stakeOwn(100);
        delegateTo(delegator, 100);
        thaw(delegator, 50);
        // all own stake, and half of what is delegated
        staking.slash(slashing(150, 0, 0));
        vm.warp(block.timestamp + PERIOD);
        assertEq(withdraw(delegator), 25, "half of the exit");
        (, uint256 left) = staking.holdingOf(operator, delegator, false);
        assertEq(left, 25, "half of the rest");
    }

    function test_shares_of_an_emptied_pool_are_worth_nothing() public {
        stakeOwn(100);
        delegateTo(delegator, 100);
        thaw(delegator, 50);
        staking.slash(slashing(200, 0, 0));
        stakeOwn(10);
        delegateTo(challenger, 80);
        vm.warp(block.timestamp + PERIOD);
        assertEq(withdraw(delegator), 0, "thawing shares are void");
        (uint256 shares, uint256 worth) = staking.holdingOf(operator, delegator, false);
        assertEq(shares + worth, 0, "active shares are void");
        (, worth) = staking.holdingOf(operator, challenger, false);
        assertEq(worth, 80, "the new generation is whole");
        vm.prank(delegator);
        vm.expectRevert(abi.encodeWithSelector(Staking.TooManyShares.selector, uint256(1), uint256(0)));
        staking.thaw(operator, false, 1);
        delegateTo(delegator, 5);
        (, worth) = staking.holdingOf(operator, delegator, false);
        assertEq(worth, 5, "and can be entered again");
    }

    function test_dust_is_given_up() public {
        stakeOwn(100);
        delegateTo(delegator, 10_000_000_000);
        staking.slash(slashing(100 + 10_000_000_000 - 1, 0, 0));
        assertEq(staking.stakeOf(operator), 0, "the last unit went too");
        assertEq(token.balanceOf(staking.BURNED()), 10_000_000_100, "burned");
    }

    function test_a_slash_settles_its_receipt() public {
        stakeOwn(100);
        staking.reserve(operator, "r", 70, uint64(block.timestamp + 1 days));
        Staking.Slash memory s = slashing(80, 0, 0);
        s.receipt = "r";
        staking.slash(s);
        assertEq(staking.freeStake(operator), 20, "nothing is reserved any more");
        (s.amount, s.fault) = (1, "another");
        vm.expectRevert(abi.encodeWithSelector(Staking.ReceiptOfAnother.selector, bytes32("r"), operator));
        staking.slash(s);
    }

    function test_reservations_may_outlive_the_stake() public {
        stakeOwn(100);
        staking.reserve(operator, "r", 70, uint64(block.timestamp + 1 days));
        staking.slash(slashing(80, 0, 0));
        assertEq(staking.freeStake(operator), 0, "nothing is free");
        vm.warp(block.timestamp + 1 days);
        staking.release("r");
        assertEq(staking.freeStake(operator), 20, "the rest");
    }

    function test_a_slash_is_at_most_the_fraction_of_the_parameters() public {
        stakeOwn(100);
        staking.slash(slashing(101, 0, 0));
        assertEq(token.balanceOf(staking.BURNED()), 100, "what is there");
    }

    function testFuzz_only_settlement_and_slasher(address caller) public {
        vm.assume(caller != address(this));
        vm.startPrank(caller);
        vm.expectRevert(abi.encodeWithSelector(Staking.OnlySettlement.selector, caller));
        staking.reserve(operator, "r", 1, 0);
        bytes memory refused = abi.encodeWithSelector(Staking.OnlySlasher.selector, caller);
        vm.expectRevert(refused);
        staking.slash(slashing(0, 0, 0));
        vm.expectRevert(refused);
        staking.openDispute("a", operator, 1);
        vm.expectRevert(refused);
        staking.closeDispute("a");
    }

    /// @dev One person is operator, challenger, payer and the model's owner: his share of the payment comes back to him, the auditors' and the treasury's does not.
    function testFuzz_nobody_profits_by_accusing_himself(uint256 own, uint256 delegated, uint256 paid, Staking.Slash memory s) public {
        own = bound(own, 1, 1e22);
        delegated = bound(delegated, 1, 1e22);
        paid = bound(paid, 0, 1e22);
        stakeOwn(own);
        delegateTo(delegator, delegated);
        (s.fault, s.operator, s.receipt) = ("self", operator, 0);
        (s.challenger, s.payer, s.paid) = (challenger, payer, paid);
        s.amount = bound(s.amount, 0, own + delegated);
        staking.slash(s);
        uint256 lost = own - staking.ownStakeOf(operator) + (paid * 1000) / 10_000;
        uint256 gained = token.balanceOf(challenger) + token.balanceOf(payer);
        assertEq(gained <= lost, true, "no profit");
    }

    function testFuzz_shares_never_pay_more_than_their_part(uint256 first, uint256 second, uint256 cut) public {
        first = bound(first, 1, 8e23);
        second = bound(second, 1, 1e23);
        stakeOwn(1);
        delegateTo(delegator, first);
        cut = bound(cut, 0, first);
        staking.slash(slashing(1 + cut, 0, 0));
        stakeOwn(1);
        uint256 before = staking.stakeOf(operator);
        give(challenger, second);
        vm.prank(challenger);
        staking.delegate(operator, second);
        (uint256 shares, uint256 worth) = staking.holdingOf(operator, challenger, false);
        assertEq(worth <= second, true, "nothing out of nothing");
        assertEq(shares >= second, true, "never more tokens than shares");
        assertEq(staking.stakeOf(operator), before + second, "conserved");
    }

    function test_odd_tokens() public {
        FeeToken fee = new FeeToken();
        Staking withFee = new Staking(IERC20(fee), parameters, address(this), onlyThis());
        fee.approve(address(withFee), 100);
        withFee.stake(operator, 100);
        assertEq(withFee.stakeOf(operator), 99, "what came counts");

        FalseToken lies = new FalseToken();
        Staking withLies = new Staking(IERC20(address(lies)), parameters, address(this), onlyThis());
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(lies)));
        withLies.stake(operator, 100);

        ReentrantToken again = new ReentrantToken();
        Staking withAgain = new Staking(IERC20(again), parameters, address(this), onlyThis());
        again.target(address(withAgain), abi.encodeCall(Staking.stake, (operator, 1)));
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        withAgain.stake(operator, 100);
    }

    function test_gas() public {
        stakeOwn(1 ether);
        vm.snapshotGasLastCall("Staking", "stake");
        staking.reserve(operator, "r", 1000, uint64(block.timestamp));
        vm.snapshotGasLastCall("Staking", "reserve");
        staking.release("r");
        vm.snapshotGasLastCall("Staking", "release");
        staking.slash(slashing(1000, 100, 100));
        vm.snapshotGasLastCall("Staking", "slash");
    }
}
