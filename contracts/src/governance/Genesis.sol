// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {CommonweightGovernor, GovernorTerms} from "./CommonweightGovernor.sol";

/// @title Governor, timelock and access manager, wired in one transaction
/// @notice Nobody holds a power at any moment in between: the timelock's only proposer is the governor, whose address is known before it exists;
/// everybody may execute what is due; the timelock alone administers itself and the access manager.
contract Genesis {
    TimelockController public immutable TIMELOCK;
    CommonweightGovernor public immutable GOVERNOR;
    AccessManager public immutable MANAGER;

    error UnexpectedGovernor(address expected, address got);

    /// @param delay Seconds between queueing and execution.
    constructor(IVotes token, uint256 delay, GovernorTerms memory terms) {
        address governor = _created(2);
        address[] memory proposers = new address[](1);
        proposers[0] = governor;
        // the zero address as executor: anybody
        TIMELOCK = new TimelockController(delay, proposers, new address[](1), address(0));
        GOVERNOR = new CommonweightGovernor(token, TIMELOCK, terms);
        if (address(GOVERNOR) != governor) revert UnexpectedGovernor(governor, address(GOVERNOR));
        MANAGER = new AccessManager(address(TIMELOCK));
    }

    /// @dev Address of this contract's creation number `nonce` (1 to 127): keccak256(rlp([this, nonce])).
    function _created(uint8 nonce) private view returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", address(this), nonce)))));
    }
}
