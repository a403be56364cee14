// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {TransferWithAuthorization} from "./TransferWithAuthorization.sol";

/// @title The votes token: ERC-20 with votes, permit (ERC-2612) and signed transfers (EIP-3009)
/// @notice The whole supply is minted at genesis (`genesis/allocation.json`); nobody can mint more.
/// @dev Votes are counted by timestamp (ERC-6372): chains differ in the time of a block.
contract Token is ERC20, ERC20Permit, ERC20Votes, TransferWithAuthorization {
    struct Allocation {
        address holder;
        uint256 amount;
    }

    error EmptyAllocation(uint256 index);

    /// @param allocation Who holds what at genesis, in units of 1e-18.
    constructor(string memory name, string memory symbol, Allocation[] memory allocation) ERC20(name, symbol) ERC20Permit(name) {
        for (uint256 i = 0; i < allocation.length; i++) {
            if (allocation[i].amount == 0) revert EmptyAllocation(i);
            _mint(allocation[i].holder, allocation[i].amount);
        }
    }

    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}
