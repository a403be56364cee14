// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChannelConfig, VoucherClaim} from "../../src/dev/x402/Channels.sol";
import {PaymentsFixture} from "../utils/PaymentsFixture.sol";

/// @title Random deposits, vouchers, claims, refunds and withdrawals of four channels of one receiver; every move is one that must succeed, or is skipped
contract ChannelMoves is PaymentsFixture {
    uint256 private constant CHANNELS = 4;
    uint256 private authorizations;
    uint256 public deposited;
    uint256 public paidBack;
    /// @dev Of the claims for anything, how many the contract took.
    uint256 public taken;
    mapping(uint256 seat => uint128) public highestVoucher;
    mapping(uint256 seat => uint256) public withdrawableFrom;
    /// @dev A withdrawal that ended before its delay.
    bool public rushed;

    constructor() {
        super.setUp();
    }

    /// @dev No move: forge calls every public function.
    function setUp() public override {}

    function deposit(uint256 seat, uint128 amount) external {
        amount = uint128(bound(amount, 1, 1000e6));
        if (dollar.balanceOf(payer) < amount) return;
        deposit(channel(seat % CHANNELS), amount, authorizations++);
        deposited += amount;
    }

    function claimSome(uint256 seat, uint128 most, uint128 total) external {
        seat %= CHANNELS;
        (uint128 balance, uint128 before) = channelOf(channel(seat));
        if (balance == before) return;
        total = uint128(bound(total, before + 1, balance));
        most = uint128(bound(most, total, 2 * uint256(balance)));
        if (most > highestVoucher[seat]) highestVoucher[seat] = most;
        claim(channel(seat), most, total);
    }

    /// @dev A receiver that asks for anything: what the contract lets through must still be within voucher and balance.
    function claimAnything(uint256 seat, uint128 most, uint128 total) external {
        seat %= CHANNELS;
        (uint128 balance,) = channelOf(channel(seat));
        most = uint128(bound(most, 0, 2 * uint256(balance)));
        if (most > highestVoucher[seat]) highestVoucher[seat] = most;
        VoucherClaim[] memory rows = one(claimOf(channel(seat), most, uint128(bound(total, 0, 3 * uint256(balance)))));
        vm.prank(receiver);
        (bool done,) = address(ESCROW).call(abi.encodeCall(ESCROW.claim, (rows)));
        if (done) taken++;
    }

    /// @dev Vouchers that were claimed already, in one batch, by the authorizer's signature: nothing may change.
    function replay() external {
        VoucherClaim[] memory rows = new VoucherClaim[](CHANNELS);
        for (uint256 seat = 0; seat < CHANNELS; seat++) {
            (, uint128 claimed) = channelOf(channel(seat));
            rows[seat] = claimOf(channel(seat), claimed, claimed);
        }
        (uint128 before,) = ESCROW.receivers(receiver, address(dollar));
        ESCROW.claimWithSignature(rows, sign(AUTHORIZER_KEY, ESCROW.getClaimBatchDigest(rows)));
        (uint128 afterwards,) = ESCROW.receivers(receiver, address(dollar));
        assertEq(afterwards, before, "replayed");
    }

    function settle() external {
        ESCROW.settle(receiver, address(dollar));
    }

    function refund(uint256 seat, uint128 amount) external {
        amount = uint128(bound(amount, 1, type(uint128).max));
        uint256 before = dollar.balanceOf(payer);
        vm.prank(receiver);
        ESCROW.refund(channel(seat % CHANNELS), amount);
        paidBack += dollar.balanceOf(payer) - before;
    }

    function startWithdraw(uint256 seat, uint128 amount) external {
        ChannelConfig memory config = channel(seat % CHANNELS);
        (uint128 balance, uint128 claimed) = channelOf(config);
        (, uint40 pending) = ESCROW.pendingWithdrawals(ESCROW.getChannelId(config));
        if (balance == claimed || pending != 0) return;
        vm.prank(payer);
        ESCROW.initiateWithdraw(config, uint128(bound(amount, 1, balance - claimed)));
        withdrawableFrom[seat % CHANNELS] = block.timestamp + DELAY;
    }

    function endWithdraw(uint256 seat, uint256 wait) external {
        ChannelConfig memory config = channel(seat % CHANNELS);
        vm.warp(block.timestamp + bound(wait, 0, DELAY));
        uint256 before = dollar.balanceOf(payer);
        vm.prank(payer);
        (bool done,) = address(ESCROW).call(abi.encodeCall(ESCROW.finalizeWithdraw, (config)));
        if (done && block.timestamp < withdrawableFrom[seat % CHANNELS]) rushed = true;
        paidBack += dollar.balanceOf(payer) - before;
    }

    function escrowed() external view returns (uint256) {
        return dollar.balanceOf(address(ESCROW));
    }

    function received() external view returns (uint256) {
        return dollar.balanceOf(receiver);
    }

    function totals() external view returns (uint256 balances, uint256 claims, uint256 unsettled) {
        for (uint256 seat = 0; seat < CHANNELS; seat++) {
            (uint128 balance, uint128 claimed) = channelOf(channel(seat));
            balances += balance;
            claims += claimed;
        }
        (uint128 claimedInAll, uint128 settled) = ESCROW.receivers(receiver, address(dollar));
        assertEq(claimedInAll, claims, "the receiver's total is the sum of the channels'");
        unsettled = claimedInAll - settled;
    }

    function seatsAreInBounds() external view returns (bool) {
        for (uint256 seat = 0; seat < CHANNELS; seat++) {
            (uint128 balance, uint128 claimed) = channelOf(channel(seat));
            if (claimed > balance || claimed > highestVoucher[seat]) return false;
        }
        return true;
    }
}

contract ChannelsInvariant is PaymentsFixture {
    ChannelMoves private moves;

    function setUp() public override {
        moves = new ChannelMoves();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(moves);
    }

    function invariant_the_escrow_holds_what_it_owes() public view {
        (uint256 balances, uint256 claims, uint256 unsettled) = moves.totals();
        assertEq(moves.escrowed(), balances - claims + unsettled, "unclaimed and unsettled");
    }

    function invariant_tokens_are_conserved() public view {
        assertEq(moves.escrowed() + moves.received() + moves.paidBack(), moves.deposited(), "in and out");
    }

    function invariant_a_claim_exceeds_neither_voucher_nor_balance() public view {
        assertEq(moves.seatsAreInBounds(), true, "bounds");
    }

    function invariant_the_delay_is_kept() public view {
        assertEq(moves.rushed(), false, "rushed");
    }
}
