// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../../src/registry/NodeRegistry.sol";
import {NodeFixture} from "../utils/NodeFixture.sol";

contract NodeRegistryTest is NodeFixture {
    uint256 private constant OTHER_SESSION = 0xB0B;

    function test_register_stores_the_node() public {
        vm.warp(1000);
        vm.expectEmit(address(registry));
        emit NodeRegistry.NodeRegistered(operator, vm.addr(SESSION), offerOf("http://node", oneModel()), BOND);
        register(operator, SESSION);
        vm.snapshotGasLastCall("NodeRegistry", "register");
        NodeRegistry.Node memory info = registry.nodeInfo(operator);
        assertEq(info.sessionKey, vm.addr(SESSION), "session key");
        assertEq(info.offer.endpoint, "http://node", "endpoint");
        assertEq(info.offer.prices.length, 1, "models");
        assertEq(info.bond, BOND, "bond");
        assertEq(info.registeredAt, 1000, "time");
        assertEq(registry.nodeOfSessionKey(vm.addr(SESSION)), operator, "node of key");
        assertEq(registry.isActive(operator), true, "active");
    }

    function test_register_refuses_a_second_time() public {
        register(operator, SESSION);
        bytes memory proof = proofOf(OTHER_SESSION, operator);
        vm.deal(operator, BOND);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.AlreadyRegistered.selector, operator));
        vm.prank(operator);
        registry.register{value: BOND}(vm.addr(OTHER_SESSION), proof, offerOf("x", oneModel()));
    }

    function testFuzz_register_refuses_a_small_bond(uint256 value) public {
        value = bound(value, 0, BOND - 1);
        bytes memory proof = proofOf(SESSION, operator);
        vm.deal(operator, BOND);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.BondTooSmall.selector, value, BOND));
        vm.prank(operator);
        registry.register{value: value}(vm.addr(SESSION), proof, offerOf("x", oneModel()));
    }

    function test_register_refuses_a_key_that_did_not_agree() public {
        bytes memory proof = proofOf(SESSION, vm.addr(77));
        expectBadProof(vm.addr(SESSION), proof);
        expectBadProof(vm.addr(SESSION), hex"00");
        expectBadProof(address(0), new bytes(65));
    }

    function expectBadProof(address sessionKey, bytes memory proof) private {
        vm.deal(operator, BOND);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.BadSessionKeyProof.selector, sessionKey, operator));
        vm.prank(operator);
        registry.register{value: BOND}(sessionKey, proof, offerOf("x", oneModel()));
    }

    function test_one_key_one_node() public {
        register(operator, SESSION);
        address second = vm.addr(5);
        bytes memory proof = proofOf(SESSION, second);
        vm.deal(second, BOND);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.SessionKeyTaken.selector, vm.addr(SESSION), operator));
        vm.prank(second);
        registry.register{value: BOND}(vm.addr(SESSION), proof, offerOf("x", oneModel()));
    }

    function test_register_bounds_endpoint_and_models() public {
        bytes memory proof = proofOf(SESSION, operator);
        vm.deal(operator, BOND);
        vm.startPrank(operator);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.EndpointLength.selector, 0, 256));
        registry.register{value: BOND}(vm.addr(SESSION), proof, offerOf("", oneModel()));
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.EndpointLength.selector, 257, 256));
        registry.register{value: BOND}(vm.addr(SESSION), proof, offerOf(textOfLength(257), oneModel()));
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.TooManyModels.selector, 65, 64));
        registry.register{value: BOND}(vm.addr(SESSION), proof, offerOf("x", modelsUpTo(65)));
        registry.register{value: BOND}(vm.addr(SESSION), proof, offerOf(textOfLength(256), modelsUpTo(64)));
        vm.stopPrank();
    }

    function test_rotation_keeps_the_old_key_bound() public {
        register(operator, SESSION);
        bytes memory proof = proofOf(OTHER_SESSION, operator);
        vm.expectEmit(address(registry));
        emit NodeRegistry.SessionKeyRotated(operator, vm.addr(SESSION), vm.addr(OTHER_SESSION));
        vm.prank(operator);
        registry.rotateSessionKey(vm.addr(OTHER_SESSION), proof);
        assertEq(registry.sessionKeyOf(operator), vm.addr(OTHER_SESSION), "current");
        assertEq(registry.nodeOfSessionKey(vm.addr(SESSION)), operator, "old key");
        assertEq(registry.nodeOfSessionKey(vm.addr(OTHER_SESSION)), operator, "new key");
    }

    function test_rotation_refuses_a_key_of_another_node() public {
        register(operator, SESSION);
        address second = vm.addr(5);
        register(second, OTHER_SESSION);
        bytes memory proof = proofOf(SESSION, second);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.SessionKeyTaken.selector, vm.addr(SESSION), operator));
        vm.prank(second);
        registry.rotateSessionKey(vm.addr(SESSION), proof);
    }

    function test_update_replaces_the_whole_offer() public {
        register(operator, SESSION);
        NodeRegistry.Offer memory offer =
            NodeRegistry.Offer({endpoint: "http://new", encryptionKey: keccak256("X25519"), prices: modelsUpTo(3)});
        offer.prices[1] = NodeRegistry.Price(bytes32(uint256(2)), address(0xA55E7), 5, type(uint128).max);
        vm.expectEmit(address(registry));
        emit NodeRegistry.NodeUpdated(operator, offer);
        vm.prank(operator);
        registry.update(offer);
        assertEq(keccak256(abi.encode(registry.nodeInfo(operator).offer)), keccak256(abi.encode(offer)), "stored");
        offer = offerOf("http://last", new NodeRegistry.Price[](0));
        vm.prank(operator);
        registry.update(offer);
        assertEq(keccak256(abi.encode(registry.nodeInfo(operator).offer)), keccak256(abi.encode(offer)), "shorter again");
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NotRegistered.selector, address(this)));
        registry.update(offer);
    }

    function test_models_ascend_and_prices_name_an_asset() public {
        register(operator, SESSION);
        NodeRegistry.Price[] memory prices = modelsUpTo(2);
        vm.startPrank(operator);
        prices[1].modelId = prices[0].modelId;
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NotAscending.selector, bytes32(uint256(1)), bytes32(uint256(1))));
        registry.update(offerOf("x", prices));
        prices[0].modelId = 0;
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NotAscending.selector, bytes32(0), bytes32(0)));
        registry.update(offerOf("x", prices));
        prices = modelsUpTo(2);
        prices[1].completionPrice = 1;
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NoAsset.selector, bytes32(uint256(2))));
        registry.update(offerOf("x", prices));
        (prices[1].completionPrice, prices[1].promptPrice) = (0, 1);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NoAsset.selector, bytes32(uint256(2))));
        registry.update(offerOf("x", prices));
        vm.stopPrank();
    }

    function testFuzz_setPrice_changes_one_price(uint256 seed, NodeRegistry.Price memory price) public {
        register(operator, SESSION);
        uint256 index = bound(seed, 0, 4);
        price.modelId = bytes32(index + 1);
        vm.assume(price.asset != address(0));
        vm.startPrank(operator);
        registry.update(offerOf("x", modelsUpTo(5)));
        vm.expectEmit(address(registry));
        emit NodeRegistry.PriceChanged(operator, price.modelId, price.asset, price.promptPrice, price.completionPrice);
        registry.setPrice(index, price);
        vm.stopPrank();
        NodeRegistry.Price[] memory expected = modelsUpTo(5);
        expected[index] = price;
        assertEq(keccak256(abi.encode(registry.nodeInfo(operator).offer.prices)), keccak256(abi.encode(expected)), "only one");
        assertEq(keccak256(abi.encode(registry.priceOf(operator, price.modelId))), keccak256(abi.encode(price)), "priceOf");
    }

    function test_setPrice_names_a_served_model() public {
        register(operator, SESSION);
        NodeRegistry.Price memory price = oneModel()[0];
        (price.asset, price.promptPrice) = (address(1), 7);
        vm.prank(operator);
        registry.setPrice(0, price);
        vm.snapshotGasLastCall("NodeRegistry", "setPrice");
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NotServed.selector, operator, price.modelId));
        vm.prank(operator);
        registry.setPrice(1, price);
        price.asset = address(0);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NoAsset.selector, price.modelId));
        vm.prank(operator);
        registry.setPrice(0, price);
        price.modelId = keccak256("another");
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NotServed.selector, operator, price.modelId));
        vm.prank(operator);
        registry.setPrice(0, price);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NotRegistered.selector, address(this)));
        registry.setPrice(0, price);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NotServed.selector, operator, price.modelId));
        registry.priceOf(operator, price.modelId);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NotRegistered.selector, address(this)));
        registry.priceOf(address(this), price.modelId);
    }

    /// @dev Anvil and many RPC providers give a call 30 million gas: the page that our client asks for must fit, with nodes as large as they can be.
    function test_a_page_of_large_nodes_fits_a_call() public {
        NodeRegistry.Price[] memory prices = modelsUpTo(64);
        for (uint256 i = 0; i < 64; i++) {
            (prices[i].asset, prices[i].promptPrice, prices[i].completionPrice) = (address(1), 1, 1);
        }
        for (uint256 i = 1; i <= 32; i++) {
            register(vm.addr(i), 1000 + i);
            vm.prank(vm.addr(i));
            registry.update(NodeRegistry.Offer(textOfLength(256), keccak256("X25519"), prices));
        }
        // as for a call of its own
        vm.cool(address(registry));
        assertEq(registry.nodesPage{gas: 30_000_000}(0, 32).length, 32, "whole");
    }

    function testFuzz_addBond_adds(uint96 value) public {
        vm.assume(value > 0);
        register(operator, SESSION);
        vm.deal(operator, value);
        vm.prank(operator);
        registry.addBond{value: value}();
        assertEq(registry.nodeInfo(operator).bond, BOND + value, "bond");
        assertEq(registry.totalBond(), BOND + value, "total");
        vm.expectRevert(NodeRegistry.NothingSent.selector);
        vm.prank(operator);
        registry.addBond();
    }

    function testFuzz_exit_pays_the_bond_after_the_delay(uint32 early) public {
        address payable to = payable(vm.addr(99));
        uint256 start = 1_000_000;
        uint64 exitableAt = uint64(start) + DELAY;
        vm.warp(start);
        register(operator, SESSION);
        vm.startPrank(operator);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NotExiting.selector, operator));
        registry.withdraw(to);
        vm.expectEmit(address(registry));
        emit NodeRegistry.ExitRequested(operator, exitableAt);
        registry.requestExit();
        assertEq(registry.isActive(operator), false, "inactive");
        assertEq(registry.isRegistered(operator), true, "still registered");
        vm.warp(start + early % DELAY);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.StillBonded.selector, operator, exitableAt));
        registry.withdraw(to);
        vm.warp(exitableAt);
        vm.expectEmit(address(registry));
        emit NodeRegistry.NodeWithdrawn(operator, to, BOND);
        registry.withdraw(to);
        vm.stopPrank();
        assertEq(to.balance, BOND, "paid");
        assertEq(registry.totalBond(), 0, "total");
        assertEq(registry.nodeCount(), 0, "list");
        assertEq(registry.sessionKeyOf(operator), address(0), "no current key");
        assertEq(registry.nodeOfSessionKey(vm.addr(SESSION)), operator, "key stays bound");
    }

    function test_an_exiting_node_changes_nothing() public {
        register(operator, SESSION);
        bytes memory proof = proofOf(OTHER_SESSION, operator);
        vm.deal(operator, 1);
        vm.startPrank(operator);
        registry.requestExit();
        bytes memory expected = abi.encodeWithSelector(NodeRegistry.Exiting.selector, operator, uint64(block.timestamp) + DELAY);
        vm.expectRevert(expected);
        registry.requestExit();
        vm.expectRevert(expected);
        registry.update(offerOf("x", oneModel()));
        vm.expectRevert(expected);
        registry.setPrice(0, oneModel()[0]);
        vm.expectRevert(expected);
        registry.addBond{value: 1}();
        vm.expectRevert(expected);
        registry.rotateSessionKey(vm.addr(OTHER_SESSION), proof);
        vm.stopPrank();
    }

    function test_withdraw_fails_whole_when_the_recipient_refuses() public {
        register(operator, SESSION);
        vm.prank(operator);
        registry.requestExit();
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.TransferFailed.selector, address(this)));
        vm.prank(operator);
        registry.withdraw(payable(address(this)));
        assertEq(registry.nodeInfo(operator).bond, BOND, "bond is still there");
    }

    function test_a_recipient_that_calls_back_gets_nothing_more() public {
        Reentrant node = new Reentrant(registry);
        bytes memory proof = proofOf(SESSION, address(node));
        register(operator, OTHER_SESSION);
        vm.deal(address(node), BOND);
        node.register(vm.addr(SESSION), proof, BOND);
        node.exit();
        vm.warp(block.timestamp + DELAY);
        node.withdraw();
        assertEq(node.calls(), 1, "called back");
        assertEq(address(node).balance, BOND, "own bond, once");
        assertEq(address(registry).balance, BOND, "the other's bond is untouched");
    }

    function test_a_withdrawal_moves_the_last_node() public {
        for (uint256 i = 1; i <= 4; i++) {
            register(vm.addr(i), 100 + i);
        }
        vm.startPrank(vm.addr(2));
        registry.requestExit();
        vm.warp(block.timestamp + DELAY);
        registry.withdraw(payable(vm.addr(2)));
        vm.stopPrank();
        NodeRegistry.NodeView[] memory page = registry.nodesPage(0, 10);
        assertEq(page.length, 3, "three left");
        assertEq(page[0].node, vm.addr(1), "first");
        assertEq(page[1].node, vm.addr(4), "moved");
        assertEq(page[2].node, vm.addr(3), "third");
        assertEq(registry.nodesPage(1, 1)[0].node, vm.addr(4), "page");
        register(vm.addr(2), 102);
        assertEq(registry.nodesPage(3, 1)[0].node, vm.addr(2), "the same operator and key may come back");
    }
}

/// @dev A node that tries to withdraw again while it is being paid.
contract Reentrant {
    NodeRegistry private immutable REGISTRY;
    uint256 public calls;

    constructor(NodeRegistry registry) {
        REGISTRY = registry;
    }

    function register(address sessionKey, bytes calldata proof, uint256 bond) external {
        REGISTRY.register{value: bond}(sessionKey, proof, NodeRegistry.Offer("x", 0, new NodeRegistry.Price[](0)));
    }

    function exit() external {
        REGISTRY.requestExit();
    }

    function withdraw() external {
        REGISTRY.withdraw(payable(address(this)));
    }

    receive() external payable {
        calls++;
        try REGISTRY.withdraw(payable(address(this))) {
            revert("paid twice");
        } catch (bytes memory reason) {
            require(bytes4(reason) == NodeRegistry.NotRegistered.selector, "another reason");
        }
    }
}
