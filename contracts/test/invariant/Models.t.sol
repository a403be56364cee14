// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../../src/registry/ModelRegistry.sol";
import {ModelLines} from "../../src/registry/ModelLines.sol";
import {Manifests} from "../utils/Manifests.sol";
import {ModelFixture} from "../utils/ModelFixture.sol";
import {Test} from "../utils/Test.sol";

/// @title Random publications, true and false, of three people over four weights; every move is one that must succeed, or is skipped
contract ModelMoves is ModelFixture {
    uint256 public constant ACTORS = 3;
    uint256 public constant ROOTS = 4;

    ModelLines public lines = new ModelLines(registry);
    /// Every id that was ever published; what its manifest names, and what the record says.
    bytes32[] public ids;
    mapping(bytes32 modelId => bytes) private _manifests;
    mapping(bytes32 modelId => bytes32) public truth;
    mapping(bytes32 line => bytes32[]) private _versions;
    bytes32[] public opened;
    uint256 public paidOut;
    uint256 public trueRemoved;

    function models() external view returns (ModelRegistry) {
        return registry;
    }

    function actor(uint256 seed) public pure returns (address) {
        return vm.addr(1 + seed % ACTORS);
    }

    function rootOf(uint256 seed) public pure returns (bytes32) {
        return keccak256(abi.encode("root", seed % ROOTS));
    }

    function idCount() external view returns (uint256) {
        return ids.length;
    }

    /// @param kind 0: true; 1: names other weights; 2: no manifest at all.
    function publish(uint256 seed, uint256 kind, uint256 root) external {
        address by = actor(seed);
        root %= ROOTS;
        bytes32 weights = rootOf(root);
        address weightsOwner = registry.ownerOf(weights);
        if (weightsOwner != address(0) && weightsOwner != by) by = weightsOwner;
        bytes memory manifest = kind % 3 == 2
            ? abi.encode(ids.length)
            : bytes.concat(Manifests.over(kind % 3 == 0 ? weights : rootOf(root + 1)), abi.encode(ids.length));
        bytes32 id = sha256(manifest);
        publish(by, weights, id);
        ids.push(id);
        (_manifests[id], truth[id]) = (manifest, kind % 3 == 2 ? bytes32(0) : kind % 3 == 0 ? weights : rootOf(root + 1));
    }

    function challenge(uint256 seed, uint256 which) external {
        (bool found, bytes32 id) = _pick(which);
        if (!found) return;
        bytes32 weights = registry.weightsRootOf(id);
        vm.prank(actor(seed));
        try registry.challenge(id, _manifests[id]) {
            if (weights == truth[id]) trueRemoved++;
        } catch (bytes memory reason) {
            assertEq(bytes4(reason) == ModelRegistry.RecordIsTrue.selector && weights == truth[id], true, "only a true record resists");
        }
    }

    function prove(uint256 which) external {
        (bool found, bytes32 id) = _pick(which);
        if (!found || registry.weightsRootOf(id) != truth[id] || registry.provenBy(truth[id]) != 0) return;
        registry.prove(id, _manifests[id]);
    }

    function returnDeposit(uint256 which, uint32 time) external {
        (bool found, bytes32 id) = _pick(which);
        if (!found) return;
        vm.warp(block.timestamp + time % (3 days));
        ModelRegistry.Model memory model = registry.modelInfo(id).model;
        if (model.deposit == 0 || block.timestamp < model.reclaimableFrom) return;
        registry.returnDeposit(id);
    }

    function withdraw(uint256 seed) external {
        address who = actor(seed);
        uint256 amount = registry.owed(who);
        if (amount == 0) return;
        vm.prank(who);
        registry.withdraw(payable(address(0xE0A)));
        paidOut += amount;
    }

    function transfer(uint256 seed, uint256 root) external {
        bytes32 weights = rootOf(root);
        address from = registry.ownerOf(weights);
        if (from == address(0)) return;
        vm.prank(from);
        registry.offerOwnership(weights, actor(seed));
        vm.prank(actor(seed));
        registry.acceptOwnership(weights);
    }

    function version(uint256 which) external {
        (bool found, bytes32 id) = _pick(which);
        if (!found) return;
        address by = registry.modelOwner(id);
        bytes32 line = lines.lineOf(by, "line");
        vm.startPrank(by);
        if (_versions[line].length == 0 && lines.versionsPage(line, 0, 1).length == 0) {
            try lines.open("line") {
                opened.push(line);
            } catch {}
        }
        bool known = false;
        for (uint256 i = 0; i < _versions[line].length; i++) {
            known = known || _versions[line][i] == id;
        }
        if (!known) {
            lines.append(line, id);
            _versions[line].push(id);
        }
        lines.tag(line, "latest", id);
        vm.stopPrank();
    }

    function openedCount() external view returns (uint256) {
        return opened.length;
    }

    function versionsOf(bytes32 line) external view returns (bytes32[] memory) {
        return _versions[line];
    }

    function _pick(uint256 which) private view returns (bool, bytes32) {
        if (ids.length == 0) return (false, 0);
        bytes32 id = ids[which % ids.length];
        return (registry.weightsRootOf(id) != 0, id);
    }
}

contract ModelInvariants is Test {
    ModelMoves private moves = new ModelMoves();

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(moves);
    }

    function invariant_the_balance_is_what_is_left_and_what_is_owed() public view {
        ModelRegistry registry = moves.models();
        uint256 sum = 0;
        ModelRegistry.ModelView[] memory page = registry.modelsPage(0, 256);
        for (uint256 i = 0; i < page.length; i++) {
            sum += page[i].model.deposit;
        }
        for (uint256 i = 0; i < moves.ACTORS(); i++) {
            sum += registry.owed(moves.actor(i));
        }
        assertEq(address(registry).balance, sum, "balance");
    }

    function invariant_records_are_counted_and_owned() public view {
        ModelRegistry registry = moves.models();
        ModelRegistry.ModelView[] memory page = registry.modelsPage(0, 256);
        assertEq(page.length, registry.modelCount(), "one page holds all");
        for (uint256 r = 0; r < moves.ROOTS(); r++) {
            bytes32 root = moves.rootOf(r);
            uint256 count = 0;
            for (uint256 i = 0; i < page.length; i++) {
                if (page[i].model.weightsRoot == root) count++;
            }
            assertEq(registry.recordsOf(root), count, "records");
            assertEq(registry.ownerOf(root) == address(0), count == 0, "an owner as long as there is a record");
            bytes32 proven = registry.provenBy(root);
            if (proven != 0) assertEq(registry.weightsRootOf(proven), root, "what is proven stays");
        }
    }

    function invariant_no_true_record_is_ever_removed() public view {
        assertEq(moves.trueRemoved(), 0, "removed");
    }

    function invariant_lines_only_grow() public view {
        for (uint256 i = 0; i < moves.openedCount(); i++) {
            bytes32 line = moves.opened(i);
            bytes32[] memory expected = moves.versionsOf(line);
            assertEq(keccak256(abi.encode(moves.lines().versionsPage(line, 0, 256))), keccak256(abi.encode(expected)), "versions");
        }
    }
}
