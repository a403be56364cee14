// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Stake in shares: what is active, and what thaws
/// @notice Two sides, each with its own price of a share. A slash takes the same fraction of both, so that a pending exit loses as much as what stays.
/// A side that a slash empties (or leaves so little that a share is worth less than 1e-9 unit) starts a new generation: its old shares are worth nothing.
/// Shares + generation for thaws: the scheme of The Graph Horizon (`thawingNonce`), stated anew.
library StakePool {
    struct Side {
        uint256 tokens;
        uint256 shares;
        uint64 generation;
    }

    struct Pool {
        Side active;
        Side thawing;
    }

    /// @dev Shares may outgrow tokens by this factor before a side is given up: keeps every product below 2^256.
    uint256 internal constant DUST = 1e9;

    /// @param tokens More than zero.
    /// @return shares Rounded down: who enters never takes from who is in. At least one: a side never has more tokens than shares, since it begins with as many, a slash
    /// takes tokens alone, and what rounding leaves behind at an exit is less than a token.
    function enter(Side storage side, uint256 tokens) internal returns (uint256 shares) {
        shares = side.shares == 0 ? tokens : Math.mulDiv(tokens, side.shares, side.tokens);
        side.tokens += tokens;
        side.shares += shares;
    }

    /// @return tokens Rounded down; the last one to leave takes what is left.
    function redeem(Side storage side, uint256 shares) internal returns (uint256 tokens) {
        tokens = worth(side, shares);
        side.tokens -= tokens;
        side.shares -= shares;
    }

    function worth(Side storage side, uint256 shares) internal view returns (uint256) {
        return shares == 0 ? 0 : Math.mulDiv(shares, side.tokens, side.shares);
    }

    function total(Pool storage pool) internal view returns (uint256) {
        return pool.active.tokens + pool.thawing.tokens;
    }

    /// @param amount At most {total}.
    /// @return taken What was taken: `amount`, and the dust of a side that was given up.
    function slash(Pool storage pool, uint256 amount) internal returns (uint256 taken) {
        uint256 all = total(pool);
        if (amount == 0) return 0;
        // rounded down for one side is rounded up for the other, which has that much: `amount` is not more than both
        uint256 fromThawing = Math.mulDiv(amount, pool.thawing.tokens, all);
        return _take(pool.active, amount - fromThawing) + _take(pool.thawing, fromThawing);
    }

    function _take(Side storage side, uint256 amount) private returns (uint256 taken) {
        taken = amount;
        side.tokens -= amount;
        if (side.shares != 0 && side.tokens * DUST < side.shares) {
            taken += side.tokens;
            (side.tokens, side.shares, side.generation) = (0, 0, side.generation + 1);
        }
    }
}
