// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Pots} from "../../src/settlement/Pots.sol";
import {Receipt} from "../../src/settlement/Receipt.sol";
import {RevenueSplitter} from "../../src/settlement/RevenueSplitter.sol";
import {EconomyFixture} from "../utils/EconomyFixture.sol";

/// @title Random payments, receipts, releases and refunds of one splitter, two payers and two channels; every move is one that must succeed, or is skipped
contract RevenueMoves is EconomyFixture {
    uint256 private constant SENDER_KEY = 0x5E4D;
    /// @dev Pots of signed payments that are looked at: later payments come as plain transfers.
    uint256 private constant MOST_SIGNED = 16;

    uint256 public paidIn;
    uint256 public refunded;
    uint256 public covered;
    uint256 public released;
    /// @dev Of every receipt: a second one may not cover the same sum.
    uint256 public settledTwice;
    RevenueSplitter public to;
    address public sender = vm.addr(SENDER_KEY);
    bytes32[] private _channels;

    constructor() {
        super.setUp();
        to = splitter();
        stakeToken.approve(address(staking), type(uint256).max);
        staking.stake(operator, 400_000 ether);
        _channels.push("one");
        _channels.push("two");
    }

    /// @dev No move: forge calls every public function.
    function setUp() public override {}

    function keyOf(uint256 seed) public pure returns (uint256) {
        return PAYER_KEY + seed % 2;
    }

    function channelOf(uint256 seed) private view returns (bytes32) {
        return _channels[(seed >> 8) % _channels.length];
    }

    function pay(uint256 seed, uint256 amount) external {
        amount = bound(amount, 1, 100 ether);
        if (money.balanceOf(address(this)) < amount) return;
        address from = vm.addr(keyOf(seed));
        bytes32 channel = seed % 4 < 2 ? bytes32("one") : bytes32("two");
        money.transfer(from, amount);
        vm.startPrank(from);
        money.approve(address(to), amount);
        to.pay(money, amount, channel);
        vm.stopPrank();
        paidIn += amount;
    }

    function paySigned(uint256 seed, uint256 amount) external {
        amount = bound(amount, 1, 100 ether);
        if (money.balanceOf(address(this)) < amount || _channels.length >= MOST_SIGNED) return;
        money.transfer(sender, amount);
        bytes32 nonce = bytes32(_channels.length);
        Pots.Authorization memory a = authorize(SENDER_KEY, sender, amount, nonce);
        vm.prank(operator);
        to.payWithAuthorization(money, a, vm.addr(keyOf(seed)));
        _channels.push(keccak256(abi.encode(sender, money, nonce)));
        paidIn += amount;
    }

    function send(uint256 amount) external {
        amount = bound(amount, 1, 100 ether);
        if (money.balanceOf(address(this)) < amount) return;
        money.transfer(address(to), amount);
        paidIn += amount;
    }

    function show(uint256 seed, uint256 amount) external {
        uint256 key = keyOf(seed);
        Receipt memory r = receiptOf(0);
        (r.payer, r.channel) = (vm.addr(key), channelOf(seed));
        bytes32 account = keccak256(abi.encode(r.node, r.payer, r.modelId, r.asset, r.channel));
        uint256 available = takeable(r.payer, r.channel);
        if (available == 0) return;
        r.cumulativeAmount = settlement.coveredOf(account) + bound(amount, 1, available < 100 ether ? available : 100 ether);
        bytes32[] memory siblings = post(r);
        bytes memory signature = signRequest(key, r);
        covered += settlement.cover(r, r.cumulativeAmount, signature, 1, siblings);
        try settlement.cover(r, r.cumulativeAmount, signature, 1, siblings) {
            settledTwice++;
        } catch {}
    }

    /// @dev The most that a receipt of this payer and channel can cover: his pot, and what lies in none.
    function takeable(address from, bytes32 channel) private view returns (uint256 most) {
        (most,,) = to.potOf(money, from, channel);
        most += money.balanceOf(address(to)) - to.pots(money) - to.earned(money) - to.openCover(money);
    }

    function release() external {
        if (to.releasable(money) != 0) released += to.release(money);
    }

    function reclaim(uint256 seed) external {
        (address from, bytes32 channel) = (vm.addr(keyOf(seed)), channelOf(seed));
        (uint256 amount, address refundTo, uint64 refundableFrom) = to.potOf(money, from, channel);
        if (amount == 0) return;
        if (block.timestamp < refundableFrom) vm.warp(refundableFrom);
        uint256 before = money.balanceOf(refundTo);
        refunded += to.reclaim(money, from, channel);
        assertEq(money.balanceOf(refundTo), before + amount, "to the refund address, whole");
    }

    function balances() external view returns (uint256 here, uint256 pots, uint256 earned, uint256 held, uint256 owed) {
        (here, pots, earned) = (money.balanceOf(address(to)), to.pots(money), to.earned(money));
        held = money.balanceOf(address(payouts));
        owed = payouts.owed(operator, money) + payouts.owed(author, money) + payouts.owed(auditors, money) + payouts.owed(treasury, money);
    }

    function asset() external view returns (IERC20) {
        return money;
    }

    function sumOfPots() external view returns (uint256 sum) {
        for (uint256 i = 0; i < 2 * _channels.length; i++) {
            (uint256 amount,,) = to.potOf(money, vm.addr(keyOf(i)), _channels[i / 2]);
            sum += amount;
        }
    }
}

contract RevenueInvariants is EconomyFixture {
    RevenueMoves private moves;

    function setUp() public override {
        moves = new RevenueMoves();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(moves);
    }

    function invariant_money_is_conserved() public view {
        (uint256 here, uint256 pots, uint256 earned, uint256 held, uint256 owed) = moves.balances();
        assertEq(moves.paidIn(), here + moves.released() + moves.refunded(), "nothing appears or vanishes");
        assertEq(held, owed, "every credit is covered");
        assertEq(held, moves.released(), "what was released is credited to the wei");
        assertEq(here >= pots + earned + moves.to().openCover(moves.asset()), true, "pots, earnings and what receipts cover are there");
        assertEq(pots, moves.sumOfPots(), "pots sum");
    }

    function invariant_no_more_is_released_than_receipts_cover() public view {
        assertEq(moves.released() <= moves.covered(), true, "released <= covered");
        assertEq(moves.settledTwice(), 0, "no receipt settles twice");
    }
}
