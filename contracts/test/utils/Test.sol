// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "./Vm.sol";

/// @title Base of every test
abstract contract Test {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    // forge recognises a test contract by this
    // forge-lint: disable-next-line(screaming-snake-case-const)
    bool public constant IS_TEST = true;

    error NotEqual(string what, bytes32 got, bytes32 expected);

    function assertEq(bytes32 got, bytes32 expected, string memory what) internal pure {
        if (got != expected) revert NotEqual(what, got, expected);
    }

    function assertEq(uint256 got, uint256 expected, string memory what) internal pure {
        assertEq(bytes32(got), bytes32(expected), what);
    }

    function assertEq(address got, address expected, string memory what) internal pure {
        assertEq(bytes32(uint256(uint160(got))), bytes32(uint256(uint160(expected))), what);
    }

    function assertEq(bool got, bool expected, string memory what) internal pure {
        assertEq(bytes32(uint256(got ? 1 : 0)), bytes32(uint256(expected ? 1 : 0)), what);
    }

    function assertEq(string memory got, string memory expected, string memory what) internal pure {
        assertEq(keccak256(bytes(got)), keccak256(bytes(expected)), what);
    }

    function bound(uint256 value, uint256 least, uint256 most) internal pure returns (uint256) {
        return least + value % (most - least + 1);
    }

    function textOfLength(uint256 length) internal pure returns (string memory) {
        return string(new bytes(length));
    }
}
