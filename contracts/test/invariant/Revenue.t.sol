// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Receipt} from "../../src/settlement/Receipt.sol";
import {RevenueSplitter} from "../../src/settlement/RevenueSplitter.sol";
import {EconomyFixture} from "../utils/EconomyFixture.sol";

/// @title Random payments, receipts, releases and refunds of one splitter and two payers; every move is one that must succeed, or is skipped
contract RevenueMoves is EconomyFixture {
    uint256 public paidIn;
    uint256 public refunded;
    uint256 public covered;
    uint256 public released;
    RevenueSplitter public to;

    constructor() {
        super.setUp();
        to = splitter();
        stakeToken.approve(address(staking), type(uint256).max);
        staking.stake(operator, 400_000 ether);
    }

    /// @dev No move: forge calls every public function.
    function setUp() public override {}

    function keyOf(uint256 seed) public pure returns (uint256) {
        return PAYER_KEY + seed % 2;
    }

    function pay(uint256 seed, uint256 amount) external {
        amount = bound(amount, 1, 100 ether);
        if (money.balanceOf(address(this)) < amount) return;
        address from = vm.addr(keyOf(seed));
        money.transfer(from, amount);
        vm.startPrank(from);
        money.approve(address(to), amount);
        to.pay(money, amount);
        vm.stopPrank();
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
        r.payer = vm.addr(key);
        bytes32 channel = keccak256(abi.encode(r.node, r.payer, r.modelId, r.asset, r.channel));
        r.cumulativeAmount = settlement.coveredOf(channel) + bound(amount, 1, 100 ether);
        bytes32[] memory siblings = post(r);
        covered += settlement.cover(r, r.cumulativeAmount, signRequest(key, r), 1, siblings);
    }

    function release() external {
        if (to.releasable(money) != 0) released += to.release(money);
    }

    function reclaim(uint256 seed) external {
        address from = vm.addr(keyOf(seed));
        (uint256 amount, uint64 refundableFrom) = to.potOf(money, from);
        if (amount == 0) return;
        if (block.timestamp < refundableFrom) vm.warp(refundableFrom);
        vm.prank(from);
        refunded += to.reclaim(money);
    }

    function refund(uint256 amount) external {
        uint256 open = money.balanceOf(address(to)) - to.pots(money) - to.earned(money);
        uint256 cover = to.openCover(money);
        if (open <= cover) return;
        amount = bound(amount, 1, open - cover);
        vm.prank(operator);
        to.refund(money, payer, amount);
        refunded += amount;
    }

    function balances() external view returns (uint256 here, uint256 pots, uint256 earned, uint256 held, uint256 owed) {
        (here, pots, earned) = (money.balanceOf(address(to)), to.pots(money), to.earned(money));
        held = money.balanceOf(address(payouts));
        owed = payouts.owed(operator, money) + payouts.owed(author, money) + payouts.owed(auditors, money) + payouts.owed(treasury, money);
    }

    function potsOfPayers() external view returns (uint256 sum) {
        (uint256 first,) = to.potOf(money, vm.addr(PAYER_KEY));
        (uint256 second,) = to.potOf(money, vm.addr(PAYER_KEY + 1));
        return first + second;
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
        assertEq(here >= pots + earned, true, "pots and earnings are there");
        assertEq(pots, moves.potsOfPayers(), "pots sum");
    }

    function invariant_no_more_is_released_than_receipts_cover() public view {
        assertEq(moves.released() <= moves.covered(), true, "released <= covered");
    }
}
