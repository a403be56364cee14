// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Parameters} from "../../src/governance/Parameters.sol";
import {SpecVerifiers} from "../../src/governance/SpecVerifiers.sol";
import {GovernanceFixture} from "../utils/GovernanceFixture.sol";

contract GovernanceTest is GovernanceFixture {
    function testAVoteChangesAParameter() public {
        pass(address(parameters), abi.encodeCall(Parameters.set, ("auditRate", 20_000)));
        assertEq(parameters.get("auditRate"), 20_000, "changed");
    }

    function testAVoteChangesTheSplit() public {
        Parameters.Split memory split = Parameters.Split({node: 6000, model: 2500, parents: 500, auditors: 700, treasury: 300});
        pass(address(parameters), abi.encodeCall(Parameters.setSplit, (split)));
        assertEq(parameters.split().model, 2500, "changed");
    }

    function testAVoteAcceptsAMeasurement() public {
        pass(address(parameters), abi.encodeCall(Parameters.setMeasurement, (keccak256("enclave"), true)));
        assertEq(parameters.isAcceptedMeasurement(keccak256("enclave")), true, "accepted");
    }

    function testTheMinorityPassesNothing() public {
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

    function testTooFewVotesCannotPropose() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = one(address(parameters), "");
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, address(this), 0, THRESHOLD));
        governor.propose(targets, values, calls, "nobody");
    }

    function testTheTimelockHoldsWhatWasQueued() public {
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

    function testOnlyTheTimelockChangesParameters(address caller) public {
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

    function testBoundsHoldEvenForTheTimelock(uint256 value) public {
        vm.assume(value < 100 || value > 500_000);
        vm.prank(address(timelock));
        vm.expectRevert(
            abi.encodeWithSelector(Parameters.OutOfBounds.selector, bytes32("auditRate"), value, uint256(100), uint256(500_000))
        );
        parameters.set("auditRate", value);
    }

    function testASplitIsWholeAndLeavesTheNodeItsShare() public {
        Parameters.Split memory split = firstSplit();
        split.treasury += 1;
        vm.startPrank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(Parameters.BadSplit.selector, uint256(10_001), uint256(7000)));
        parameters.setSplit(split);
        split = Parameters.Split({node: 2499, model: 7501, parents: 0, auditors: 0, treasury: 0});
        vm.expectRevert(abi.encodeWithSelector(Parameters.BadSplit.selector, uint256(10_000), uint256(2499)));
        parameters.setSplit(split);
    }

    function testAnUnknownParameterIsNamed() public {
        vm.expectRevert(abi.encodeWithSelector(Parameters.UnknownParameter.selector, bytes32("nothing")));
        parameters.get("nothing");
        vm.prank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(Parameters.UnknownParameter.selector, bytes32("nothing")));
        parameters.set("nothing", 1);
    }

    function testParametersAreListedWithTheirBounds() public view {
        Parameters.NamedParameter[] memory list = parameters.all();
        assertEq(list.length, 2, "count");
        assertEq(list[1].name, bytes32("slashFraction"), "name");
        assertEq(list[1].parameter.maximum, 10_000, "maximum");
    }

    function testDeploymentRefusesDuplicatesAndBadBounds() public {
        Parameters.NamedParameter[] memory list = firstParameters();
        list[1].name = list[0].name;
        vm.expectRevert(abi.encodeWithSelector(Parameters.DuplicateParameter.selector, list[0].name));
        new Parameters(address(manager), firstSplit(), list);
        list = firstParameters();
        list[0].parameter.value = 0;
        vm.expectRevert(
            abi.encodeWithSelector(Parameters.OutOfBounds.selector, bytes32("auditRate"), uint256(0), uint256(100), uint256(500_000))
        );
        new Parameters(address(manager), firstSplit(), list);
    }

    function testASpecKeepsItsVerifier() public {
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

    function testNobodyHoldsAPowerAfterGenesis(address anybody) public view {
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

    function testTheDeployerHoldsNoPower() public view {
        testNobodyHoldsAPowerAfterGenesis(address(this));
        testNobodyHoldsAPowerAfterGenesis(msg.sender);
        testNobodyHoldsAPowerAfterGenesis(tx.origin);
    }
}
