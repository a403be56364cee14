// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDepositCollector} from "./Channels.sol";

/// @title Base of the deposit collectors
/// @dev What a collector gathers goes to its caller: so the escrow alone may call, or whoever copies a deposit from the pool would take it for himself.
abstract contract CollectorForEscrow is IDepositCollector {
    /// @notice The escrow's canonical address.
    address public constant ESCROW = 0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003;

    error OnlyEscrow(address caller);

    modifier onlyEscrow() {
        if (msg.sender != ESCROW) revert OnlyEscrow(msg.sender);
        _;
    }
}
