// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Parameters} from "../../src/governance/Parameters.sol";
import {Token} from "../../src/governance/Token.sol";
import {Staking} from "../../src/staking/Staking.sol";
import {Test} from "./Test.sol";

/// @title Staking with one operator and one delegator; this contract settles and slashes
abstract contract StakingFixture is Test {
    uint256 internal constant PERIOD = 10 days;

    address internal operator = address(0x0123);
    address internal delegator = address(0xDE1);
    address internal challenger = address(0xC4A);
    address internal payer = address(0x9A9);
    Token internal token;
    Parameters internal parameters;
    Staking internal staking;

    function setUp() public virtual {
        vm.warp(1_000_000);
        Token.Allocation[] memory allocation = new Token.Allocation[](1);
        allocation[0] = Token.Allocation(address(this), 1_000_000 ether);
        token = new Token("Commonweight", "CWT", allocation);
        parameters =
            new Parameters(address(this), Parameters.Split(7000, 1500, 500, 700, 300), numbers(), new Parameters.AcceptedAsset[](0));
        staking = new Staking(IERC20(token), parameters, address(this), onlyThis());
    }

    function numbers() internal pure returns (Parameters.NamedParameter[] memory list) {
        list = new Parameters.NamedParameter[](3);
        list[0] = Parameters.NamedParameter("thawPeriod", Parameters.Parameter(PERIOD, 1 days, 90 days));
        list[1] = Parameters.NamedParameter("slashFraction", Parameters.Parameter(10_000, 100, 10_000));
        list[2] = Parameters.NamedParameter("delegationRatio", Parameters.Parameter(9, 0, 100));
    }

    function give(address to, uint256 amount) internal {
        token.transfer(to, amount);
        vm.prank(to);
        token.approve(address(staking), type(uint256).max);
    }

    function stakeOwn(uint256 amount) internal {
        give(operator, amount);
        vm.prank(operator);
        staking.stake(operator, amount);
    }

    function delegateTo(address from, uint256 amount) internal {
        give(from, amount);
        vm.prank(from);
        staking.delegate(operator, amount);
    }

    function thaw(address holder, uint256 shares) internal {
        vm.prank(holder);
        staking.thaw(operator, holder == operator, shares);
    }

    function withdraw(address holder) internal returns (uint256) {
        vm.prank(holder);
        return staking.withdraw(operator, holder == operator);
    }

    function slashing(uint256 amount, uint256 reward, uint256 refund) internal view returns (Staking.Slash memory) {
        return fault("fault", amount, reward, refund);
    }

    /// @dev The payer has paid what he wants back.
    function fault(bytes32 name, uint256 amount, uint256 reward, uint256 refund) internal view returns (Staking.Slash memory) {
        return Staking.Slash(name, operator, 0, amount, challenger, reward, payer, refund, refund);
    }

    function onlyThis() internal view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(this);
    }
}
