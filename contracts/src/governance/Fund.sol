// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Payouts} from "../settlement/Payouts.sol";

/// @title Money with one purpose, such as the pay of auditors
/// @notice Takes in what {Payouts} owes it, and pays out as the timelock says. The timelock can let a contract pay, by a role of the access manager.
contract Fund is AccessManaged {
    using SafeERC20 for IERC20;

    Payouts public immutable PAYOUTS;

    event FundPaid(IERC20 indexed asset, address indexed to, uint256 amount);

    constructor(address authority, Payouts payouts) AccessManaged(authority) {
        PAYOUTS = payouts;
    }

    /// @notice Fetches what is owed to this fund. Anybody may call it.
    function collect(IERC20 asset) external returns (uint256 amount) {
        return PAYOUTS.withdraw(asset, address(this));
    }

    function pay(IERC20 asset, address to, uint256 amount) external restricted {
        emit FundPaid(asset, to, amount);
        asset.safeTransfer(to, amount);
    }
}
