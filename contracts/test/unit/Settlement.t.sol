// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ModelShares} from "../../src/registry/ModelShares.sol";
import {Payouts} from "../../src/settlement/Payouts.sol";
import {Pots} from "../../src/settlement/Pots.sol";
import {Receipt} from "../../src/settlement/Receipt.sol";
import {Request} from "../../src/settlement/Request.sol";
import {RevenueSplitter} from "../../src/settlement/RevenueSplitter.sol";
import {Settlement} from "../../src/settlement/Settlement.sol";
import {Staking} from "../../src/staking/Staking.sol";
import {EconomyFixture} from "../utils/EconomyFixture.sol";
import {FeeToken} from "../utils/OddTokens.sol";

contract SettlementTest is EconomyFixture {
    function test_the_address_is_known_before_it_exists() public {
        address expected = settlement.splitterOf(operator, MODEL);
        assertEq(expected.code.length, 0, "not yet");
        assertEq(address(splitter()), expected, "created");
        assertEq(address(splitter()), expected, "again");
        (address node, bytes32 modelId) = splitter().subject();
        assertEq(node, operator, "node");
        assertEq(modelId, MODEL, "model");
        assertEq(settlement.splitterOf(operator, "another") == expected, false, "one a model");
    }

    function test_nothing_is_released_without_a_receipt() public {
        payIn(100 ether);
        money.transfer(address(splitter()), 50 ether);
        assertEq(splitter().releasable(money), 0, "nothing covered");
        RevenueSplitter s = splitter();
        vm.expectRevert(Pots.NothingToPay.selector);
        s.release(money);
    }

    function test_a_receipt_releases_its_amount_and_locks_stake() public {
        payIn(100 ether);
        assertEq(cover(60 ether), 60 ether, "covered");
        vm.snapshotGasLastCall("Settlement", "cover");
        assertEq(staking.freeStake(operator), 970 ether, "half of it is locked");
        splitter().release(money);
        vm.snapshotGasLastCall("Settlement", "releaseFirst");
        assertEq(payouts.owed(operator, money), 42 ether, "node");
        assertEq(payouts.owed(author, money), 12 ether, "model, and the parents' part without parents");
        assertEq(payouts.owed(auditors, money), 4.2 ether, "auditors");
        assertEq(payouts.owed(treasury, money), 1.8 ether, "treasury");
        assertEq(money.balanceOf(address(splitter())), 40 ether, "the rest stays");
        vm.prank(operator);
        payouts.withdraw(money, operator);
        assertEq(money.balanceOf(operator), 42 ether, "fetched");
        cover(80 ether);
        splitter().release(money);
        vm.snapshotGasLastCall("Settlement", "release");
        assertEq(payouts.owed(operator, money), 14 ether, "only what is new");
    }

    function test_a_plain_transfer_is_covered_once_it_is_there() public {
        money.transfer(address(splitter()), 20 ether);
        refuse(30 ether, abi.encodeWithSelector(Pots.NotPaid.selector, 20 ether, 30 ether));
        assertEq(staking.freeStake(operator), 1000 ether, "nothing is locked for what is refused");
        money.transfer(address(splitter()), 20 ether);
        cover(30 ether);
        assertEq(splitter().releasable(money), 30 ether, "as much as the receipt says");
    }

    /// @dev An operator and a payer who pays nothing cannot keep receipts in store for other people's money.
    function test_no_revenue_leaves_without_stake_that_is_locked_for_it() public {
        refuse(1900 ether, abi.encodeWithSelector(Pots.NotPaid.selector, 0, 1900 ether));
        money.transfer(address(splitter()), 9500 ether);
        RevenueSplitter s = splitter();
        vm.expectRevert(Pots.NothingToPay.selector);
        s.release(money);
        cover(1900 ether);
        assertEq(s.release(money), 1900 ether, "as much as stake is locked for");
        assertEq(staking.freeStake(operator), 50 ether, "locked");
    }

    /// @dev Three times the stake's worth, a tenth of it a day, and nobody calls anything but `cover`.
    function test_stake_turns_over_by_itself() public {
        for (uint256 day = 1; day <= 30; day++) {
            payIn(200 ether);
            cover(day * 200 ether);
            vm.warp(block.timestamp + 1 days);
        }
        assertEq(splitter().release(money), 6000 ether, "all of it");
        (,, uint256 reserved,,) = staking.operatorInfo(operator);
        assertEq(reserved, 300 ether, "of the last three days");
    }

    function refuse(uint256 cumulative, bytes memory reason) private {
        Receipt memory r = receiptOf(cumulative);
        bytes32[] memory siblings = post(r);
        bytes memory signature = signRequest(PAYER_KEY, r);
        vm.expectRevert(reason);
        settlement.cover(r, r.cumulativeAmount, signature, 1, siblings);
    }

    function test_a_receipt_counts_once_and_only_forward() public {
        payIn(60 ether);
        cover(60 ether);
        Receipt memory r = receiptOf(60 ether);
        bytes32[] memory siblings = post(r);
        bytes memory signature = signRequest(PAYER_KEY, r);
        vm.expectRevert(abi.encodeWithSelector(Settlement.NothingNew.selector, 60 ether, 60 ether));
        settlement.cover(r, r.cumulativeAmount, signature, 1, siblings);
    }

    function test_an_unposted_or_changed_receipt_is_refused() public {
        Receipt memory r = receiptOf(60 ether);
        bytes32[] memory siblings = post(r);
        bytes memory signature = signRequest(PAYER_KEY, r);
        vm.expectRevert(abi.encodeWithSelector(Settlement.NotPosted.selector, log.receiptDigest(r)));
        settlement.cover(r, r.cumulativeAmount, signature, 0, siblings);
        r.cumulativeAmount += 1;
        vm.expectRevert(abi.encodeWithSelector(Settlement.NotPosted.selector, log.receiptDigest(r)));
        settlement.cover(r, r.cumulativeAmount, signature, 1, siblings);
    }

    function test_the_payer_must_have_asked() public {
        Receipt memory r = receiptOf(60 ether);
        bytes32[] memory siblings = post(r);
        bytes memory signature = signRequest(PAYER_KEY + 1, r);
        vm.expectRevert(abi.encodeWithSelector(Settlement.NotSignedByPayer.selector, r.requestHash, payer));
        settlement.cover(r, r.cumulativeAmount, signature, 1, siblings);
    }

    function test_no_more_than_the_payer_agreed_to() public {
        payIn(60 ether);
        Receipt memory r = receiptOf(60 ether);
        bytes32[] memory siblings = post(r);
        bytes memory signature = signRequest(PAYER_KEY, requestOf(r, 59 ether));
        vm.expectRevert(abi.encodeWithSelector(Settlement.AboveLimit.selector, 60 ether, 59 ether));
        settlement.cover(r, 59 ether, signature, 1, siblings);
        // another limit than the signed one
        vm.expectRevert(abi.encodeWithSelector(Settlement.NotSignedByPayer.selector, r.requestHash, payer));
        settlement.cover(r, 60 ether, signature, 1, siblings);
        assertEq(settlement.cover(r, 61 ether, signRequest(PAYER_KEY, requestOf(r, 61 ether)), 1, siblings), 60 ether, "within it");
    }

    function test_node_model_asset_and_channel_are_the_signed_ones() public {
        for (uint256 i = 0; i < 5; i++) {
            Receipt memory r = receiptOf(60 ether);
            Request memory signed = requestOf(r, 60 ether);
            if (i == 0) signed.node = address(0xB0B);
            if (i == 1) signed.modelId = "another model";
            if (i == 2) signed.asset = address(stakeToken);
            if (i == 3) signed.channel = "another channel";
            if (i == 4) signed.requestHash = "another request";
            bytes32[] memory siblings = post(r);
            bytes memory signature = signRequest(PAYER_KEY, signed);
            vm.expectRevert(abi.encodeWithSelector(Settlement.NotSignedByPayer.selector, r.requestHash, payer));
            settlement.cover(r, 60 ether, signature, 1, siblings);
        }
    }

    function test_an_asset_that_nobody_accepted_is_refused() public {
        Receipt memory r = receiptOf(60 ether);
        r.asset = address(stakeToken);
        bytes32[] memory siblings = post(r);
        bytes memory signature = signRequest(PAYER_KEY, r);
        vm.expectRevert(abi.encodeWithSelector(Settlement.AssetNotAccepted.selector, address(stakeToken)));
        settlement.cover(r, r.cumulativeAmount, signature, 1, siblings);
    }

    /// @dev Else a vote would hand back to payers what they were served for.
    function test_what_was_sold_before_a_vote_drops_its_asset_is_covered_after_it() public {
        payIn(60 ether);
        Receipt memory r = receiptOf(60 ether);
        bytes32[] memory siblings = post(r);
        bytes memory signature = signRequest(PAYER_KEY, r);
        parameters.setStakeRatio(address(money), 0);
        assertEq(parameters.isAccepted(address(money)), false, "nothing new");
        settlement.cover(r, r.cumulativeAmount, signature, 1, siblings);
        (,, uint256 reserved,,) = staking.operatorInfo(operator);
        assertEq(reserved, 30 ether, "at the last ratio");
        assertEq(splitter().release(money), 60 ether, "the node's pay");
    }

    function test_revenue_needs_stake() public {
        Receipt memory r = receiptOf(2002 ether);
        bytes32[] memory siblings = post(r);
        bytes memory signature = signRequest(PAYER_KEY, r);
        vm.expectRevert(abi.encodeWithSelector(Staking.StakeReserved.selector, operator, 1000 ether, 1001 ether));
        settlement.cover(r, r.cumulativeAmount, signature, 1, siblings);
    }

    function test_shares_and_parents_get_their_parts() public {
        publishProven(author, ROOT);
        publishProven(author, PARENT);
        ModelShares.Parent[] memory parents = new ModelShares.Parent[](2);
        parents[0] = ModelShares.Parent(PARENT, 7500);
        parents[1] = ModelShares.Parent(keccak256("nobody's"), 2500);
        vm.startPrank(author);
        shares.found(ROOT, parents, 250);
        shares.found(PARENT, new ModelShares.Parent[](0), 0);
        shares.transfer(address(this), uint256(ROOT), 400_000);
        vm.stopPrank();
        payIn(100 ether);
        cover(100 ether);
        splitter().release(money);
        vm.snapshotGasLastCall("Settlement", "releaseWithTwoParents");
        assertEq(shares.earned(ROOT, address(money), address(this)), 6 ether, "40 % of the model's part");
        assertEq(shares.earned(ROOT, address(money), author), 9 ether, "60 %");
        assertEq(shares.earned(PARENT, address(money), author), 3.75 ether, "the parent");
        assertEq(payouts.owed(treasury, money), 3 ether + 1.25 ether, "a parent that nobody registered");
    }

    /// @dev One paid answer, three owners: one who sold half of his shares, one who never founded any, and one who keeps all of his.
    function test_a_model_with_two_parents_pays_all_three_owners() public {
        (bytes32 second, address ownerOfFirst, address ownerOfSecond) = (keccak256("second parent"), address(0xF1), address(0xF2));
        publishProven(author, ROOT);
        publishProven(ownerOfFirst, PARENT);
        publishProven(ownerOfSecond, second);
        ModelShares.Parent[] memory parents = new ModelShares.Parent[](2);
        (parents[0], parents[1]) = (ModelShares.Parent(PARENT, 6000), ModelShares.Parent(second, 4000));
        vm.startPrank(author);
        shares.found(ROOT, parents, 0);
        shares.transfer(address(this), uint256(ROOT), 500_000);
        vm.stopPrank();
        vm.prank(ownerOfFirst);
        shares.found(PARENT, new ModelShares.Parent[](0), 0);
        payIn(100 ether);
        cover(100 ether);
        splitter().release(money);
        assertEq(shares.earned(ROOT, address(money), author), 7.5 ether, "half of the model's 15 %");
        assertEq(shares.earned(ROOT, address(money), address(this)), 7.5 ether, "who bought the other half");
        assertEq(shares.earned(PARENT, address(money), ownerOfFirst), 3 ether, "60 % of the parents' 5 %");
        assertEq(payouts.owed(ownerOfSecond, money), 2 ether, "40 %, without shares");
        vm.prank(ownerOfFirst);
        assertEq(shares.collect(PARENT, money), 3 ether, "collected");
        vm.prank(ownerOfSecond);
        assertEq(payouts.withdraw(money, ownerOfSecond), 2 ether, "withdrawn");
    }

    function testFuzz_the_parts_sum_to_the_whole(uint256 amount) public {
        amount = bound(amount, 1, 2000 ether);
        ModelShares.Parent[] memory parents = new ModelShares.Parent[](3);
        parents[0] = ModelShares.Parent("p", 3333);
        parents[1] = ModelShares.Parent("q", 3333);
        parents[2] = ModelShares.Parent("r", 3334);
        publishProven(author, ROOT);
        vm.prank(author);
        shares.found(ROOT, parents, 0);
        payIn(amount);
        cover(amount);
        splitter().release(money);
        uint256 owed = payouts.owed(operator, money) + payouts.owed(auditors, money) + payouts.owed(treasury, money);
        assertEq(owed + money.balanceOf(address(shares)), amount, "exact to the wei");
        assertEq(money.balanceOf(address(splitter())), 0, "nothing stays");
    }

    function test_an_asset_that_keeps_a_fee_is_not_divided() public {
        FeeToken fee = new FeeToken();
        parameters.setStakeRatio(address(fee), RATIO);
        RevenueSplitter s = splitter();
        fee.approve(address(s), 1000);
        s.pay(fee, 1000, CHANNEL);
        (uint256 inPot,,) = s.potOf(fee, address(this), CHANNEL);
        assertEq(inPot, 990, "what came");
        fee.transfer(address(s), 1000);
        Receipt memory r = receiptOf(500);
        r.asset = address(fee);
        bytes32[] memory siblings = post(r);
        settlement.cover(r, r.cumulativeAmount, signRequest(PAYER_KEY, r), 1, siblings);
        vm.expectPartialRevert(Payouts.NotCovered.selector);
        s.release(fee);
    }

    function test_a_lost_dispute_takes_the_locked_stake() public {
        payIn(60 ether);
        Receipt memory r = receiptOf(60 ether);
        bytes32[] memory siblings = post(r);
        settlement.cover(r, r.cumulativeAmount, signRequest(PAYER_KEY, r), 1, siblings);
        bytes32 digest = log.receiptDigest(r);
        staking.slash(Staking.Slash("fault", operator, digest, 30 ether, address(this), 30 ether, payer, 60 ether, 60 ether));
        assertEq(stakeToken.balanceOf(payer), 15 ether, "the payer is refunded out of what is left");
        assertEq(staking.freeStake(operator), 970 ether, "nothing is reserved any more");
    }
}
