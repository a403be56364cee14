// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title What somebody has earned and not yet fetched, in any asset
/// @notice Payees are never called when money is divided: a payee that refuses cannot block the others.
contract Payouts is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    struct Credit {
        address account;
        uint256 amount;
    }

    mapping(address account => mapping(IERC20 asset => uint256 amount)) public owed;

    event Credited(address indexed account, IERC20 indexed asset, address indexed from, uint256 amount);
    event Withdrawn(address indexed account, IERC20 indexed asset, address indexed to, uint256 amount);

    error NotCovered(uint256 credited, uint256 received);

    /// @notice Takes the sum of the credits from the caller and books it. Anybody may give.
    function credit(IERC20 asset, Credit[] calldata credits) external nonReentrant {
        uint256 sum = 0;
        for (uint256 i = 0; i < credits.length; i++) {
            if (credits[i].amount == 0) continue;
            sum += credits[i].amount;
            owed[credits[i].account][asset] += credits[i].amount;
            emit Credited(credits[i].account, asset, msg.sender, credits[i].amount);
        }
        uint256 before = asset.balanceOf(address(this));
        asset.safeTransferFrom(msg.sender, address(this), sum);
        uint256 received = asset.balanceOf(address(this)) - before;
        // an asset that keeps a fee cannot be divided exactly
        if (received != sum) revert NotCovered(sum, received);
    }

    /// @notice Pays everything that the caller is owed in `asset` to `to`.
    function withdraw(IERC20 asset, address to) external nonReentrant returns (uint256 amount) {
        amount = owed[msg.sender][asset];
        owed[msg.sender][asset] = 0;
        emit Withdrawn(msg.sender, asset, to, amount);
        if (amount != 0) asset.safeTransfer(to, amount);
    }
}
