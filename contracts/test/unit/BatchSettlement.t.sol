// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {TransferWithAuthorization as Authorizations} from "../../src/governance/TransferWithAuthorization.sol";
import {BatchSettlement} from "../../src/dev/x402/BatchSettlement.sol";
import {ChannelConfig, IDepositCollector, VoucherClaim} from "../../src/dev/x402/Channels.sol";
import {CollectorForEscrow} from "../../src/dev/x402/CollectorForEscrow.sol";
import {FalseToken, FeeToken} from "../utils/OddTokens.sol";
import {PaymentsFixture} from "../utils/PaymentsFixture.sol";

/// @dev Takes tokens that were approved to it: anybody may write a collector.
contract PullingCollector is IDepositCollector {
    function collect(address payer, address token, uint256 amount, bytes32, bytes calldata) external {
        IERC20(token).transferFrom(payer, msg.sender, amount);
    }
}

/// @dev Brings nothing, and calls the escrow back instead.
contract ReentrantCollector is IDepositCollector {
    function collect(address, address, uint256, bytes32, bytes calldata data) external {
        (bool done, bytes memory reason) = msg.sender.call(data);
        if (!done) {
            assembly {
                revert(add(reason, 32), mload(reason))
            }
        }
    }
}

/// @dev A wallet whose one key signs for it.
contract KeyWallet is IERC1271 {
    address private immutable KEY;

    constructor(address key) {
        KEY = key;
    }

    function isValidSignature(bytes32 hash, bytes memory signature) external view returns (bytes4) {
        (address signer,,) = ECDSA.tryRecover(hash, signature);
        return signer == KEY ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

contract BatchSettlementTest is PaymentsFixture {
    event Claimed(bytes32 indexed channelId, address indexed sender, uint128 claimAmount, uint128 newTotalClaimed);

    ChannelConfig private config;

    function setUp() public override {
        super.setUp();
        config = channel(1);
    }

    function test_channel_ids_are_typed_data_of_this_escrow_and_chain() public {
        bytes32 typeHash = keccak256(
            "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
        );
        bytes32 structHash = keccak256(
            abi.encode(
                typeHash,
                config.payer,
                config.payerAuthorizer,
                config.receiver,
                config.receiverAuthorizer,
                config.token,
                config.withdrawDelay,
                config.salt
            )
        );
        bytes32 domainType = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 domain =
            keccak256(abi.encode(domainType, keccak256("x402 Batch Settlement"), keccak256("1"), block.chainid, address(ESCROW)));
        assertEq(ESCROW.getChannelId(config), typed(domain, structHash), "id");
        bytes32 here = ESCROW.getChannelId(config);
        vm.chainId(77);
        assertEq(ESCROW.getChannelId(config) == here, false, "another chain, another channel");
    }

    function test_deposits_add_up() public {
        deposit(config, 100, 1);
        deposit(config, 20, 2);
        (uint128 balance, uint128 claimed) = channelOf(config);
        assertEq(balance, 120, "balance");
        assertEq(claimed, 0, "claimed");
        assertEq(dollar.balanceOf(address(ESCROW)), 120, "tokens");
    }

    function test_a_deposit_works_once() public {
        bytes memory data = authorization(config, 100, 1);
        ESCROW.deposit(config, 100, address(BY_AUTHORIZATION), data);
        vm.expectPartialRevert(Authorizations.AuthorizationSpent.selector);
        ESCROW.deposit(config, 100, address(BY_AUTHORIZATION), data);
    }

    function test_a_deposit_goes_to_the_channel_that_the_payer_signed() public {
        bytes memory data = authorization(config, 100, 1);
        vm.expectPartialRevert(Authorizations.AuthorizationSignature.selector);
        ESCROW.deposit(channel(2), 100, address(BY_AUTHORIZATION), data);
    }

    function test_a_copied_deposit_cannot_be_taken_by_who_copied_it() public {
        bytes memory data = authorization(config, 100, 1);
        bytes32 id = ESCROW.getChannelId(config);
        vm.expectRevert(abi.encodeWithSelector(CollectorForEscrow.OnlyEscrow.selector, address(this)));
        BY_AUTHORIZATION.collect(payer, address(dollar), 100, id, data);
        vm.expectRevert(abi.encodeWithSelector(CollectorForEscrow.OnlyEscrow.selector, address(this)));
        BY_PERMIT.collect(payer, address(dollar), 100, id, data);
    }

    function test_refuses_unusable_terms() public {
        _refusesTerms(ChannelConfig(address(0), payer, receiver, authorizer, address(dollar), DELAY, 0));
        _refusesTerms(ChannelConfig(payer, payer, address(0), authorizer, address(dollar), DELAY, 0));
        _refusesTerms(ChannelConfig(payer, payer, receiver, address(0), address(dollar), DELAY, 0));
        _refusesTerms(ChannelConfig(payer, payer, receiver, authorizer, address(0), DELAY, 0));
        config.withdrawDelay = 15 minutes - 1;
        vm.expectRevert(BatchSettlement.WithdrawDelayOutOfRange.selector);
        ESCROW.deposit(config, 1, address(BY_AUTHORIZATION), "");
        config.withdrawDelay = 30 days + 1;
        vm.expectRevert(BatchSettlement.WithdrawDelayOutOfRange.selector);
        ESCROW.deposit(config, 1, address(BY_AUTHORIZATION), "");
        config.withdrawDelay = 30 days;
        vm.expectRevert(BatchSettlement.ZeroDeposit.selector);
        ESCROW.deposit(config, 0, address(BY_AUTHORIZATION), "");
    }

    function _refusesTerms(ChannelConfig memory terms) private {
        vm.expectRevert(BatchSettlement.InvalidChannel.selector);
        ESCROW.deposit(terms, 1, address(BY_AUTHORIZATION), "");
    }

    function test_claims_by_receiver_and_authorizer_and_nobody_else() public {
        deposit(config, 100, 1);
        claim(config, 50, 30);
        VoucherClaim[] memory rows = one(claimOf(config, 50, 50));
        vm.expectRevert(BatchSettlement.NotAuthorizedToClaim.selector);
        ESCROW.claim(rows);
        vm.expectEmit(address(ESCROW));
        emit Claimed(ESCROW.getChannelId(config), receiver, 20, 50);
        vm.prank(receiver);
        ESCROW.claim(rows);
        (, uint128 claimed) = channelOf(config);
        assertEq(claimed, 50, "claimed");
        assertEq(dollar.balanceOf(receiver), 0, "a claim moves no tokens");
    }

    function test_a_claim_again_changes_nothing() public {
        deposit(config, 100, 1);
        claim(config, 50, 50);
        claim(config, 50, 50);
        claim(config, 50, 20);
        (uint128 total,) = ESCROW.receivers(receiver, address(dollar));
        assertEq(total, 50, "once");
    }

    function test_refuses_more_than_was_signed_or_is_there() public {
        deposit(config, 100, 1);
        VoucherClaim[] memory rows = one(claimOf(config, 50, 51));
        vm.prank(authorizer);
        vm.expectRevert(BatchSettlement.ClaimExceedsCeiling.selector);
        ESCROW.claim(rows);
        rows = one(claimOf(config, 101, 101));
        vm.prank(authorizer);
        vm.expectRevert(BatchSettlement.ClaimExceedsBalance.selector);
        ESCROW.claim(rows);
        vm.prank(authorizer);
        vm.expectRevert(BatchSettlement.EmptyBatch.selector);
        ESCROW.claim(new VoucherClaim[](0));
    }

    function test_refuses_vouchers_of_others_and_of_other_channels() public {
        deposit(config, 100, 1);
        VoucherClaim[] memory rows = one(claimOf(config, 50, 50));
        rows[0].signature = sign(0xBAD, ESCROW.getVoucherDigest(ESCROW.getChannelId(config), 50));
        _refusesRows(rows);
        rows[0].signature = claimOf(channel(2), 50, 50).signature;
        _refusesRows(rows);
        rows[0].signature = "";
        _refusesRows(rows);
    }

    function _refusesRows(VoucherClaim[] memory rows) private {
        vm.prank(authorizer);
        vm.expectRevert(BatchSettlement.InvalidSignature.selector);
        ESCROW.claim(rows);
    }

    function test_a_contract_pays_through_its_own_check() public {
        KeyWallet wallet = new KeyWallet(payer);
        PullingCollector collector = new PullingCollector();
        vm.prank(payer);
        dollar.transfer(address(wallet), 100);
        vm.prank(address(wallet));
        dollar.approve(address(collector), 100);
        config.payer = address(wallet);
        config.payerAuthorizer = address(0);
        ESCROW.deposit(config, 100, address(collector), "");
        claim(config, 60, 60);
        (, uint128 claimed) = channelOf(config);
        assertEq(claimed, 60, "claimed");
        VoucherClaim[] memory rows = one(claimOf(config, 61, 61));
        rows[0].signature = sign(0xBAD, ESCROW.getVoucherDigest(ESCROW.getChannelId(config), 61));
        _refusesRows(rows);
    }

    function test_anybody_sends_claims_that_the_authorizer_signed() public {
        deposit(config, 100, 1);
        deposit(channel(2), 100, 1);
        VoucherClaim[] memory rows = new VoucherClaim[](2);
        (rows[0], rows[1]) = (claimOf(config, 50, 40), claimOf(channel(2), 60, 60));
        bytes memory signature = sign(AUTHORIZER_KEY, ESCROW.getClaimBatchDigest(rows));
        ESCROW.claimWithSignature(rows, signature);
        (uint128 total,) = ESCROW.receivers(receiver, address(dollar));
        assertEq(total, 100, "both");
        rows[0].totalClaimed = 50;
        vm.expectRevert(BatchSettlement.InvalidSignature.selector);
        ESCROW.claimWithSignature(rows, signature);
    }

    function test_signed_claims_have_one_authorizer_and_at_least_one_row() public {
        VoucherClaim[] memory rows = new VoucherClaim[](2);
        ChannelConfig memory other = channel(2);
        other.receiverAuthorizer = receiver;
        (rows[0], rows[1]) = (claimOf(config, 50, 40), claimOf(other, 60, 60));
        vm.expectRevert(BatchSettlement.NotReceiverAuthorizer.selector);
        ESCROW.claimWithSignature(rows, "");
        vm.expectRevert(BatchSettlement.EmptyBatch.selector);
        ESCROW.claimWithSignature(new VoucherClaim[](0), "");
    }

    function test_settles_what_was_claimed_once() public {
        deposit(config, 100, 1);
        claim(config, 50, 30);
        ESCROW.settle(receiver, address(dollar));
        ESCROW.settle(receiver, address(dollar));
        assertEq(dollar.balanceOf(receiver), 30, "paid");
        claim(config, 100, 100);
        ESCROW.settle(receiver, address(dollar));
        assertEq(dollar.balanceOf(receiver), 100, "the rest");
    }

    function test_the_payer_gets_out_after_the_delay() public {
        deposit(config, 100, 1);
        vm.prank(payer);
        ESCROW.initiateWithdraw(config, 80);
        claim(config, 50, 50);
        vm.warp(block.timestamp + DELAY - 1);
        vm.prank(payer);
        vm.expectRevert(BatchSettlement.WithdrawDelayNotElapsed.selector);
        ESCROW.finalizeWithdraw(config);
        vm.warp(block.timestamp + 1);
        vm.prank(payer);
        ESCROW.finalizeWithdraw(config);
        assertEq(dollar.balanceOf(payer), MONEY - 50, "what the claim left of it");
        vm.prank(payer);
        vm.expectRevert(BatchSettlement.WithdrawalNotPending.selector);
        ESCROW.finalizeWithdraw(config);
        VoucherClaim[] memory rows = one(claimOf(config, 60, 60));
        vm.prank(authorizer);
        vm.expectRevert(BatchSettlement.ClaimExceedsBalance.selector);
        ESCROW.claim(rows);
    }

    function test_refuses_withdrawals_of_others_or_of_nothing() public {
        deposit(config, 100, 1);
        vm.prank(authorizer);
        vm.expectRevert(BatchSettlement.InvalidChannel.selector);
        ESCROW.initiateWithdraw(config, 1);
        vm.expectRevert(BatchSettlement.NotAuthorizedToFinalizeWithdraw.selector);
        ESCROW.finalizeWithdraw(config);
        vm.startPrank(payer);
        vm.expectRevert(BatchSettlement.NothingToWithdraw.selector);
        ESCROW.initiateWithdraw(config, 0);
        vm.expectRevert(BatchSettlement.WithdrawAmountExceedsAvailable.selector);
        ESCROW.initiateWithdraw(config, 101);
        ESCROW.initiateWithdraw(config, 100);
        vm.expectRevert(BatchSettlement.WithdrawalAlreadyPending.selector);
        ESCROW.initiateWithdraw(config, 1);
        vm.stopPrank();
    }

    function test_the_receiver_gives_back_at_once() public {
        deposit(config, 100, 1);
        claim(config, 40, 40);
        vm.expectRevert(BatchSettlement.NotAuthorizedToRefund.selector);
        ESCROW.refund(config, 10);
        vm.prank(receiver);
        ESCROW.refund(config, 10);
        vm.prank(authorizer);
        ESCROW.refund(config, 1000);
        assertEq(dollar.balanceOf(payer), MONEY - 40, "all but what was claimed");
        assertEq(ESCROW.refundNonce(ESCROW.getChannelId(config)), 2, "nonces");
        vm.prank(authorizer);
        ESCROW.refund(config, 1);
        assertEq(ESCROW.refundNonce(ESCROW.getChannelId(config)), 3, "spent although nothing was left");
        vm.prank(authorizer);
        vm.expectRevert(BatchSettlement.ZeroRefund.selector);
        ESCROW.refund(config, 0);
    }

    function test_a_signed_refund_works_once() public {
        deposit(config, 100, 1);
        bytes memory signature = refundSignature(config, 30, 0);
        ESCROW.refundWithSignature(config, 30, 0, signature);
        assertEq(dollar.balanceOf(payer), MONEY - 70, "back");
        vm.expectRevert(BatchSettlement.InvalidRefundNonce.selector);
        ESCROW.refundWithSignature(config, 30, 0, signature);
        vm.expectRevert(BatchSettlement.InvalidSignature.selector);
        ESCROW.refundWithSignature(config, 31, 1, signature);
    }

    function test_a_refund_counts_towards_a_pending_withdrawal() public {
        deposit(config, 100, 1);
        vm.prank(payer);
        ESCROW.initiateWithdraw(config, 60);
        vm.prank(receiver);
        ESCROW.refund(config, 25);
        bytes32 id = ESCROW.getChannelId(config);
        (uint128 amount,) = ESCROW.pendingWithdrawals(id);
        assertEq(amount, 35, "the rest of it");
        vm.prank(receiver);
        ESCROW.refund(config, 35);
        (, uint40 initiatedAt) = ESCROW.pendingWithdrawals(id);
        assertEq(initiatedAt, 0, "done");
    }

    function test_a_claim_and_a_refund_in_one_transaction() public {
        deposit(config, 100, 1);
        VoucherClaim[] memory rows = one(claimOf(config, 40, 40));
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(ESCROW.claimWithSignature, (rows, sign(AUTHORIZER_KEY, ESCROW.getClaimBatchDigest(rows))));
        calls[1] = abi.encodeCall(ESCROW.refundWithSignature, (config, 60, 0, refundSignature(config, 60, 0)));
        ESCROW.multicall(calls);
        (uint128 balance, uint128 claimed) = channelOf(config);
        assertEq(balance, 40, "balance");
        assertEq(claimed, 40, "claimed");
        assertEq(dollar.balanceOf(payer), MONEY - 40, "refunded");
    }

    function test_a_token_that_keeps_a_part_is_refused() public {
        FeeToken odd = new FeeToken();
        PullingCollector collector = new PullingCollector();
        odd.transfer(payer, 1000);
        vm.prank(payer);
        odd.approve(address(collector), 1000);
        config.token = address(odd);
        vm.expectRevert(BatchSettlement.DepositCollectionFailed.selector);
        ESCROW.deposit(config, 100, address(collector), "");
    }

    function test_a_token_that_says_no_is_refused() public {
        FalseToken odd = new FalseToken();
        PullingCollector collector = new PullingCollector();
        config.token = address(odd);
        vm.expectRevert(BatchSettlement.DepositCollectionFailed.selector);
        ESCROW.deposit(config, 100, address(collector), "");
    }

    function test_a_collector_cannot_call_back() public {
        deposit(config, 100, 1);
        ReentrantCollector collector = new ReentrantCollector();
        // without the guard the inner deposit would count for the outer one as well
        bytes memory inner = abi.encodeCall(ESCROW.deposit, (channel(2), 50, address(BY_AUTHORIZATION), authorization(channel(2), 50, 1)));
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        ESCROW.deposit(config, 50, address(collector), inner);
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        ESCROW.deposit(config, 50, address(collector), abi.encodeCall(ESCROW.settle, (receiver, address(dollar))));
    }

    function testFuzz_what_is_claimed_follows_the_voucher(uint128 deposited, uint128 most, uint128 total) public {
        deposited = uint128(bound(deposited, 1, MONEY));
        deposit(config, deposited, 1);
        VoucherClaim[] memory rows = one(claimOf(config, most, total));
        vm.prank(authorizer);
        (bool done,) = address(ESCROW).call(abi.encodeCall(ESCROW.claim, (rows)));
        (, uint128 claimed) = channelOf(config);
        assertEq(done, total == 0 || (total <= most && total <= deposited), "taken exactly when it may be");
        assertEq(claimed, done ? total : 0, "all or nothing");
    }

    function test_gas_of_fifty_claims() public {
        VoucherClaim[] memory rows = new VoucherClaim[](50);
        for (uint256 i = 0; i < rows.length; i++) {
            deposit(channel(i), 100, 1);
            claim(channel(i), 10, 10);
            rows[i] = claimOf(channel(i), 50, 50);
        }
        vm.prank(authorizer);
        ESCROW.claim(rows);
        vm.snapshotGasLastCall("BatchSettlement", "claim of 50 channels");
        ESCROW.settle(receiver, address(dollar));
        vm.snapshotGasLastCall("BatchSettlement", "settle");
    }
}
