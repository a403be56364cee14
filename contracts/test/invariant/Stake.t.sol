// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StakePool} from "../../src/staking/StakePool.sol";
import {Staking} from "../../src/staking/Staking.sol";
import {StakingFixture} from "../utils/StakingFixture.sol";

/// @title Random moves of one operator and three delegators; every move is one that must succeed, or is skipped
contract StakeMoves is StakingFixture {
    uint256 public constant ACTORS = 4;
    bytes32[] private _receipts;
    uint256 private _count;
    bytes32[] private _disputes;
    uint256 public paidIn;
    uint256 public paidOut;
    uint256 public slashed;

    constructor() {
        super.setUp();
    }

    /// @dev No move: forge calls every public function.
    function setUp() public override {}

    function actor(uint256 seed) public view returns (address) {
        seed %= ACTORS;
        return seed == 0 ? operator : address(uint160(0xD00 + seed));
    }

    function enter(uint256 seed, uint256 amount) external {
        amount = bound(amount, 1e12, 1e20);
        address who = actor(seed);
        (StakePool.Pool memory own,,,,) = staking.operatorInfo(operator);
        if (who != operator && own.active.tokens == 0) return;
        if (token.balanceOf(address(this)) < amount) return;
        if (who == operator) stakeOwn(amount);
        else delegateTo(who, amount);
        paidIn += amount;
    }

    function exit(uint256 seed, uint256 shares) external {
        address who = actor(seed);
        (uint256 shares_, uint256 worth) = staking.holdingOf(operator, who, who == operator);
        if (shares_ == 0 || worth == 0) return;
        if (staking.thawsOf(operator, who, who == operator).length == 32) return;
        shares = bound(shares, 1, shares_);
        if (shares * worth < shares_) return;
        thaw(who, shares);
    }

    function collect(uint256 seed, uint256 time) external {
        vm.warp(block.timestamp + bound(time, 0, PERIOD));
        address who = actor(seed);
        uint256 open = _disputes.length;
        (,,,, uint256 atStake) = staking.operatorInfo(operator);
        if (open == 0 || (who != operator && staking.ownStakeOf(operator) >= atStake)) paidOut += withdraw(who);
    }

    function reserve(uint256 amount, uint256 time) external {
        uint256 free = staking.freeStake(operator);
        if (free == 0) return;
        bytes32 receipt = bytes32(++_count);
        staking.reserve(operator, receipt, bound(amount, 1, free), uint64(block.timestamp + bound(time, 0, 1 days)));
        _receipts.push(receipt);
        _dropFreed();
    }

    function releaseDue() external {
        staking.releaseDue(operator);
        _dropFreed();
    }

    function release(uint256 seed) external {
        if (_receipts.length == 0 || _disputes.length != 0) return;
        uint256 place = seed % _receipts.length;
        (, uint64 until,) = staking.reservationOf(_receipts[place]);
        if (block.timestamp < until) vm.warp(until);
        staking.release(_receipts[place]);
        _drop(place);
    }

    function dispute(bool open, uint256 atStake) external {
        if (!open && _disputes.length == 0) return;
        if (open) {
            _disputes.push(bytes32(++_count));
            staking.openDispute(bytes32(_count), operator, bound(atStake, 0, 1e20));
        } else {
            staking.closeDispute(_disputes[_disputes.length - 1]);
            _disputes.pop();
        }
    }

    function slash(uint256 amount, uint256 reward, uint256 refund, uint256 seed) external {
        uint256 all = staking.stakeOf(operator);
        Staking.Slash memory s = fault(bytes32(++_count), bound(amount, 0, all), reward, refund);
        if (_disputes.length != 0 && seed % 3 == 0) {
            s.fault = _disputes[_disputes.length - 1];
            _disputes.pop();
        }
        if (_receipts.length != 0 && seed % 2 == 0) {
            s.receipt = _receipts[seed % _receipts.length];
            _drop(seed % _receipts.length);
        }
        uint256 ownBefore = staking.ownStakeOf(operator);
        uint256 challengerBefore = token.balanceOf(challenger);
        staking.slash(s);
        uint256 ownLost = ownBefore - staking.ownStakeOf(operator);
        assertEq(token.balanceOf(challenger) - challengerBefore <= ownLost / 2, true, "the reward is at most half of the own part");
        slashed += all - staking.stakeOf(operator);
    }

    function reservedByReceipts() external view returns (uint256 sum) {
        for (uint256 i = 0; i < _receipts.length; i++) {
            (,, uint256 amount) = staking.reservationOf(_receipts[i]);
            sum += amount;
        }
    }

    /// @return sum Of the reservations whose window is open.
    function reservedNow() external view returns (uint256 sum) {
        for (uint256 i = 0; i < _receipts.length; i++) {
            (, uint64 until, uint256 amount) = staking.reservationOf(_receipts[i]);
            if (until > block.timestamp) sum += amount;
        }
    }

    /// @return count Of the open disputes.
    /// @return sum Of what they may cost.
    function disputed() external view returns (uint256 count, uint256 sum) {
        count = _disputes.length;
        for (uint256 i = 0; i < count; i++) {
            (, uint256 atStake) = staking.disputeOf(address(this), _disputes[i]);
            sum += atStake;
        }
    }

    function total() external view returns (uint256) {
        return staking.stakeOf(operator);
    }

    function held() external view returns (uint256) {
        return token.balanceOf(address(staking));
    }

    function info() external view returns (StakePool.Pool memory, StakePool.Pool memory, uint256, uint256, uint256) {
        return staking.operatorInfo(operator);
    }

    /// @return sum What all holders' active shares and open thaws are worth.
    function claims(bool own) external view returns (uint256 sum, uint256 shares, uint256 thawShares) {
        (StakePool.Pool memory ownPool, StakePool.Pool memory delegated,,,) = staking.operatorInfo(operator);
        StakePool.Pool memory pool = own ? ownPool : delegated;
        for (uint256 i = own ? 0 : 1; i < (own ? 1 : ACTORS); i++) {
            (uint256 held_, uint256 worth) = staking.holdingOf(operator, actor(i), own);
            shares += held_;
            sum += worth;
            Staking.Thaw[] memory thaws = staking.thawsOf(operator, actor(i), own);
            for (uint256 j = 0; j < thaws.length; j++) {
                if (thaws[j].generation != pool.thawing.generation) continue;
                thawShares += thaws[j].shares;
                sum += thaws[j].shares * pool.thawing.tokens / pool.thawing.shares;
            }
        }
    }

    /// @dev What a reservation has freed on its way.
    function _dropFreed() private {
        for (uint256 i = _receipts.length; i > 0; i--) {
            (,, uint256 amount) = staking.reservationOf(_receipts[i - 1]);
            if (amount == 0) _drop(i - 1);
        }
    }

    function _drop(uint256 place) private {
        _receipts[place] = _receipts[_receipts.length - 1];
        _receipts.pop();
    }
}

contract StakeInvariants is StakingFixture {
    StakeMoves private moves;

    function setUp() public override {
        moves = new StakeMoves();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(moves);
    }

    function invariant_tokens_are_conserved() public view {
        (StakePool.Pool memory own, StakePool.Pool memory delegated,,,) = moves.info();
        uint256 booked = own.active.tokens + own.thawing.tokens + delegated.active.tokens + delegated.thawing.tokens;
        assertEq(moves.held(), booked, "balance = what is booked");
        assertEq(moves.paidIn(), booked + moves.paidOut() + moves.slashed(), "nothing appears or vanishes");
    }

    function invariant_shares_sum() public view {
        (StakePool.Pool memory own, StakePool.Pool memory delegated, uint256 reserved, uint256 disputes, uint256 atStake) = moves.info();
        _checkShares(own, true);
        _checkShares(delegated, false);
        assertEq(reserved, moves.reservedByReceipts(), "one reservation a receipt");
        (uint256 count, uint256 sum) = moves.disputed();
        assertEq(disputes, count, "disputes");
        assertEq(atStake, sum, "what they may cost");
    }

    /// @dev Nobody was kept from leaving, and still nothing that is reserved has left: only a slash takes it.
    function invariant_open_reservations_stay_covered() public view {
        assertEq(moves.total() + moves.slashed() >= moves.reservedNow(), true, "covered");
    }

    function _checkShares(StakePool.Pool memory pool, bool own) private view {
        (uint256 sum, uint256 shares, uint256 thawShares) = moves.claims(own);
        assertEq(shares, pool.active.shares, "active shares");
        assertEq(thawShares, pool.thawing.shares, "thawing shares");
        assertEq(sum <= pool.active.tokens + pool.thawing.tokens, true, "claims are covered");
        assertEq(pool.active.tokens <= shares && pool.thawing.tokens <= thawShares, true, "never more tokens than shares");
    }
}
