// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Parameters} from "../../src/governance/Parameters.sol";
import {ModelRegistry} from "../../src/registry/ModelRegistry.sol";
import {Manifests} from "../utils/Manifests.sol";
import {ModelFixture} from "../utils/ModelFixture.sol";

/// @title Deposits, false records and proven ones
contract ModelChallengeTest is ModelFixture {
    bytes private manifest = Manifests.over(WEIGHTS);
    bytes32 private truth = sha256(manifest);
    bytes32 private constant FALSE_WEIGHTS = keccak256("weights of somebody else");

    function test_publish_takes_the_deposit_exactly() public {
        vm.deal(owner, 1 ether);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.WrongDeposit.selector, 0, DEPOSIT));
        registry.publish(WEIGHTS, truth, "", CARD, "");
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.WrongDeposit.selector, DEPOSIT + 1, DEPOSIT));
        registry.publish{value: DEPOSIT + 1}(WEIGHTS, truth, "", CARD, "");
        vm.stopPrank();
        publish(owner, WEIGHTS, truth);
        assertEq(address(registry).balance, DEPOSIT, "held");
    }

    function test_a_false_record_is_removed_and_the_true_one_takes_its_place() public {
        publish(other, FALSE_WEIGHTS, truth);
        assertEq(registry.modelOwner(truth), other, "for now");
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.AlreadyPublished.selector, truth));
        publish(owner, WEIGHTS, truth);

        vm.expectEmit(address(registry));
        emit ModelRegistry.ModelRemoved(truth, FALSE_WEIGHTS, owner, WEIGHTS, DEPOSIT / 2, DEPOSIT - DEPOSIT / 2);
        vm.expectEmit(address(registry));
        emit ModelRegistry.WeightsReleased(FALSE_WEIGHTS, other);
        vm.prank(owner);
        registry.challenge(truth, manifest);
        vm.snapshotGasLastCall("ModelRegistry", "challenge");

        assertEq(registry.modelOwner(truth), address(0), "no owner");
        assertEq(registry.ownerOf(FALSE_WEIGHTS), address(0), "the weights are free again");
        assertEq(registry.modelCount(), 0, "not listed");
        assertEq(registry.owed(owner), DEPOSIT / 2, "reward");
        assertEq(registry.BURNED().balance, DEPOSIT - DEPOSIT / 2, "burned");
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.UnknownModel.selector, truth));
        registry.challenge(truth, manifest);

        publish(owner, WEIGHTS, truth);
        assertEq(registry.modelOwner(truth), owner, "the rightful one");
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.RecordIsTrue.selector, truth, WEIGHTS));
        registry.challenge(truth, manifest);
    }

    function test_bytes_that_are_no_manifest_name_no_weights() public {
        bytes memory junk = "no manifest";
        publish(other, WEIGHTS, sha256(junk));
        vm.expectEmit(address(registry));
        emit ModelRegistry.ModelRemoved(sha256(junk), WEIGHTS, address(this), 0, DEPOSIT / 2, DEPOSIT - DEPOSIT / 2);
        registry.challenge(sha256(junk), junk);
    }

    function testFuzz_only_the_manifest_itself_decides(bytes memory shown) public {
        vm.assume(sha256(shown) != truth);
        publish(owner, FALSE_WEIGHTS, truth);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NotTheManifest.selector, truth, sha256(shown)));
        registry.challenge(truth, shown);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NotTheManifest.selector, truth, sha256(shown)));
        registry.prove(truth, shown);
    }

    function test_a_proven_record_keeps_its_weights_for_ever() public {
        publish(owner, WEIGHTS, truth);
        bytes memory junk = "another record over the same weights";
        bytes32 junkId = sha256(junk);
        publish(owner, WEIGHTS, junkId);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.RecordIsFalse.selector, junkId, WEIGHTS, bytes32(0)));
        registry.prove(junkId, junk);
        vm.expectEmit(address(registry));
        emit ModelRegistry.ModelProven(truth, WEIGHTS);
        registry.prove(truth, manifest);
        vm.snapshotGasLastCall("ModelRegistry", "prove");
        assertEq(registry.provenBy(WEIGHTS), truth, "proven");
        assertEq(registry.modelInfo(truth).isProven, true, "view");
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.AlreadyProven.selector, WEIGHTS, truth));
        registry.prove(truth, manifest);
        registry.challenge(junkId, junk);
        assertEq(registry.ownerOf(WEIGHTS), owner, "kept");
        assertEq(registry.recordsOf(WEIGHTS), 1, "one record left");
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.UnknownModel.selector, CARD));
        registry.prove(CARD, manifest);
    }

    function test_weights_stay_with_their_owner_while_a_record_is_left() public {
        publish(owner, FALSE_WEIGHTS, MODEL);
        publish(owner, FALSE_WEIGHTS, truth);
        vm.prank(owner);
        registry.offerOwnership(FALSE_WEIGHTS, other);
        registry.challenge(truth, manifest);
        assertEq(registry.ownerOf(FALSE_WEIGHTS), owner, "one record is left");
        assertEq(registry.pendingOwnerOf(FALSE_WEIGHTS), other, "and the offer");
        assertEq(registry.modelsPage(0, 9)[0].modelId, MODEL, "listed");
    }

    function test_an_offer_ends_with_the_ownership() public {
        publish(owner, FALSE_WEIGHTS, truth);
        vm.prank(owner);
        registry.offerOwnership(FALSE_WEIGHTS, other);
        registry.challenge(truth, manifest);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NotPendingOwner.selector, FALSE_WEIGHTS, address(0), other));
        vm.prank(other);
        registry.acceptOwnership(FALSE_WEIGHTS);
    }

    function testFuzz_the_deposit_goes_back_after_the_window(uint256 early, address anybody) public {
        uint64 from = uint64(block.timestamp + WINDOW);
        publish(owner, WEIGHTS, truth);
        vm.warp(bound(early, block.timestamp, from - 1));
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NotYetReclaimable.selector, truth, from));
        registry.returnDeposit(truth);
        vm.warp(from);
        // whom the weights belong to by then does not matter
        vm.prank(owner);
        registry.offerOwnership(WEIGHTS, other);
        vm.prank(other);
        registry.acceptOwnership(WEIGHTS);
        vm.expectEmit(address(registry));
        emit ModelRegistry.DepositReturned(truth, owner, DEPOSIT);
        vm.prank(anybody);
        registry.returnDeposit(truth);
        assertEq(registry.owed(owner), DEPOSIT, "owed to whom it came from");
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NothingOwed.selector, owner));
        registry.returnDeposit(truth);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.UnknownModel.selector, CARD));
        registry.returnDeposit(CARD);

        address payable to = payable(vm.addr(99));
        vm.expectEmit(address(registry));
        emit ModelRegistry.Withdrawn(owner, to, DEPOSIT);
        vm.startPrank(owner);
        registry.withdraw(to);
        assertEq(to.balance, DEPOSIT, "paid");
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.NothingOwed.selector, owner));
        registry.withdraw(to);
        vm.stopPrank();
    }

    function test_a_late_challenge_removes_without_a_reward() public {
        publish(other, FALSE_WEIGHTS, truth);
        vm.warp(block.timestamp + WINDOW);
        registry.returnDeposit(truth);
        registry.challenge(truth, manifest);
        assertEq(registry.modelOwner(truth), address(0), "removed");
        assertEq(registry.owed(address(this)), 0, "nothing is left to give");
        assertEq(registry.owed(other), DEPOSIT, "he has it");
    }

    function test_accusing_oneself_costs_half() public {
        publish(other, FALSE_WEIGHTS, truth);
        uint256 before = other.balance;
        vm.startPrank(other);
        registry.challenge(truth, manifest);
        registry.withdraw(payable(other));
        vm.stopPrank();
        assertEq(other.balance - before, DEPOSIT / 2, "half");
    }

    function test_a_new_deposit_holds_for_new_records() public {
        Parameters changeable = new Parameters(
            address(new Allow()),
            Parameters.Split({node: 7000, model: 1500, parents: 500, auditors: 700, treasury: 300}),
            parameters.all(),
            new Parameters.AcceptedAsset[](0)
        );
        registry = new ModelRegistry(changeable);
        publish(other, FALSE_WEIGHTS, truth);
        changeable.set("modelDeposit", 1);
        registry.challenge(truth, manifest);
        assertEq(registry.owed(address(this)), DEPOSIT / 2, "of what was paid then");
        vm.deal(owner, 1);
        vm.prank(owner);
        registry.publish{value: 1}(WEIGHTS, truth, "", CARD, "");
    }

    function test_a_recipient_that_refuses_keeps_its_credit() public {
        publish(other, FALSE_WEIGHTS, truth);
        registry.challenge(truth, manifest);
        vm.expectRevert(abi.encodeWithSelector(ModelRegistry.TransferFailed.selector, address(this)));
        registry.withdraw(payable(address(this)));
        assertEq(registry.owed(address(this)), DEPOSIT / 2, "still owed");
    }

    function test_a_removal_moves_the_last_model() public {
        publish(owner, WEIGHTS, bytes32(uint256(1)));
        publish(owner, WEIGHTS, bytes32(uint256(2)));
        publish(other, FALSE_WEIGHTS, truth);
        publish(owner, WEIGHTS, bytes32(uint256(3)));
        registry.challenge(truth, manifest);
        ModelRegistry.ModelView[] memory page = registry.modelsPage(0, 10);
        assertEq(page.length, 3, "three left");
        assertEq(page[2].modelId, bytes32(uint256(3)), "moved");
        publish(owner, WEIGHTS, truth);
        assertEq(registry.modelsPage(3, 1)[0].modelId, truth, "again");
    }

    /// @dev A real manifest of the size of a 30-layer model: what it costs to show.
    function test_a_whole_manifest_can_be_shown() public {
        manifest = bytes.concat(Manifests.over(WEIGHTS), new bytes(36_473 - Manifests.over(WEIGHTS).length));
        truth = sha256(manifest);
        publish(other, FALSE_WEIGHTS, truth);
        registry.challenge(truth, manifest);
        vm.snapshotGasLastCall("ModelRegistry", "challengeOf36473Bytes");
    }
}

/// @dev Lets everybody do everything.
contract Allow {
    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }
}
