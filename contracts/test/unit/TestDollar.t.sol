// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PaymentsFixture} from "../utils/PaymentsFixture.sol";

/// @dev Signed transfers and permits are those of Token.t.sol: the same code.
contract TestDollarTest is PaymentsFixture {
    function test_is_a_dollar_of_six_decimals() public view {
        assertEq(dollar.decimals(), 6, "decimals");
        assertEq(dollar.name(), "Test Dollar", "name");
        assertEq(dollar.version(), "1", "version");
        assertEq(dollar.totalSupply(), MONEY, "all of it is minted at construction");
        assertEq(dollar.balanceOf(payer), MONEY, "to the holders");
    }

    function test_its_domain_is_what_x402_clients_sign_for() public view {
        bytes32 domainType = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 domain = keccak256(abi.encode(domainType, keccak256("Test Dollar"), keccak256("1"), block.chainid, address(dollar)));
        assertEq(dollar.DOMAIN_SEPARATOR(), domain, "domain");
    }
}
