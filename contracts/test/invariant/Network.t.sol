// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../../src/registry/NodeRegistry.sol";
import {ReceiptLog} from "../../src/settlement/ReceiptLog.sol";
import {Test} from "../utils/Test.sol";

/// @title Random moves of four nodes; every move is one that must succeed, or is skipped
contract Network is Test {
    uint256 public constant ACTORS = 4;
    uint256 public constant BOND = 1 ether;
    uint64 public constant DELAY = 1 days;

    NodeRegistry public immutable REGISTRY = new NodeRegistry(BOND, DELAY);
    ReceiptLog public immutable LOG = new ReceiptLog(REGISTRY);

    // what the model says, kept apart from the contracts
    mapping(address node => uint256) public bondOf;
    mapping(address node => uint64) public posted;
    mapping(bytes32 place => bytes32) public rootAt;
    mapping(address node => bytes32) public offerOf;
    uint256 public registered;
    uint256 private _keys;

    function actor(uint256 seed) public pure returns (address) {
        return vm.addr(1 + seed % ACTORS);
    }

    function register(uint256 seed, uint96 extra) external {
        address node = actor(seed);
        if (bondOf[node] != 0) return;
        uint256 bond = BOND + extra;
        (address key, bytes memory proof) = freshKey(node);
        vm.deal(node, bond);
        vm.prank(node);
        REGISTRY.register{value: bond}(key, proof, offer(seed));
        offerOf[node] = keccak256(abi.encode(offer(seed)));
        bondOf[node] = bond;
        registered++;
    }

    function rotate(uint256 seed) external {
        address node = actor(seed);
        if (!REGISTRY.isActive(node)) return;
        (address key, bytes memory proof) = freshKey(node);
        vm.prank(node);
        REGISTRY.rotateSessionKey(key, proof);
    }

    function update(uint256 seed, uint256 what) external {
        address node = actor(seed);
        if (!REGISTRY.isActive(node)) return;
        vm.prank(node);
        REGISTRY.update(offer(what));
        offerOf[node] = keccak256(abi.encode(offer(what)));
    }

    function setPrice(uint256 seed, uint128 promptPrice) external {
        address node = actor(seed);
        if (!REGISTRY.isActive(node)) return;
        NodeRegistry.Offer memory now_ = REGISTRY.nodeInfo(node).offer;
        if (now_.prices.length == 0) return;
        uint256 index = promptPrice % now_.prices.length;
        (now_.prices[index].asset, now_.prices[index].promptPrice) = (address(1), promptPrice);
        vm.prank(node);
        REGISTRY.setPrice(index, now_.prices[index]);
        offerOf[node] = keccak256(abi.encode(now_));
    }

    function addBond(uint256 seed, uint96 value) external {
        address node = actor(seed);
        if (!REGISTRY.isActive(node) || value == 0) return;
        vm.deal(node, value);
        vm.prank(node);
        REGISTRY.addBond{value: value}();
        bondOf[node] += value;
    }

    function exit(uint256 seed) external {
        address node = actor(seed);
        if (!REGISTRY.isActive(node)) return;
        vm.prank(node);
        REGISTRY.requestExit();
    }

    function withdraw(uint256 seed) external {
        address node = actor(seed);
        if (bondOf[node] == 0 || REGISTRY.isActive(node)) return;
        vm.warp(REGISTRY.nodeInfo(node).exitableAt);
        vm.deal(node, 0);
        vm.prank(node);
        REGISTRY.withdraw(payable(node));
        assertEq(node.balance, bondOf[node], "a node gets its whole bond");
        bondOf[node] = 0;
        registered--;
    }

    function post(uint256 seed, bool bySessionKey, bytes32 root, uint16 count) external {
        address node = actor(seed);
        if (bondOf[node] == 0 || count == 0) return;
        uint64 index = posted[node];
        vm.prank(bySessionKey ? REGISTRY.sessionKeyOf(node) : node);
        LOG.post(node, index, root, count, bytes32(uint256(count)));
        rootAt[keccak256(abi.encode(node, index))] = root;
        posted[node]++;
    }

    function offer(uint256 seed) private pure returns (NodeRegistry.Offer memory made) {
        made = NodeRegistry.Offer("http://node", keccak256(abi.encode(seed)), new NodeRegistry.Price[](seed % 4));
        for (uint256 i = 0; i < made.prices.length; i++) {
            made.prices[i] = NodeRegistry.Price(bytes32(seed % 7 + i + 1), address(2), uint128(seed), uint128(i));
        }
    }

    function freshKey(address node) private returns (address key, bytes memory proof) {
        uint256 secret = 1000 + _keys++;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(secret, REGISTRY.sessionKeyDigest(node));
        return (vm.addr(secret), abi.encodePacked(r, s, v));
    }
}

contract NetworkInvariants is Test {
    Network private network = new Network();

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(network);
    }

    function invariant_bonds_are_conserved() public view {
        NodeRegistry registry = network.REGISTRY();
        uint256 sum = 0;
        for (uint256 i = 0; i < network.ACTORS(); i++) {
            sum += network.bondOf(network.actor(i));
        }
        assertEq(registry.totalBond(), sum, "total of the bonds");
        assertEq(address(registry).balance, sum, "balance");
    }

    function invariant_the_list_holds_every_registered_node_once() public view {
        NodeRegistry.NodeView[] memory page = network.REGISTRY().nodesPage(0, 256);
        assertEq(page.length, network.registered(), "length");
        for (uint256 i = 0; i < page.length; i++) {
            assertEq(keccak256(abi.encode(page[i].info.offer)), network.offerOf(page[i].node), "offer");
            assertEq(page[i].info.bond, network.bondOf(page[i].node), "bond");
            assertEq(network.REGISTRY().nodeOfSessionKey(page[i].info.sessionKey), page[i].node, "key");
            for (uint256 j = 0; j < i; j++) {
                assertEq(page[i].node == page[j].node, false, "twice");
            }
        }
    }

    function invariant_batches_are_gapless_and_never_change() public view {
        ReceiptLog log = network.LOG();
        for (uint256 i = 0; i < network.ACTORS(); i++) {
            address node = network.actor(i);
            uint64 next = log.nextBatch(node);
            assertEq(next, network.posted(node), "next");
            for (uint64 index = 0; index < next; index++) {
                ReceiptLog.Batch memory batch = log.batch(node, index);
                assertEq(batch.root, bytes22(network.rootAt(keccak256(abi.encode(node, index)))), "root");
                assertEq(batch.count == 0, false, "count");
            }
        }
    }
}
