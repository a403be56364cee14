// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../../src/registry/NodeRegistry.sol";
import {Test} from "./Test.sol";

/// @title A node registry and the steps that many tests begin with
abstract contract NodeFixture is Test {
    uint256 internal constant BOND = 1 ether;
    uint64 internal constant DELAY = 1 days;
    uint256 internal constant SESSION = 0xA11CE;

    NodeRegistry internal registry = new NodeRegistry(BOND, DELAY);
    address internal operator = vm.addr(0x0123);

    function proofOf(uint256 sessionPrivateKey, address forOperator) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(sessionPrivateKey, registry.sessionKeyDigest(forOperator));
        return abi.encodePacked(r, s, v);
    }

    function oneModel() internal pure returns (bytes32[] memory models) {
        models = new bytes32[](1);
        models[0] = keccak256("model");
    }

    function register(address node, uint256 sessionPrivateKey) internal {
        bytes memory proof = proofOf(sessionPrivateKey, node);
        vm.deal(node, BOND);
        vm.prank(node);
        registry.register{value: BOND}(vm.addr(sessionPrivateKey), proof, "http://node", oneModel());
    }
}
