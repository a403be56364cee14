// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../../src/registry/ModelRegistry.sol";
import {ModelFixture} from "../utils/ModelFixture.sol";

contract ModelRegistryTest is ModelFixture {
    function test_publish_stores_the_model_and_its_owner() public {
        vm.warp(1000);
        vm.expectEmit(address(registry));
        emit ModelRegistry.WeightsRegistered(WEIGHTS, owner);
        vm.expectEmit(address(registry));
        emit ModelRegistry.ModelPublished(MODEL, WEIGHTS, owner, "manifest", CARD, "card");
        publish(owner, WEIGHTS, MODEL);
        vm.snapshotGasLastCall("ModelRegistry", "publish");
        ModelRegistry.ModelView memory info = registry.modelInfo(MODEL);
        assertEq(info.owner, owner, "owner");
        assertEq(registry.modelOwner(MODEL), owner, "modelOwner");
        assertEq(info.model.weightsRoot, WEIGHTS, "weights");
        assertEq(info.model.cardDigest, CARD, "card");
        assertEq(info.model.manifestPointer, "manifest", "manifest pointer");
        assertEq(info.model.publishedAt, 1000, "time");
        assertEq(info.model.deposit, DEPOSIT, "deposit");
        assertEq(info.model.depositor, owner, "depositor");
        assertEq(info.model.reclaimableFrom, 1000 + WINDOW, "window");
        assertEq(info.isProven, false, "not proven");
    }

    function test_publish_refuses_a_second_time() public {
        publish(owner, WEIGHTS, MODEL);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.AlreadyPublished.selector, MODEL));
        publish(owner, WEIGHTS, MODEL);
    }

    function test_publish_refuses_zero_identifiers() public {
        vm.expectRevert(ModelRegistry.ZeroIdentifier.selector);
        publish(owner, 0, MODEL);
        vm.expectRevert(ModelRegistry.ZeroIdentifier.selector);
        publish(owner, WEIGHTS, 0);
    }

    function test_publish_bounds_pointers() public {
        vm.deal(address(this), DEPOSIT);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.PointerTooLong.selector, 513, 512));
        registry.publish(WEIGHTS, MODEL, textOfLength(513), CARD, "");
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.PointerTooLong.selector, 513, 512));
        registry.publish(WEIGHTS, MODEL, "", CARD, textOfLength(513));
        registry.publish{value: DEPOSIT}(WEIGHTS, MODEL, textOfLength(512), CARD, textOfLength(512));
    }

    function testFuzz_a_second_manifest_belongs_to_the_owner_of_the_weights(address stranger, bytes32 second) public {
        vm.assume(stranger != owner && stranger != address(0) && second != MODEL && second != 0);
        publish(owner, WEIGHTS, MODEL);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NotOwner.selector, WEIGHTS, owner, stranger));
        publish(stranger, WEIGHTS, second);
        publish(owner, WEIGHTS, second);
        assertEq(registry.modelOwner(second), owner, "owner of the second");
    }

    function test_updateCard_is_the_owners() public {
        publish(owner, WEIGHTS, MODEL);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NotOwner.selector, WEIGHTS, owner, other));
        vm.prank(other);
        registry.updateCard(MODEL, keccak256("new"), "new");
        vm.expectEmit(address(registry));
        emit ModelRegistry.CardUpdated(MODEL, keccak256("new"), "new");
        vm.prank(owner);
        registry.updateCard(MODEL, keccak256("new"), "new");
        assertEq(registry.modelInfo(MODEL).model.cardDigest, keccak256("new"), "card");
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.UnknownModel.selector, CARD));
        registry.updateCard(CARD, CARD, "");
    }

    function test_ownership_moves_in_two_steps() public {
        publish(owner, WEIGHTS, MODEL);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NotOwner.selector, WEIGHTS, owner, other));
        vm.prank(other);
        registry.offerOwnership(WEIGHTS, other);
        vm.prank(owner);
        registry.offerOwnership(WEIGHTS, other);
        assertEq(registry.modelOwner(MODEL), owner, "offered is not given");
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NotPendingOwner.selector, WEIGHTS, other, owner));
        vm.prank(owner);
        registry.acceptOwnership(WEIGHTS);
        vm.expectEmit(address(registry));
        emit ModelRegistry.OwnershipTransferred(WEIGHTS, owner, other);
        vm.prank(other);
        registry.acceptOwnership(WEIGHTS);
        assertEq(registry.modelOwner(MODEL), other, "new owner");
        assertEq(registry.pendingOwnerOf(WEIGHTS), address(0), "no offer left");
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NotOwner.selector, WEIGHTS, other, owner));
        publish(owner, WEIGHTS, keccak256("second"));
    }

    function test_nobody_accepts_weights_that_nobody_offered() public {
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NotPendingOwner.selector, WEIGHTS, address(0), other));
        vm.prank(other);
        registry.acceptOwnership(WEIGHTS);
    }

    function testFuzz_pages_cover_the_list_once(uint8 count, uint8 size) public {
        uint256 total = bound(count, 0, 12);
        uint256 limit = bound(size, 1, 5);
        for (uint256 i = 1; i <= total; i++) {
            publish(owner, WEIGHTS, bytes32(i));
        }
        uint256 seen = 0;
        for (uint256 offset = 0; offset <= total; offset += limit) {
            ModelRegistry.ModelView[] memory page = registry.modelsPage(offset, limit);
            for (uint256 i = 0; i < page.length; i++) {
                assertEq(page[i].modelId, bytes32(++seen), "order");
            }
        }
        assertEq(seen, total, "all");
        assertEq(registry.modelCount(), total, "count");
        assertEq(registry.modelsPage(type(uint256).max, type(uint256).max).length, 0, "far page");
        assertEq(registry.modelsPage(0, type(uint256).max).length, total, "huge page");
    }
}
