// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {CommonweightGovernor, GovernorTerms} from "../../src/governance/CommonweightGovernor.sol";
import {Genesis} from "../../src/governance/Genesis.sol";
import {Parameters} from "../../src/governance/Parameters.sol";
import {SpecVerifiers} from "../../src/governance/SpecVerifiers.sol";
import {Token} from "../../src/governance/Token.sol";
import {Test} from "./Test.sol";

/// @title A whole governance at its genesis: one holder with 60 % of the votes, one with 40 %
abstract contract GovernanceFixture is Test {
    uint48 internal constant VOTING_DELAY = 1 days;
    uint32 internal constant VOTING_PERIOD = 5 days;
    uint256 internal constant TIMELOCK_DELAY = 2 days;
    uint256 internal constant THRESHOLD = 10 ether;

    address internal major = address(0x60);
    address internal minor = address(0x40);
    Token internal token;
    CommonweightGovernor internal governor;
    TimelockController internal timelock;
    AccessManager internal manager;
    Parameters internal parameters;
    SpecVerifiers internal specs;

    function setUp() public virtual {
        vm.warp(1_000_000);
        Token.Allocation[] memory allocation = new Token.Allocation[](2);
        allocation[0] = Token.Allocation(major, 600 ether);
        allocation[1] = Token.Allocation(minor, 400 ether);
        token = new Token("Commonweight", "CWT", allocation);
        Genesis genesis = new Genesis(token, TIMELOCK_DELAY, GovernorTerms(VOTING_DELAY, VOTING_PERIOD, THRESHOLD, 10));
        (governor, timelock, manager) = (genesis.GOVERNOR(), genesis.TIMELOCK(), genesis.MANAGER());
        parameters = new Parameters(address(manager), firstSplit(), firstParameters(), noAssets());
        specs = new SpecVerifiers(address(manager));
        vm.prank(major);
        token.delegate(major);
        vm.prank(minor);
        token.delegate(minor);
        vm.warp(block.timestamp + 1);
    }

    function noAssets() internal pure returns (Parameters.AcceptedAsset[] memory) {
        return new Parameters.AcceptedAsset[](0);
    }

    function firstSplit() internal pure returns (Parameters.Split memory) {
        return Parameters.Split({node: 7000, model: 1500, parents: 500, auditors: 700, treasury: 300});
    }

    function firstParameters() internal pure returns (Parameters.NamedParameter[] memory list) {
        list = new Parameters.NamedParameter[](2);
        list[0] = Parameters.NamedParameter("auditRate", Parameters.Parameter({value: 10_000, minimum: 100, maximum: 500_000}));
        list[1] = Parameters.NamedParameter("slashFraction", Parameters.Parameter({value: 5000, minimum: 0, maximum: 10_000}));
    }

    /// @dev Puts a call through the whole way: propose, vote, queue, execute.
    function pass(address target, bytes memory data) internal {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = one(target, data);
        string memory why = "because";
        vm.prank(major);
        uint256 id = governor.propose(targets, values, calls, why);
        vm.warp(block.timestamp + VOTING_DELAY + 1);
        vm.prank(major);
        governor.castVote(id, 1);
        vm.warp(block.timestamp + VOTING_PERIOD + 1);
        governor.queue(targets, values, calls, keccak256(bytes(why)));
        vm.warp(block.timestamp + TIMELOCK_DELAY + 1);
        governor.execute(targets, values, calls, keccak256(bytes(why)));
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Executed), "executed");
    }

    function one(address target, bytes memory data)
        internal
        pure
        returns (address[] memory targets, uint256[] memory values, bytes[] memory calls)
    {
        (targets, values, calls) = (new address[](1), new uint256[](1), new bytes[](1));
        (targets[0], calls[0]) = (target, data);
    }
}
