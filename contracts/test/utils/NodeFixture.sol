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

    function offerOf(string memory endpoint, NodeRegistry.Price[] memory prices) internal pure returns (NodeRegistry.Offer memory) {
        return NodeRegistry.Offer({endpoint: endpoint, encryptionKey: 0, prices: prices});
    }

    /// @dev One model, free.
    function oneModel() internal pure returns (NodeRegistry.Price[] memory prices) {
        prices = new NodeRegistry.Price[](1);
        prices[0].modelId = keccak256("model");
    }

    /// @dev Models 1 to `count`, free.
    function modelsUpTo(uint256 count) internal pure returns (NodeRegistry.Price[] memory prices) {
        prices = new NodeRegistry.Price[](count);
        for (uint256 i = 0; i < count; i++) {
            prices[i].modelId = bytes32(i + 1);
        }
    }

    function register(address node, uint256 sessionPrivateKey) internal {
        bytes memory proof = proofOf(sessionPrivateKey, node);
        vm.deal(node, BOND);
        vm.prank(node);
        registry.register{value: BOND}(vm.addr(sessionPrivateKey), proof, offerOf("http://node", oneModel()));
    }
}
