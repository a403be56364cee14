// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Token} from "../../src/governance/Token.sol";
import {TransferWithAuthorization as Authorizations} from "../../src/governance/TransferWithAuthorization.sol";
import {Test} from "../utils/Test.sol";
import {Wallet} from "../utils/Wallet.sol";

contract TokenTest is Test {
    uint256 private constant KEY = 0xB0B;
    address private holder = vm.addr(KEY);
    address private payee = address(0xBEEF);
    Token private token;

    function setUp() public {
        Token.Allocation[] memory allocation = new Token.Allocation[](2);
        allocation[0] = Token.Allocation(holder, 700 ether);
        allocation[1] = Token.Allocation(address(this), 300 ether);
        token = new Token("Commonweight", "CWT", allocation);
        vm.warp(1000);
    }

    function test_genesis_is_the_whole_supply() public view {
        assertEq(token.totalSupply(), 1000 ether, "supply");
        assertEq(token.balanceOf(holder), 700 ether, "holder");
    }

    function test_refuses_an_empty_allocation() public {
        Token.Allocation[] memory allocation = new Token.Allocation[](1);
        allocation[0].holder = holder;
        vm.expectRevert(abi.encodeWithSelector(Token.EmptyAllocation.selector, 0));
        new Token("Commonweight", "CWT", allocation);
    }

    function test_votes_follow_the_tokens_by_timestamp() public {
        vm.prank(holder);
        token.delegate(holder);
        vm.warp(1001);
        vm.prank(holder);
        token.transfer(payee, 200 ether);
        assertEq(token.getPastVotes(holder, 1000), 700 ether, "before");
        assertEq(token.getVotes(holder), 500 ether, "after");
        assertEq(token.CLOCK_MODE(), "mode=timestamp", "mode");
        assertEq(token.clock(), 1001, "clock");
    }

    function test_permit() public {
        bytes32 permitType = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(permitType, holder, payee, 5 ether, token.nonces(holder), 2000));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(structHash));
        token.permit(holder, payee, 5 ether, 2000, v, r, s);
        assertEq(token.allowance(holder, payee), 5 ether, "allowance");
    }

    function testFuzz_anybody_sends_a_signed_transfer_once(uint256 amount, bytes32 nonce) public {
        amount = bound(amount, 0, 700 ether);
        bytes memory signature = _signed(KEY, token.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), amount, 0, 2000, nonce);
        token.transferWithAuthorization(holder, payee, amount, 0, 2000, nonce, signature);
        assertEq(token.balanceOf(payee), amount, "paid");
        assertEq(token.authorizationState(holder, nonce), true, "spent");
        vm.expectRevert(abi.encodeWithSelector(Authorizations.AuthorizationSpent.selector, holder, nonce));
        token.transferWithAuthorization(holder, payee, amount, 0, 2000, nonce, signature);
    }

    function test_the_form_with_separate_signature_words() public {
        bytes memory signature = _signed(KEY, token.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), 1, 0, 2000, "n");
        (bytes32 r, bytes32 s, uint8 v) = _split(signature);
        token.transferWithAuthorization(holder, payee, 1, 0, 2000, "n", v, r, s);
        bytes memory received = _signed(KEY, token.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(), 1, 0, 2000, "m");
        (r, s, v) = _split(received);
        vm.prank(payee);
        token.receiveWithAuthorization(holder, payee, 1, 0, 2000, "m", v, r, s);
        assertEq(token.balanceOf(payee), 2, "paid twice");
    }

    function test_refuses_outside_its_time() public {
        bytes memory early = _signed(KEY, token.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), 1, 1000, 2000, "n");
        vm.expectRevert(abi.encodeWithSelector(Authorizations.AuthorizationNotYetValid.selector, 1000));
        token.transferWithAuthorization(holder, payee, 1, 1000, 2000, "n", early);
        bytes memory late = _signed(KEY, token.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), 1, 0, 1000, "n");
        vm.expectRevert(abi.encodeWithSelector(Authorizations.AuthorizationExpired.selector, 1000));
        token.transferWithAuthorization(holder, payee, 1, 0, 1000, "n", late);
    }

    function test_refuses_another_signer_amount_or_kind() public {
        bytes memory other = _signed(KEY + 1, token.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), 1, 0, 2000, "n");
        vm.expectRevert(abi.encodeWithSelector(Authorizations.AuthorizationSignature.selector, holder));
        token.transferWithAuthorization(holder, payee, 1, 0, 2000, "n", other);
        bytes memory one = _signed(KEY, token.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), 1, 0, 2000, "n");
        vm.expectRevert(abi.encodeWithSelector(Authorizations.AuthorizationSignature.selector, holder));
        token.transferWithAuthorization(holder, payee, 2, 0, 2000, "n", one);
        vm.prank(payee);
        vm.expectRevert(abi.encodeWithSelector(Authorizations.AuthorizationSignature.selector, holder));
        token.receiveWithAuthorization(holder, payee, 1, 0, 2000, "n", one);
    }

    function test_more_than_the_balance_is_refused() public {
        bytes memory signature = _signed(KEY, token.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), 701 ether, 0, 2000, "n");
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, holder, 700 ether, 701 ether));
        token.transferWithAuthorization(holder, payee, 701 ether, 0, 2000, "n", signature);
    }

    function test_only_the_payee_receives() public {
        bytes memory signature = _signed(KEY, token.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(), 1, 0, 2000, "n");
        vm.expectRevert(abi.encodeWithSelector(Authorizations.CallerIsNotPayee.selector, address(this), payee));
        token.receiveWithAuthorization(holder, payee, 1, 0, 2000, "n", signature);
    }

    function test_a_cancelled_nonce_is_useless() public {
        bytes32 structHash = keccak256(abi.encode(token.CANCEL_AUTHORIZATION_TYPEHASH(), holder, bytes32("n")));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(structHash));
        vm.expectRevert(abi.encodeWithSelector(Authorizations.AuthorizationSignature.selector, holder));
        token.cancelAuthorization(holder, "m", v, r, s);
        token.cancelAuthorization(holder, "n", v, r, s);
        bytes memory signature = _signed(KEY, token.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), 1, 0, 2000, "n");
        vm.expectRevert(abi.encodeWithSelector(Authorizations.AuthorizationSpent.selector, holder, bytes32("n")));
        token.transferWithAuthorization(holder, payee, 1, 0, 2000, "n", signature);
    }

    function test_a_contract_holder_signs_by_erc1271() public {
        Wallet wallet = new Wallet(holder);
        token.transfer(address(wallet), 3);
        bytes32 typeHash = token.TRANSFER_WITH_AUTHORIZATION_TYPEHASH();
        bytes32 structHash = keccak256(abi.encode(typeHash, address(wallet), payee, 3, 0, 2000, bytes32("n")));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(structHash));
        token.transferWithAuthorization(address(wallet), payee, 3, 0, 2000, "n", abi.encodePacked(r, s, v));
        assertEq(token.balanceOf(payee), 3, "paid");
    }

    function _signed(uint256 key, bytes32 typeHash, uint256 amount, uint256 validAfter, uint256 validBefore, bytes32 nonce)
        private
        view
        returns (bytes memory)
    {
        bytes32 structHash = keccak256(abi.encode(typeHash, holder, payee, amount, validAfter, validBefore, nonce));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(structHash));
        return abi.encodePacked(r, s, v);
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash));
    }

    function _split(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
            v := byte(0, mload(add(signature, 96)))
        }
    }
}
