// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev Keeps 1 % of every transfer.
contract FeeToken is ERC20("Fee", "FEE") {
    constructor() {
        _mint(msg.sender, 1e24);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0)) return super._update(from, to, value);
        super._update(from, address(0xFEE), value / 100);
        super._update(from, to, value - value / 100);
    }
}

/// @dev Says no without reverting.
contract FalseToken {
    function balanceOf(address) external pure returns (uint256) {
        return 1e24;
    }

    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }

    function transferFrom(address, address, uint256) external pure returns (bool) {
        return false;
    }
}

/// @dev Calls back in the middle of a transfer.
contract ReentrantToken is ERC20("Again", "AGN") {
    address private _target;
    bytes private _data;

    function target(address to, bytes calldata data) external {
        (_target, _data) = (to, data);
    }

    function transferFrom(address, address, uint256) public override returns (bool) {
        (bool done, bytes memory reason) = _target.call(_data);
        if (!done) {
            assembly {
                revert(add(reason, 32), mload(reason))
            }
        }
        return true;
    }
}
