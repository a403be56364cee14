// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Fund} from "../../src/governance/Fund.sol";
import {EconomyGenesis} from "../../src/genesis/EconomyGenesis.sol";
import {ModelRegistry} from "../../src/registry/ModelRegistry.sol";
import {ModelShares} from "../../src/registry/ModelShares.sol";
import {NodeRegistry} from "../../src/registry/NodeRegistry.sol";
import {Payouts} from "../../src/settlement/Payouts.sol";
import {ReceiptLog} from "../../src/settlement/ReceiptLog.sol";
import {RevenueSplitter} from "../../src/settlement/RevenueSplitter.sol";
import {Staking} from "../../src/staking/Staking.sol";
import {GovernanceFixture} from "../utils/GovernanceFixture.sol";
import {Vm} from "../utils/Vm.sol";

/// @title A whole network as it is deployed (packages/chain/src/deploy/plan.ts): who holds a power over it
contract PowersTest is GovernanceFixture {
    Fund internal fund;
    EconomyGenesis internal economy;
    Vm.Log[] private _logs;

    function setUp() public override {
        vm.recordLogs();
        super.setUp();
        Payouts payouts = new Payouts();
        fund = new Fund(address(manager), payouts);
        ModelRegistry models = new ModelRegistry(parameters);
        ModelShares shares = new ModelShares(models, parameters);
        ReceiptLog log = new ReceiptLog(new NodeRegistry(0.1 ether, 1 days));
        economy = new EconomyGenesis(
            token, log, RevenueSplitter.Environment(parameters, models, shares, payouts, address(fund), address(timelock))
        );
        Vm.Log[] memory recorded = vm.getRecordedLogs();
        for (uint256 i = 0; i < recorded.length; i++) {
            _logs.push(recorded[i]);
        }
    }

    /// @dev Roles are granted by nobody but a constructor: their events are all there is.
    function test_every_role_ever_granted_is_the_governors_the_timelocks_or_everybodys() public view {
        uint256 granted = 0;
        for (uint256 i = 0; i < _logs.length; i++) {
            Vm.Log memory log = _logs[i];
            if (log.topics[0] == IAccessControl.RoleGranted.selector) {
                address account = address(uint160(uint256(log.topics[2])));
                bool everybody = log.topics[1] == timelock.EXECUTOR_ROLE() && account == address(0);
                bool own = log.topics[1] == timelock.DEFAULT_ADMIN_ROLE() && account == address(timelock);
                assertEq(log.emitter, address(timelock), "only the timelock has roles of this kind");
                assertEq(everybody || own || account == address(governor), true, "a role of the timelock");
                granted++;
            } else if (log.topics[0] == IAccessManager.RoleGranted.selector) {
                assertEq(log.emitter, address(manager), "only the manager has roles of this kind");
                assertEq(address(uint160(uint256(log.topics[2]))), address(timelock), "a role of the manager");
                granted++;
            } else if (log.topics[0] == IAccessManaged.AuthorityUpdated.selector) {
                assertEq(abi.decode(log.data, (address)), address(manager), "an authority");
                granted++;
            }
        }
        // admin, proposer, canceller, executor; the manager's admin; three managed contracts
        assertEq(granted, 8, "nothing was missed");
    }

    function testFuzz_nobody_moves_what_is_managed(address caller) public {
        vm.assume(caller != address(timelock));
        bytes memory refused = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refused);
        parameters.setStakeRatio(address(token), 1);
        vm.expectRevert(refused);
        fund.pay(token, caller, 0);
        vm.expectRevert(refused);
        specs.add("int-transformer/2", address(token));
    }

    function testFuzz_nobody_settles_or_slashes(address caller) public {
        Staking staking = economy.STAKING();
        vm.assume(caller != address(economy.SETTLEMENT()) && caller != address(economy.FAULTS()));
        vm.startPrank(caller);
        vm.expectRevert(abi.encodeWithSelector(Staking.OnlySettlement.selector, caller));
        staking.reserve(caller, keccak256("receipt"), 1, 1);
        vm.expectRevert(abi.encodeWithSelector(Staking.OnlySlasher.selector, caller));
        staking.openDispute(keccak256("fault"), caller, 1);
        vm.expectRevert(abi.encodeWithSelector(Staking.OnlySlasher.selector, caller));
        staking.closeDispute(keccak256("fault"));
    }

    function test_the_deployer_moves_nothing() public {
        testFuzz_nobody_moves_what_is_managed(address(this));
    }
}
