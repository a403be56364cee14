// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Token} from "../../src/governance/Token.sol";
import {TransferWithAuthorization} from "../../src/governance/TransferWithAuthorization.sol";
import {Pots} from "../../src/settlement/Pots.sol";
import {Receipt} from "../../src/settlement/Receipt.sol";
import {RevenueSplitter} from "../../src/settlement/RevenueSplitter.sol";
import {EconomyFixture} from "../utils/EconomyFixture.sol";
import {FalseToken, ReentrantToken} from "../utils/OddTokens.sol";
import {Wallet} from "../utils/Wallet.sol";

contract PotsTest is EconomyFixture {
    uint256 private constant SENDER_KEY = 0x5E4D;
    address private sender = vm.addr(SENDER_KEY);
    RevenueSplitter private s;

    function setUp() public override {
        super.setUp();
        s = splitter();
        money.transfer(sender, 1000 ether);
    }

    function amountIn(address of_, bytes32 channel) private view returns (uint256 amount) {
        (amount,,) = s.potOf(money, of_, channel);
    }

    function channelOf(Pots.Authorization memory a) private view returns (bytes32) {
        return keccak256(abi.encode(a.from, address(money), a.nonce));
    }

    function take(Pots.Authorization memory a, address forPayer) private {
        vm.prank(vm.addr(SESSION));
        s.payWithAuthorization(money, a, forPayer);
    }

    function coverOn(bytes32 channel, uint256 cumulative) private {
        Receipt memory r = receiptOf(cumulative);
        r.channel = channel;
        bytes32[] memory siblings = post(r);
        settlement.cover(r, cumulative, signRequest(PAYER_KEY, r), 1, siblings);
    }

    /// @dev Shown while the money is not there.
    function refuseOn(bytes32 channel, uint256 cumulative, uint256 available, uint256 wanted) private {
        Receipt memory r = receiptOf(cumulative);
        r.channel = channel;
        bytes32[] memory siblings = post(r);
        bytes memory signature = signRequest(PAYER_KEY, r);
        vm.expectRevert(abi.encodeWithSelector(Pots.NotPaid.selector, available, wanted));
        settlement.cover(r, cumulative, signature, 1, siblings);
    }

    function test_a_receipt_takes_from_the_pot_of_its_payer_only() public {
        payIn(100 ether);
        Receipt memory r = receiptOf(60 ether);
        r.payer = vm.addr(77);
        bytes32[] memory siblings = post(r);
        bytes memory signature = signRequest(77, r);
        vm.expectRevert(abi.encodeWithSelector(Pots.NotPaid.selector, 0, 60 ether));
        settlement.cover(r, r.cumulativeAmount, signature, 1, siblings);
        assertEq(s.releasable(money), 0, "the pot is another payer's");
        assertEq(amountIn(payer, CHANNEL), 100 ether, "whole");
    }

    function test_a_receipt_takes_from_the_pot_of_its_channel_only() public {
        payIn(100 ether);
        refuseOn("another channel", 60 ether, 0, 60 ether);
        assertEq(s.releasable(money), 0, "the pot is another channel's");
        coverOn(CHANNEL, 70 ether);
        assertEq(s.releasable(money), 70 ether, "its own");
        assertEq(amountIn(payer, CHANNEL), 30 ether, "the rest");
    }

    function test_what_no_receipt_takes_goes_back_after_the_window() public {
        payIn(100 ether);
        cover(60 ether);
        uint64 from = uint64(block.timestamp + REFUND_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(Pots.NotYetRefundable.selector, from));
        s.reclaim(money, payer, CHANNEL);
        vm.warp(from);
        // anybody may call: it goes to the refund address
        assertEq(s.reclaim(money, payer, CHANNEL), 40 ether, "the rest");
        assertEq(money.balanceOf(payer), 40 ether, "is the payer's again");
        vm.expectRevert(Pots.NothingToPay.selector);
        s.reclaim(money, payer, CHANNEL);
        s.release(money);
        assertEq(payouts.owed(operator, money), 42 ether, "what was covered is still the node's");
    }

    function test_a_signed_payment_fills_the_pot_of_its_own_channel() public {
        Pots.Authorization memory a = authorize(SENDER_KEY, sender, 80 ether, "nonce");
        take(a, payer);
        vm.snapshotGasLastCall("Settlement", "payWithAuthorization");
        (uint256 amount, address refundTo, uint64 refundableFrom) = s.potOf(money, payer, channelOf(a));
        assertEq(amount, 80 ether, "amount");
        assertEq(refundTo, sender, "goes back to who signed it");
        assertEq(refundableFrom, block.timestamp + REFUND_WINDOW, "window");
        coverOn(channelOf(a), 50 ether);
        assertEq(s.releasable(money), 50 ether, "covered");
        vm.warp(refundableFrom);
        s.reclaim(money, payer, channelOf(a));
        assertEq(money.balanceOf(sender), 950 ether, "the sender has the surplus");
        assertEq(money.balanceOf(payer), 0, "the payer of the request has nothing of it");
    }

    function test_the_operator_and_the_session_key_take_signed_payments_and_nobody_else() public {
        Pots.Authorization memory first = authorize(SENDER_KEY, sender, 1 ether, "1");
        vm.expectRevert(abi.encodeWithSelector(Pots.OnlyNode.selector, address(this)));
        s.payWithAuthorization(money, first, payer);
        vm.prank(operator);
        s.payWithAuthorization(money, first, payer);
        take(authorize(SENDER_KEY, sender, 1 ether, "2"), payer);
        assertEq(s.pots(money), 2 ether, "both");
    }

    function test_a_contract_signs_by_erc1271() public {
        Wallet wallet = new Wallet(sender);
        money.transfer(address(wallet), 10 ether);
        Pots.Authorization memory a = authorize(SENDER_KEY, address(wallet), 10 ether, "nonce");
        // longer than an ECDSA signature
        a.signature = abi.encodePacked(a.signature, bytes1(0));
        take(a, payer);
        assertEq(amountIn(payer, channelOf(a)), 10 ether, "paid");
    }

    function test_a_changed_or_used_authorization_is_refused() public {
        Pots.Authorization memory a = authorize(SENDER_KEY, sender, 80 ether, "nonce");
        a.value = 81 ether;
        vm.expectRevert(abi.encodeWithSelector(TransferWithAuthorization.AuthorizationSignature.selector, sender));
        take(a, payer);
        a.value = 80 ether;
        take(a, payer);
        vm.expectRevert(abi.encodeWithSelector(TransferWithAuthorization.AuthorizationSpent.selector, sender, bytes32("nonce")));
        take(a, payer);
    }

    function test_a_signed_payment_that_somebody_sent_directly_is_nobodys_and_released_by_receipts_alone() public {
        Pots.Authorization memory a = authorize(SENDER_KEY, sender, 80 ether, "nonce");
        Token(address(money)).transferWithAuthorization(a.from, address(s), a.value, a.validAfter, a.validBefore, a.nonce, a.signature);
        vm.expectRevert(abi.encodeWithSelector(TransferWithAuthorization.AuthorizationSpent.selector, sender, a.nonce));
        take(a, payer);
        assertEq(s.releasable(money), 0, "nothing covered");
        coverOn(channelOf(a), 50 ether);
        assertEq(s.releasable(money), 50 ether, "covered");
    }

    function test_a_pot_that_goes_back_to_somebody_else_is_not_kept_from_him() public {
        Pots.Authorization memory a = authorize(SENDER_KEY, sender, 80 ether, "nonce");
        take(a, payer);
        bytes32 channel = channelOf(a);
        money.transfer(payer, 2 ether);
        vm.startPrank(payer);
        money.approve(address(s), 2 ether);
        vm.expectRevert(abi.encodeWithSelector(Pots.AnotherRefundAddress.selector, sender));
        s.pay(money, 1 ether, channel);
        vm.stopPrank();
        coverOn(channel, 80 ether);
        vm.startPrank(payer);
        s.pay(money, 1 ether, channel);
        s.pay(money, 1 ether, channel);
        vm.stopPrank();
        assertEq(amountIn(payer, channel), 2 ether, "an empty pot is anybody's own again");
    }

    /// @dev Anybody may show a receipt: who shows it before its payment is mined must not get the payment back.
    function test_a_receipt_shown_before_its_payment_can_be_shown_again() public {
        Pots.Authorization memory a = authorize(SENDER_KEY, sender, 10 ether, "nonce");
        refuseOn(channelOf(a), 10 ether, 0, 10 ether);
        take(a, payer);
        coverOn(channelOf(a), 10 ether);
        vm.warp(block.timestamp + REFUND_WINDOW);
        vm.expectRevert(Pots.NothingToPay.selector);
        s.reclaim(money, payer, channelOf(a));
        assertEq(s.releasable(money), 10 ether, "the node's pay");
    }

    /// @dev The receipt took other people's money, and that was divided: the payment takes its place.
    function test_a_payment_after_its_receipt_is_not_given_back() public {
        Pots.Authorization memory a = authorize(SENDER_KEY, sender, 25 ether, "nonce");
        money.transfer(address(s), 10 ether);
        coverOn(channelOf(a), 10 ether);
        s.release(money);
        take(a, payer);
        assertEq(amountIn(payer, channelOf(a)), 15 ether, "the surplus alone");
        assertEq(s.openOf(money, payer, channelOf(a)), 0, "paid back");
        coverOn("the others' channel", 10 ether);
        assertEq(s.releasable(money), 10 ether, "their receipts find their money");
    }

    function test_a_payment_that_pays_back_less_than_was_taken_fills_no_pot() public {
        money.transfer(address(s), 10 ether);
        cover(10 ether);
        payIn(4 ether);
        assertEq(amountIn(payer, CHANNEL), 0, "no pot");
        assertEq(s.openOf(money, payer, CHANNEL), 6 ether, "what is left");
    }

    function test_money_in_no_pot_is_covered_once() public {
        money.transfer(address(s), 10 ether);
        coverOn("one", 6 ether);
        refuseOn("two", 5 ether, 10 ether, 11 ether);
        coverOn("two", 4 ether);
        assertEq(s.releasable(money), 10 ether, "all of it");
    }

    function test_an_authorization_does_not_take_over_the_pot_of_somebody_else() public {
        Pots.Authorization memory a = authorize(SENDER_KEY, sender, 1, "nonce");
        money.transfer(payer, 10 ether);
        vm.startPrank(payer);
        money.approve(address(s), 10 ether);
        s.pay(money, 10 ether, channelOf(a));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(Pots.AnotherRefundAddress.selector, payer));
        take(a, payer);
        vm.warp(block.timestamp + REFUND_WINDOW);
        s.reclaim(money, payer, channelOf(a));
        assertEq(money.balanceOf(payer), 10 ether, "his own");
    }

    function test_paying_nothing_is_refused() public {
        vm.expectRevert(Pots.NothingToPay.selector);
        s.pay(money, 0, CHANNEL);
        Pots.Authorization memory a = authorize(SENDER_KEY, sender, 0, "nonce");
        vm.expectRevert(Pots.NothingToPay.selector);
        take(a, payer);
        vm.expectRevert(Pots.NothingToPay.selector);
        s.reclaim(money, payer, CHANNEL);
    }

    function test_only_settlement_covers() public {
        vm.expectRevert(abi.encodeWithSelector(Pots.OnlySettlement.selector, address(this)));
        s.cover(money, payer, CHANNEL, 1);
    }

    function test_an_asset_that_lies_or_calls_back_fills_no_pot() public {
        FalseToken lies = new FalseToken();
        vm.expectPartialRevert(bytes4(keccak256("SafeERC20FailedOperation(address)")));
        s.pay(IERC20(address(lies)), 1 ether, CHANNEL);
        ReentrantToken again = new ReentrantToken();
        again.target(address(s), abi.encodeCall(Pots.pay, (IERC20(address(again)), 1, CHANNEL)));
        vm.expectRevert(bytes4(keccak256("ReentrancyGuardReentrantCall()")));
        s.pay(IERC20(address(again)), 1, CHANNEL);
    }

    function testFuzz_every_pot_ends_with_its_payee_or_its_refund_address(uint256 paid, uint256 used) public {
        paid = bound(paid, 1, 1000 ether);
        used = bound(used, 1, 2000 ether);
        Pots.Authorization memory a = authorize(SENDER_KEY, sender, paid, "nonce");
        take(a, payer);
        if (used > paid) refuseOn(channelOf(a), used, 0, used - paid);
        uint256 taken = used < paid ? used : paid;
        coverOn(channelOf(a), taken);
        assertEq(s.releasable(money), taken, "as much as there is");
        vm.warp(block.timestamp + REFUND_WINDOW);
        s.release(money);
        if (taken < paid) s.reclaim(money, payer, channelOf(a));
        assertEq(money.balanceOf(sender), 1000 ether - taken, "the rest is back");
        assertEq(money.balanceOf(address(payouts)), taken, "what was used is credited");
        assertEq(money.balanceOf(address(s)), 0, "nothing stays");
    }
}
