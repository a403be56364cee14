// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {TransferWithAuthorization} from "../governance/TransferWithAuthorization.sol";

/// @title Money for development chains: a dollar token with the two ways of signing that x402 uses
/// @notice Signed transfers (EIP-3009) pay `exact` and fund channels, permits (ERC-2612) approve Permit2 for `upto`. Worth nothing, and deployed on no real network.
contract TestDollar is ERC20, ERC20Permit, TransferWithAuthorization {
    /// @param holders Each gets `amount` at construction, in millionths of a dollar; nobody can mint more.
    constructor(address[] memory holders, uint256 amount) ERC20("Test Dollar", "TUSD") ERC20Permit("Test Dollar") {
        for (uint256 i = 0; i < holders.length; i++) {
            _mint(holders[i], amount);
        }
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// @notice Version of the EIP-712 domain: x402 asks tokens for it.
    function version() external pure returns (string memory) {
        return "1";
    }
}
