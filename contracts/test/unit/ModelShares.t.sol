// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Parameters} from "../../src/governance/Parameters.sol";
import {Token} from "../../src/governance/Token.sol";
import {ModelShares} from "../../src/registry/ModelShares.sol";
import {EconomyFixture} from "../utils/EconomyFixture.sol";
import {ReentrantToken} from "../utils/OddTokens.sol";

contract ModelSharesTest is EconomyFixture {
    ModelShares.Parent[] private none;

    function setUp() public override {
        super.setUp();
        publishProven(author, ROOT);
    }

    function _found() private {
        vm.prank(author);
        shares.found(ROOT, none, 250);
        money.approve(address(shares), type(uint256).max);
    }

    function test_the_owner_founds_once() public {
        vm.expectRevert(abi.encodeWithSelector(ModelShares.NotOwner.selector, ROOT, author, address(this)));
        shares.found(ROOT, none, 0);
        _found();
        assertEq(shares.balanceOf(author, uint256(ROOT)), shares.SUPPLY(), "all of them");
        vm.prank(author);
        vm.expectRevert(abi.encodeWithSelector(ModelShares.AlreadyFounded.selector, ROOT));
        shares.found(ROOT, none, 0);
    }

    function test_only_proven_weights_have_shares() public {
        vm.startPrank(author);
        models.publish(PARENT, "no manifest has this id", "", 0, "");
        vm.expectRevert(abi.encodeWithSelector(ModelShares.NotProven.selector, PARENT));
        shares.found(PARENT, none, 0);
        vm.stopPrank();
        publishProven(author, PARENT);
        vm.prank(author);
        shares.found(PARENT, none, 0);
        assertEq(shares.isFounded(PARENT), true, "now");
    }

    function test_parents_are_few_whole_and_others() public {
        ModelShares.Parent[] memory parents = new ModelShares.Parent[](5);
        vm.startPrank(author);
        vm.expectRevert(abi.encodeWithSelector(ModelShares.BadParents.selector, uint256(5), uint256(0)));
        shares.found(ROOT, parents, 0);
        parents = new ModelShares.Parent[](1);
        parents[0] = ModelShares.Parent(PARENT, 9999);
        vm.expectRevert(abi.encodeWithSelector(ModelShares.BadParents.selector, uint256(1), uint256(9999)));
        shares.found(ROOT, parents, 0);
        parents[0] = ModelShares.Parent(ROOT, 10_000);
        vm.expectRevert(abi.encodeWithSelector(ModelShares.OwnParent.selector, ROOT));
        shares.found(ROOT, parents, 0);
        vm.expectRevert(abi.encodeWithSelector(ModelShares.RoyaltyTooHigh.selector, uint256(1001), uint256(1000)));
        shares.found(ROOT, none, 1001);
    }

    function test_who_holds_when_it_arrives_earns() public {
        _found();
        shares.distribute(ROOT, money, 100 ether);
        vm.prank(author);
        shares.transfer(payer, uint256(ROOT), 250_000);
        shares.distribute(ROOT, money, 100 ether);
        vm.prank(author);
        assertEq(shares.collect(ROOT, money), 175 ether, "before and after the sale");
        vm.prank(payer);
        assertEq(shares.collect(ROOT, money), 25 ether, "after the sale");
        vm.prank(payer);
        assertEq(shares.collect(ROOT, money), 0, "once");
    }

    function testFuzz_claims_never_exceed_what_came(uint256[6] memory amounts, uint256[6] memory sales) public {
        _found();
        uint256 total = 0;
        for (uint256 i = 0; i < 6; i++) {
            uint256 amount = bound(amounts[i], 1, 1000 ether);
            total += amount;
            shares.distribute(ROOT, money, amount);
            uint256 held = shares.balanceOf(author, uint256(ROOT));
            vm.prank(author);
            shares.transfer(i % 2 == 0 ? payer : address(this), uint256(ROOT), bound(sales[i], 0, held));
        }
        uint256 claims = shares.earned(ROOT, address(money), author) + shares.earned(ROOT, address(money), payer)
            + shares.earned(ROOT, address(money), address(this));
        assertEq(claims <= total && claims + 20 >= total, true, "all but rounding");
    }

    /// @dev Gifts of dust in seven other assets, all that there can ever be, leave room for revenue in the eighth.
    function test_nobody_fills_the_list_of_assets() public {
        _found();
        for (uint256 i = 0; i < 7; i++) {
            IERC20 asset = _asset();
            parameters.setStakeRatio(address(asset), 1);
            shares.distribute(ROOT, asset, 1);
        }
        IERC20 ninth = _asset();
        vm.expectRevert(abi.encodeWithSelector(Parameters.TooManyAssets.selector, uint256(8)));
        parameters.setStakeRatio(address(ninth), 1);
        assertEq(shares.accepts(ROOT, address(money)), true, "revenue goes to the holders");
        shares.distribute(ROOT, money, 1 ether);
        assertEq(shares.assetsOf(ROOT).length, 8, "all of them");
        assertEq(shares.earned(ROOT, address(money), author), 1 ether, "earned");
    }

    function test_what_came_before_a_vote_drops_its_asset_is_divided_after_it() public {
        _found();
        parameters.setStakeRatio(address(money), 0);
        assertEq(shares.accepts(ROOT, address(money)), true, "once accepted");
        shares.distribute(ROOT, money, 1 ether);
        assertEq(shares.earned(ROOT, address(money), author), 1 ether, "earned");
    }

    function test_worthless_assets_and_empty_gifts_do_not_fill_the_list() public {
        _found();
        IERC20 junk = _asset();
        assertEq(shares.accepts(ROOT, address(junk)), false, "nobody accepts it");
        vm.expectRevert(abi.encodeWithSelector(ModelShares.AssetNotAccepted.selector, address(junk)));
        shares.distribute(ROOT, junk, 1);
        vm.expectRevert(ModelShares.NothingToDistribute.selector);
        shares.distribute(ROOT, money, 0);
        assertEq(shares.assetsOf(ROOT).length, 0, "empty");
    }

    function test_nothing_for_a_root_without_shares() public {
        vm.expectRevert(abi.encodeWithSelector(ModelShares.NotFounded.selector, PARENT));
        shares.distribute(PARENT, money, 1);
    }

    function test_the_royalty_is_a_hint_to_the_owner() public {
        _found();
        (address receiver, uint256 amount) = shares.royaltyInfo(uint256(ROOT), 1 ether);
        assertEq(receiver, author, "receiver");
        assertEq(amount, 0.025 ether, "2.5 %");
        assertEq(shares.supportsInterface(type(IERC2981).interfaceId), true, "ERC-2981");
        assertEq(shares.supportsInterface(0xffffffff), false, "not everything");
    }

    function test_an_asset_that_calls_back_is_refused() public {
        _found();
        ReentrantToken again = new ReentrantToken();
        parameters.setStakeRatio(address(again), 1);
        again.target(address(shares), abi.encodeCall(ModelShares.collect, (ROOT, money)));
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        shares.distribute(ROOT, again, 1);
    }

    function _asset() private returns (IERC20 asset) {
        Token.Allocation[] memory allocation = new Token.Allocation[](1);
        allocation[0] = Token.Allocation(address(this), 10 ether);
        asset = new Token("Asset", "AST", allocation);
        asset.approve(address(shares), type(uint256).max);
    }
}
