// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReceiptFaults} from "../faults/ReceiptFaults.sol";
import {ReceiptLog} from "../settlement/ReceiptLog.sol";
import {RevenueSplitter} from "../settlement/RevenueSplitter.sol";
import {Settlement} from "../settlement/Settlement.sol";
import {Staking} from "../staking/Staking.sol";

/// @title Staking, settlement and slasher, wired in one transaction
/// @notice Staking names the contracts that may reserve and slash, and they name it: their addresses are known before they exist. Nobody can name others, at no moment.
contract EconomyGenesis {
    Staking public immutable STAKING;
    Settlement public immutable SETTLEMENT;
    ReceiptFaults public immutable FAULTS;

    error Unexpected(address expected, address got);

    /// @param token What is staked.
    /// @param environment Where revenue goes, and the parameters of all three.
    constructor(IERC20 token, ReceiptLog log, RevenueSplitter.Environment memory environment) {
        (address settlement, address faults) = (_created(2), _created(3));
        address[] memory slashers = new address[](1);
        slashers[0] = faults;
        STAKING = new Staking(token, environment.parameters, settlement, slashers);
        SETTLEMENT = new Settlement(log, STAKING, environment);
        FAULTS = new ReceiptFaults(log, STAKING);
        if (address(SETTLEMENT) != settlement) revert Unexpected(settlement, address(SETTLEMENT));
        if (address(FAULTS) != faults) revert Unexpected(faults, address(FAULTS));
    }

    /// @dev Address of this contract's creation number `nonce` (1 to 127): keccak256(rlp([this, nonce])).
    function _created(uint8 nonce) private view returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", address(this), nonce)))));
    }
}
