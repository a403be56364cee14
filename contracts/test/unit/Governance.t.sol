// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Parameters} from "../../src/governance/Parameters.sol";
import {SpecVerifiers} from "../../src/governance/SpecVerifiers.sol";
import {GovernanceFixture} from "../utils/GovernanceFixture.sol";

contract GovernanceTest is GovernanceFixture {
    function test_a_vote_changes_a_parameter() public {
        pass(address(parameters), abi.encodeCall(Parameters.set, ("auditRate", 20_000)));
        assertEq(parameters.get("auditRate"), 20_000, "changed");
    }

    function test_a_vote_changes_the_split() public {
        Parameters.Split memory split = Parameters.Split({node: 6000, model: 2500, parents: 500, auditors: 700, treasury: 300});
        pass(address(parameters), abi.encodeCall(Parameters.setSplit, (split)));
        assertEq(parameters.split().model, 2500, "changed");
    }

    function test_a_vote_accepts_a_measurement() public {
        pass(address(parameters), abi.encodeCall(Parameters.setMeasurement, (keccak256("enclave"), true)));
        assertEq(parameters.isAcceptedMeasurement(keccak256("enclave")), true, "accepted");
    }

    function test_the_minority_passes_nothing() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) =
            one(address(parameters), abi.encodeCall(Parameters.set, ("auditRate", 20_000)));
        vm.prank(minor);
        uint256 id = governor.propose(targets, values, calls, "mine");
        vm.warp(block.timestamp + VOTING_DELAY + 1);
        vm.prank(minor);
        governor.castVote(id, 1);
        vm.prank(major);
        governor.castVote(id, 0);
        vm.warp(block.timestamp + VOTING_PERIOD + 1);
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Defeated), "defeated");
    }

    function test_too_few_votes_cannot_propose() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = one(address(parameters), "");
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, address(this), 0, THRESHOLD));
        governor.propose(targets, values, calls, "nobody");
    }

    function test_the_timelock_holds_what_was_queued() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) =
            one(address(parameters), abi.encodeCall(Parameters.set, ("auditRate", 20_000)));
        vm.prank(major);
        uint256 id = governor.propose(targets, values, calls, "soon");
        vm.warp(block.timestamp + VOTING_DELAY + 1);
        vm.prank(major);
        governor.castVote(id, 1);
        vm.warp(block.timestamp + VOTING_PERIOD + 1);
        governor.queue(targets, values, calls, keccak256("soon"));
        vm.warp(block.timestamp + TIMELOCK_DELAY - 1);
        vm.expectPartialRevert(TimelockController.TimelockUnexpectedOperationState.selector);
        governor.execute(targets, values, calls, keccak256("soon"));
        assertEq(governor.proposalNeedsQueuing(id), true, "queued");
    }

    function testFuzz_only_the_timelock_changes_parameters(address caller) public {
        vm.assume(caller != address(timelock));
        bytes memory refused = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller);
        vm.expectRevert(refused);
        vm.prank(caller);
        parameters.set("auditRate", 20_000);
        vm.expectRevert(refused);
        vm.prank(caller);
        parameters.setSplit(firstSplit());
        vm.expectRevert(refused);
        vm.prank(caller);
        parameters.setMeasurement("m", true);
        vm.expectRevert(refused);
        vm.prank(caller);
        specs.add("int-transformer/2", address(parameters));
    }

    function testFuzz_bounds_hold_even_for_the_timelock(uint256 value) public {
        vm.assume(value < 100 || value > 500_000);
        vm.prank(address(timelock));
        vm.expectRevert(
            abi.encodeWithSelector(Parameters.OutOfBounds.selector, bytes32("auditRate"), value, uint256(100), uint256(500_000))
        );
        parameters.set("auditRate", value);
    }

    function test_a_split_is_whole_and_leaves_the_node_its_share() public {
        Parameters.Split memory split = firstSplit();
        split.treasury += 1;
        vm.startPrank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(Parameters.BadSplit.selector, uint256(10_001), uint256(7000)));
        parameters.setSplit(split);
        split = Parameters.Split({node: 2499, model: 7501, parents: 0, auditors: 0, treasury: 0});
        vm.expectRevert(abi.encodeWithSelector(Parameters.BadSplit.selector, uint256(10_000), uint256(2499)));
        parameters.setSplit(split);
    }

    function test_an_unknown_parameter_is_named() public {
        vm.expectRevert(abi.encodeWithSelector(Parameters.UnknownParameter.selector, bytes32("nothing")));
        parameters.get("nothing");
        vm.prank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(Parameters.UnknownParameter.selector, bytes32("nothing")));
        parameters.set("nothing", 1);
    }

    function test_parameters_are_listed_with_their_bounds() public view {
        Parameters.NamedParameter[] memory list = parameters.all();
        assertEq(list.length, 2, "count");
        assertEq(list[1].name, bytes32("slashFraction"), "name");
        assertEq(list[1].parameter.maximum, 10_000, "maximum");
    }

    function test_assets_are_accepted_from_the_start() public {
        Parameters.AcceptedAsset[] memory assets = new Parameters.AcceptedAsset[](2);
        assets[0] = Parameters.AcceptedAsset(address(0xA1), 5);
        assets[1] = Parameters.AcceptedAsset(address(0xA2), 7);
        Parameters made = new Parameters(address(manager), firstSplit(), firstParameters(), assets);
        assertEq(made.stakeRatio(address(0xA1)), 5, "first");
        assertEq(made.stakeRatio(address(0xA2)), 7, "second");
        assertEq(made.stakeRatio(address(0xA3)), 0, "another");
    }

    function test_a_dropped_asset_keeps_its_last_ratio() public {
        vm.startPrank(address(timelock));
        parameters.setStakeRatio(address(0xA1), 5);
        parameters.setStakeRatio(address(0xA1), 0);
        assertEq(parameters.isAccepted(address(0xA1)), false, "dropped");
        assertEq(parameters.stakeRatio(address(0xA1)), 5, "for what was sold before");
        parameters.setStakeRatio(address(0xA1), 7);
        assertEq(parameters.isAccepted(address(0xA1)), true, "again");
        assertEq(parameters.stakeRatio(address(0xA1)), 7, "anew");
        parameters.setStakeRatio(address(0xA2), 0);
        assertEq(parameters.assets().length, 1, "each once, and none that never was accepted");
        assertEq(parameters.assets()[0].asset, address(0xA1), "which");
        assertEq(parameters.assets()[0].ratio, 7, "its ratio");
    }

    function test_no_vote_makes_receipts_cost_more_stake_than_the_bound() public {
        vm.startPrank(address(timelock));
        parameters.setStakeRatio(address(0xA1), 1e36);
        vm.expectRevert(abi.encodeWithSelector(Parameters.RatioTooHigh.selector, address(0xA1), 1e36 + 1, 1e36));
        parameters.setStakeRatio(address(0xA1), 1e36 + 1);
    }

    function test_deployment_refuses_duplicates_and_bad_bounds() public {
        Parameters.NamedParameter[] memory list = firstParameters();
        list[1].name = list[0].name;
        vm.expectRevert(abi.encodeWithSelector(Parameters.DuplicateParameter.selector, list[0].name));
        new Parameters(address(manager), firstSplit(), list, noAssets());
        list = firstParameters();
        list[0].parameter.value = 0;
        vm.expectRevert(
            abi.encodeWithSelector(Parameters.OutOfBounds.selector, bytes32("auditRate"), uint256(0), uint256(100), uint256(500_000))
        );
        new Parameters(address(manager), firstSplit(), list, noAssets());
    }

    function test_a_spec_keeps_its_verifier() public {
        pass(address(specs), abi.encodeCall(SpecVerifiers.add, ("int-transformer/2", address(parameters))));
        assertEq(specs.verifierOf(keccak256("int-transformer/2")), address(parameters), "bound");
        vm.startPrank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(SpecVerifiers.AlreadyBound.selector, "int-transformer/2", address(parameters)));
        specs.add("int-transformer/2", address(token));
        vm.expectRevert(abi.encodeWithSelector(SpecVerifiers.NotAContract.selector, major));
        specs.add("int-transformer/3", major);
        vm.expectRevert(abi.encodeWithSelector(SpecVerifiers.SpecLength.selector, uint256(0), uint256(64)));
        specs.add("", address(token));
        vm.expectRevert(abi.encodeWithSelector(SpecVerifiers.SpecLength.selector, uint256(65), uint256(64)));
        specs.add(textOfLength(65), address(token));
    }

    function testFuzz_nobody_holds_a_power_after_genesis(address anybody) public view {
        bytes32 proposer = timelock.PROPOSER_ROLE();
        bytes32 canceller = timelock.CANCELLER_ROLE();
        bytes32 admin = timelock.DEFAULT_ADMIN_ROLE();
        assertEq(timelock.hasRole(proposer, address(governor)), true, "the governor proposes");
        assertEq(timelock.hasRole(timelock.EXECUTOR_ROLE(), address(0)), true, "anybody executes");
        assertEq(timelock.hasRole(admin, address(timelock)), true, "the timelock administers itself");
        (bool isAdmin,) = manager.hasRole(manager.ADMIN_ROLE(), address(timelock));
        assertEq(isAdmin, true, "the timelock administers the manager");
        assertEq(governor.timelock(), address(timelock), "the governor's timelock");
        if (anybody != address(governor)) {
            assertEq(timelock.hasRole(proposer, anybody), false, "proposer");
            assertEq(timelock.hasRole(canceller, anybody), false, "canceller");
        }
        if (anybody != address(timelock)) {
            assertEq(timelock.hasRole(admin, anybody), false, "admin of the timelock");
            (isAdmin,) = manager.hasRole(manager.ADMIN_ROLE(), anybody);
            assertEq(isAdmin, false, "admin of the manager");
        }
    }

    function test_the_deployer_holds_no_power() public view {
        testFuzz_nobody_holds_a_power_after_genesis(address(this));
        testFuzz_nobody_holds_a_power_after_genesis(msg.sender);
        testFuzz_nobody_holds_a_power_after_genesis(tx.origin);
    }
}
