// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignatureTransfer} from "../../src/dev/permit2/ISignatureTransfer.sol";
import {ExactPermit2Proxy} from "../../src/dev/x402/ExactPermit2Proxy.sol";
import {Permit2Proxy} from "../../src/dev/x402/Permit2Proxy.sol";
import {UptoPermit2Proxy} from "../../src/dev/x402/UptoPermit2Proxy.sol";
import {ChannelConfig} from "../../src/dev/x402/Channels.sol";
import {PaymentsFixture} from "../utils/PaymentsFixture.sol";

/// @title Permit2's single transfers, the two proxies and the collector that spend through it
contract Permit2PaymentsTest is PaymentsFixture {
    string private constant UPTO_TYPE =
        "Witness witness)TokenPermissions(address token,uint256 amount)Witness(address to,address facilitator,uint256 validAfter)";
    string private constant EXACT_TYPE =
        "Witness witness)TokenPermissions(address token,uint256 amount)Witness(address to,uint256 validAfter)";
    string private constant DEPOSIT_TYPE =
        "DepositWitness witness)DepositWitness(bytes32 channelId)TokenPermissions(address token,uint256 amount)";

    UptoPermit2Proxy.Witness private upto;
    ExactPermit2Proxy.Witness private exact;

    function setUp() public override {
        super.setUp();
        upto = UptoPermit2Proxy.Witness(receiver, address(this), block.timestamp);
        exact = ExactPermit2Proxy.Witness(receiver, block.timestamp);
    }

    function _uptoSignature(ISignatureTransfer.PermitTransferFrom memory permit) private view returns (bytes memory) {
        bytes32 typeHash = keccak256("Witness(address to,address facilitator,uint256 validAfter)");
        bytes32 witness = keccak256(abi.encode(typeHash, upto.to, upto.facilitator, upto.validAfter));
        return witnessSignature(permit, address(UPTO), UPTO_TYPE, witness);
    }

    function _exactSignature(ISignatureTransfer.PermitTransferFrom memory permit) private view returns (bytes memory) {
        bytes32 witness = keccak256(abi.encode(keccak256("Witness(address to,uint256 validAfter)"), exact.to, exact.validAfter));
        return witnessSignature(permit, address(EXACT), EXACT_TYPE, witness);
    }

    function testFuzz_upto_takes_what_was_used_once(uint256 most, uint256 used, uint256 nonce) public {
        most = bound(most, 0, MONEY);
        used = bound(used, 0, most);
        ISignatureTransfer.PermitTransferFrom memory permit = permitOf(most, nonce);
        bytes memory signature = _uptoSignature(permit);
        UPTO.settle(permit, used, payer, upto, signature);
        assertEq(dollar.balanceOf(receiver), used, "paid");
        vm.expectRevert(ISignatureTransfer.InvalidNonce.selector);
        UPTO.settle(permit, used, payer, upto, signature);
    }

    function test_upto_is_for_the_named_facilitator_payee_and_amount() public {
        ISignatureTransfer.PermitTransferFrom memory permit = permitOf(100, 7);
        bytes memory signature = _uptoSignature(permit);
        vm.expectRevert(UptoPermit2Proxy.AmountExceedsPermitted.selector);
        UPTO.settle(permit, 101, payer, upto, signature);
        vm.prank(address(0xBAD));
        vm.expectRevert(UptoPermit2Proxy.UnauthorizedFacilitator.selector);
        UPTO.settle(permit, 1, payer, upto, signature);
        upto.facilitator = address(0xBAD);
        vm.prank(address(0xBAD));
        vm.expectRevert(ISignatureTransfer.InvalidSigner.selector);
        UPTO.settle(permit, 1, payer, upto, signature);
        upto = UptoPermit2Proxy.Witness(address(0xBAD), address(this), block.timestamp);
        vm.expectRevert(ISignatureTransfer.InvalidSigner.selector);
        UPTO.settle(permit, 1, payer, upto, signature);
    }

    function test_upto_keeps_its_time() public {
        upto.validAfter = block.timestamp + 1;
        ISignatureTransfer.PermitTransferFrom memory permit = permitOf(100, 7);
        bytes memory signature = _uptoSignature(permit);
        vm.expectRevert(Permit2Proxy.PaymentTooEarly.selector);
        UPTO.settle(permit, 1, payer, upto, signature);
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(ISignatureTransfer.SignatureExpired.selector, permit.deadline));
        UPTO.settle(permit, 1, payer, upto, signature);
    }

    function test_refuses_nobody() public {
        ISignatureTransfer.PermitTransferFrom memory permit = permitOf(100, 7);
        vm.expectRevert(Permit2Proxy.InvalidOwner.selector);
        UPTO.settle(permit, 1, address(0), upto, "");
        upto.to = address(0);
        vm.expectRevert(Permit2Proxy.InvalidDestination.selector);
        UPTO.settle(permit, 1, payer, upto, "");
    }

    function test_exact_pays_all_sent_by_anybody_once() public {
        ISignatureTransfer.PermitTransferFrom memory permit = permitOf(100, 7);
        bytes memory signature = _exactSignature(permit);
        vm.prank(address(0xBEEF));
        EXACT.settle(permit, payer, exact, signature);
        assertEq(dollar.balanceOf(receiver), 100, "paid");
        vm.expectRevert(ISignatureTransfer.InvalidNonce.selector);
        EXACT.settle(permit, payer, exact, signature);
        vm.expectRevert(ExactPermit2Proxy.InvalidAmount.selector);
        EXACT.settle(permitOf(0, 8), payer, exact, "");
    }

    function test_an_approval_comes_along() public {
        vm.prank(payer);
        dollar.approve(address(PERMIT2), 0);
        ISignatureTransfer.PermitTransferFrom memory permit = permitOf(100, 7);
        Permit2Proxy.EIP2612Permit memory approval = _approval(100);
        UPTO.settleWithPermit(approval, permit, 40, payer, upto, _uptoSignature(permit));
        assertEq(dollar.balanceOf(receiver), 40, "upto");
        approval.value = 99;
        vm.expectRevert(Permit2Proxy.Permit2612AmountMismatch.selector);
        UPTO.settleWithPermit(approval, permit, 40, payer, upto, "");
    }

    /// @dev Whoever sees the permit can send it first: the payment must go through all the same.
    function test_an_approval_that_was_sent_already_does_no_harm() public {
        vm.prank(payer);
        dollar.approve(address(PERMIT2), 0);
        Permit2Proxy.EIP2612Permit memory a = _approval(100);
        dollar.permit(payer, address(PERMIT2), a.value, a.deadline, a.v, a.r, a.s);
        ISignatureTransfer.PermitTransferFrom memory permit = permitOf(100, 7);
        EXACT.settleWithPermit(a, permit, payer, exact, _exactSignature(permit));
        assertEq(dollar.balanceOf(receiver), 100, "exact");
    }

    function _approval(uint256 value) private view returns (Permit2Proxy.EIP2612Permit memory) {
        bytes32 permitType = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(permitType, payer, address(PERMIT2), value, dollar.nonces(payer), block.timestamp));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYER_KEY, typed(dollar.DOMAIN_SEPARATOR(), structHash));
        return Permit2Proxy.EIP2612Permit(value, block.timestamp, r, s, v);
    }

    function test_deposits_of_a_channel() public {
        ChannelConfig memory config = channel(1);
        ISignatureTransfer.PermitTransferFrom memory permit = permitOf(100, 7);
        bytes32 witness = keccak256(abi.encode(keccak256("DepositWitness(bytes32 channelId)"), ESCROW.getChannelId(config)));
        bytes memory signature = witnessSignature(permit, address(BY_PERMIT), DEPOSIT_TYPE, witness);
        bytes memory data = abi.encode(permit.nonce, permit.deadline, signature, "");
        ChannelConfig memory other = channel(2);
        vm.expectRevert(ISignatureTransfer.InvalidSigner.selector);
        ESCROW.deposit(other, 100, address(BY_PERMIT), data);
        ESCROW.deposit(config, 100, address(BY_PERMIT), data);
        (uint128 balance,) = channelOf(config);
        assertEq(balance, 100, "balance");
    }

    function test_a_deposit_brings_its_approval() public {
        vm.prank(payer);
        dollar.approve(address(PERMIT2), 0);
        ChannelConfig memory config = channel(1);
        ISignatureTransfer.PermitTransferFrom memory permit = permitOf(100, 7);
        bytes32 witness = keccak256(abi.encode(keccak256("DepositWitness(bytes32 channelId)"), ESCROW.getChannelId(config)));
        bytes memory signature = witnessSignature(permit, address(BY_PERMIT), DEPOSIT_TYPE, witness);
        Permit2Proxy.EIP2612Permit memory a = _approval(100);
        bytes memory approval = abi.encode(a.value, a.deadline, a.v, a.r, a.s);
        ESCROW.deposit(config, 100, address(BY_PERMIT), abi.encode(permit.nonce, permit.deadline, signature, approval));
        (uint128 balance,) = channelOf(config);
        assertEq(balance, 100, "balance");
    }

    function test_a_transfer_without_witness_for_its_spender_alone() public {
        ISignatureTransfer.PermitTransferFrom memory permit = permitOf(100, 300);
        bytes32 tokens = keccak256(
            abi.encode(keccak256("TokenPermissions(address token,uint256 amount)"), permit.permitted.token, permit.permitted.amount)
        );
        bytes32 permitType = keccak256(
            "PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)TokenPermissions(address token,uint256 amount)"
        );
        bytes32 structHash = keccak256(abi.encode(permitType, tokens, address(this), permit.nonce, permit.deadline));
        bytes memory signature = sign(PAYER_KEY, typed(PERMIT2.DOMAIN_SEPARATOR(), structHash));
        ISignatureTransfer.SignatureTransferDetails memory details = ISignatureTransfer.SignatureTransferDetails(receiver, 101);
        vm.expectRevert(abi.encodeWithSelector(ISignatureTransfer.InvalidAmount.selector, 100));
        PERMIT2.permitTransferFrom(permit, details, payer, signature);
        details.requestedAmount = 30;
        vm.prank(address(0xBAD));
        vm.expectRevert(ISignatureTransfer.InvalidSigner.selector);
        PERMIT2.permitTransferFrom(permit, details, payer, signature);
        PERMIT2.permitTransferFrom(permit, details, payer, signature);
        assertEq(dollar.balanceOf(receiver), 30, "paid");
        assertEq(PERMIT2.nonceBitmap(payer, 1), 1 << 44, "bit 300 - 256 of word 1");
    }

    function testFuzz_an_owner_takes_nonces_back(uint256 nonce) public {
        vm.prank(payer);
        PERMIT2.invalidateUnorderedNonces(nonce >> 8, 1 << (nonce & 0xff));
        ISignatureTransfer.PermitTransferFrom memory permit = permitOf(100, nonce);
        bytes memory signature = _uptoSignature(permit);
        vm.expectRevert(ISignatureTransfer.InvalidNonce.selector);
        UPTO.settle(permit, 1, payer, upto, signature);
    }
}
