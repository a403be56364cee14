// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Fund} from "../../src/governance/Fund.sol";
import {Payouts} from "../../src/settlement/Payouts.sol";
import {GovernanceFixture} from "../utils/GovernanceFixture.sol";

contract FundTest is GovernanceFixture {
    Payouts internal payouts;
    Fund internal fund;

    function setUp() public override {
        super.setUp();
        payouts = new Payouts();
        fund = new Fund(address(manager), payouts);
        Payouts.Credit[] memory credits = new Payouts.Credit[](1);
        credits[0] = Payouts.Credit(address(fund), 5 ether);
        vm.startPrank(major);
        token.approve(address(payouts), 5 ether);
        payouts.credit(token, credits);
        vm.stopPrank();
    }

    function test_anybody_collects_what_is_owed() public {
        vm.prank(address(0xABC));
        assertEq(fund.collect(token), 5 ether, "collected");
        assertEq(token.balanceOf(address(fund)), 5 ether, "held");
        assertEq(payouts.owed(address(fund), token), 0, "nothing is owed any more");
    }

    function testFuzz_only_the_timelock_pays(address caller) public {
        vm.assume(caller != address(timelock));
        fund.collect(token);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller));
        fund.pay(token, caller, 1);
    }

    function test_a_vote_pays_out() public {
        fund.collect(token);
        pass(address(fund), abi.encodeCall(Fund.pay, (token, address(0xA0D), 2 ether)));
        assertEq(token.balanceOf(address(0xA0D)), 2 ether, "paid");
        assertEq(token.balanceOf(address(fund)), 3 ether, "left");
    }
}
