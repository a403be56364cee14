// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ChannelDigests} from "./ChannelDigests.sol";
import {ChannelConfig, IDepositCollector, VoucherClaim} from "./Channels.sol";

/// @title Escrow of the x402 scheme `batch-settlement`: channels with cumulative vouchers
/// @notice A payer puts money into a channel once and signs a voucher for every request: "you may claim up to so much in all". The receiver claims the highest voucher of
/// many channels in one transaction, and collects the sum in another. What is not claimed goes back to the payer, at once with the receiver's consent, after a delay without.
/// @dev Our own implementation of the published interface, for development chains, where it stands at the canonical address. On real networks the canonical contract is used.
/// No constructor and no immutables: the code works wherever it is put.
contract BatchSettlement is ChannelDigests, ReentrancyGuardTransient, Multicall {
    using SafeERC20 for IERC20;

    struct Channel {
        // all deposits, less withdrawals and refunds
        uint128 balance;
        // of it the receiver's; only grows
        uint128 totalClaimed;
    }

    struct Receiver {
        uint128 totalClaimed;
        uint128 totalSettled;
    }

    struct Withdrawal {
        uint128 amount;
        uint40 initiatedAt;
    }

    uint40 public constant MIN_WITHDRAW_DELAY = 15 minutes;
    uint40 public constant MAX_WITHDRAW_DELAY = 30 days;

    mapping(bytes32 channelId => Channel) public channels;
    mapping(bytes32 channelId => Withdrawal) public pendingWithdrawals;
    mapping(bytes32 channelId => uint256) public refundNonce;
    mapping(address receiver => mapping(address token => Receiver)) public receivers;

    // events and errors as the published interface has them: who reads logs or reasons finds the same on every chain
    event ChannelCreated(bytes32 indexed channelId, ChannelConfig config);
    event ChannelClosed(bytes32 indexed channelId, ChannelConfig config);
    event Deposited(bytes32 indexed channelId, address indexed sender, uint128 amount, uint128 newBalance);
    event Claimed(bytes32 indexed channelId, address indexed sender, uint128 claimAmount, uint128 newTotalClaimed);
    event Settled(address indexed receiver, address indexed token, address indexed sender, uint128 amount);
    event Refunded(bytes32 indexed channelId, address indexed sender, uint128 amount);
    event WithdrawInitiated(bytes32 indexed channelId, uint128 amount, uint40 finalizeAfter);
    event WithdrawFinalized(bytes32 indexed channelId, address indexed sender, uint128 amount);

    error InvalidChannel();
    error WithdrawDelayOutOfRange();
    error ZeroDeposit();
    error DepositCollectionFailed();
    error EmptyBatch();
    error NotAuthorizedToClaim();
    error NotReceiverAuthorizer();
    error InvalidSignature();
    error ClaimExceedsCeiling();
    error ClaimExceedsBalance();
    error NothingToWithdraw();
    error WithdrawAmountExceedsAvailable();
    error WithdrawalAlreadyPending();
    error WithdrawalNotPending();
    error WithdrawDelayNotElapsed();
    error NotAuthorizedToFinalizeWithdraw();
    error NotAuthorizedToRefund();
    error InvalidRefundNonce();
    error ZeroRefund();

    /// @notice Puts money into a channel; the first deposit makes it. Anybody may send it: `collector` brings the tokens, with the payer's signature in `collectorData`.
    function deposit(ChannelConfig calldata config, uint128 amount, address collector, bytes calldata collectorData) external nonReentrant {
        _requireUsable(config);
        if (amount == 0) revert ZeroDeposit();
        bytes32 channelId = _channelId(_domain(), config);
        IERC20 token = IERC20(config.token);
        uint256 before = token.balanceOf(address(this));
        IDepositCollector(collector).collect(config.payer, config.token, amount, channelId, collectorData);
        // a token that keeps a part of every transfer would leave the escrow short
        if (token.balanceOf(address(this)) != before + amount) revert DepositCollectionFailed();
        Channel storage channel = channels[channelId];
        if (channel.balance == 0 && channel.totalClaimed == 0) emit ChannelCreated(channelId, config);
        channel.balance += amount;
        emit Deposited(channelId, msg.sender, amount, channel.balance);
    }

    /// @notice Claims by the receiver's own transaction. No tokens move: see {settle}.
    function claim(VoucherClaim[] calldata voucherClaims) external nonReentrant {
        if (voucherClaims.length == 0) revert EmptyBatch();
        for (uint256 i = 0; i < voucherClaims.length; i++) {
            if (!_isReceiverSide(voucherClaims[i].voucher.channel)) revert NotAuthorizedToClaim();
        }
        _claim(voucherClaims);
    }

    /// @notice Claims that anybody sends, for all rows signed by their one receiver authorizer.
    function claimWithSignature(VoucherClaim[] calldata voucherClaims, bytes calldata authorizerSignature) external nonReentrant {
        if (voucherClaims.length == 0) revert EmptyBatch();
        address authorizer = voucherClaims[0].voucher.channel.receiverAuthorizer;
        for (uint256 i = 1; i < voucherClaims.length; i++) {
            if (voucherClaims[i].voucher.channel.receiverAuthorizer != authorizer) revert NotReceiverAuthorizer();
        }
        _requireAuthorized(authorizer, _claimBatchDigest(voucherClaims), authorizerSignature);
        _claim(voucherClaims);
    }

    /// @notice Pays everything that was claimed for `receiver` and not yet paid. Anybody may call it; nothing to pay is no error.
    function settle(address receiver, address token) external nonReentrant {
        Receiver storage account = receivers[receiver][token];
        uint128 amount = account.totalClaimed - account.totalSettled;
        if (amount == 0) return;
        account.totalSettled = account.totalClaimed;
        emit Settled(receiver, token, msg.sender, amount);
        IERC20(token).safeTransfer(receiver, amount);
    }

    /// @notice Starts the payer's way out that needs no consent. Until the delay has passed the receiver can claim what it holds vouchers for.
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        if (!_isPayerSide(config)) revert InvalidChannel();
        if (amount == 0) revert NothingToWithdraw();
        bytes32 channelId = _channelId(_domain(), config);
        if (pendingWithdrawals[channelId].initiatedAt != 0) revert WithdrawalAlreadyPending();
        if (amount > _unclaimed(channels[channelId])) revert WithdrawAmountExceedsAvailable();
        pendingWithdrawals[channelId] = Withdrawal(amount, uint40(block.timestamp));
        emit WithdrawInitiated(channelId, amount, uint40(block.timestamp) + config.withdrawDelay);
    }

    /// @notice Ends a withdrawal: pays what was asked for, or what claims left of it.
    function finalizeWithdraw(ChannelConfig calldata config) external nonReentrant {
        if (!_isPayerSide(config)) revert NotAuthorizedToFinalizeWithdraw();
        bytes32 channelId = _channelId(_domain(), config);
        Withdrawal memory pending = pendingWithdrawals[channelId];
        if (pending.initiatedAt == 0) revert WithdrawalNotPending();
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < uint256(pending.initiatedAt) + config.withdrawDelay) revert WithdrawDelayNotElapsed();
        delete pendingWithdrawals[channelId];
        uint128 amount = _least(pending.amount, _unclaimed(channels[channelId]));
        emit WithdrawFinalized(channelId, msg.sender, amount);
        _payBack(config, channelId, amount);
    }

    /// @notice The receiver gives unclaimed money back at once, `amount` or as much as there is.
    function refund(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        if (!_isReceiverSide(config)) revert NotAuthorizedToRefund();
        _refund(config, _channelId(_domain(), config), amount);
    }

    /// @notice The same, sent by anybody with the receiver authorizer's signature.
    function refundWithSignature(ChannelConfig calldata config, uint128 amount, uint256 nonce, bytes calldata receiverAuthorizerSignature)
        external
        nonReentrant
    {
        bytes32 channelId = _channelId(_domain(), config);
        if (nonce != refundNonce[channelId]) revert InvalidRefundNonce();
        _requireAuthorized(config.receiverAuthorizer, _refundDigest(channelId, nonce, amount), receiverAuthorizerSignature);
        _refund(config, channelId, amount);
    }

    function _claim(VoucherClaim[] calldata voucherClaims) private {
        bytes32 domain = _domain();
        for (uint256 i = 0; i < voucherClaims.length; i++) {
            _claimOne(domain, voucherClaims[i]);
        }
    }

    /// @dev A row that claims no more than is claimed already changes nothing: two claims that cross each other must not fail.
    function _claimOne(bytes32 domain, VoucherClaim calldata row) private {
        ChannelConfig calldata config = row.voucher.channel;
        (uint128 totalClaimed, uint128 most) = (row.totalClaimed, row.voucher.maxClaimableAmount);
        bytes32 channelId = _channelId(domain, config);
        Channel storage channel = channels[channelId];
        (uint128 balance, uint128 claimedBefore) = (channel.balance, channel.totalClaimed);
        if (totalClaimed <= claimedBefore) return;
        if (totalClaimed > most) revert ClaimExceedsCeiling();
        if (totalClaimed > balance) revert ClaimExceedsBalance();
        _requireVoucher(config, _voucherDigest(domain, channelId, most), row.signature);
        channel.totalClaimed = totalClaimed;
        receivers[config.receiver][config.token].totalClaimed += totalClaimed - claimedBefore;
        emit Claimed(channelId, msg.sender, totalClaimed - claimedBefore, totalClaimed);
    }

    /// @dev The nonce is spent even when nothing is left to refund: a signature works once.
    function _refund(ChannelConfig calldata config, bytes32 channelId, uint128 asked) private {
        if (asked == 0) revert ZeroRefund();
        refundNonce[channelId]++;
        uint128 amount = _least(asked, _unclaimed(channels[channelId]));
        if (amount == 0) return;
        Withdrawal storage pending = pendingWithdrawals[channelId];
        if (amount >= pending.amount) delete pendingWithdrawals[channelId];
        else pending.amount -= amount;
        emit Refunded(channelId, msg.sender, amount);
        _payBack(config, channelId, amount);
    }

    function _payBack(ChannelConfig calldata config, bytes32 channelId, uint128 amount) private {
        Channel storage channel = channels[channelId];
        channel.balance -= amount;
        if (channel.balance == 0 && amount > 0) emit ChannelClosed(channelId, config);
        if (amount > 0) IERC20(config.token).safeTransfer(config.payer, amount);
    }

    /// @dev A payer authorizer is a plain key; without one the payer may be a contract (ERC-1271).
    function _requireVoucher(ChannelConfig calldata config, bytes32 digest, bytes calldata signature) private view {
        bool signed;
        if (config.payerAuthorizer == address(0)) {
            signed = SignatureChecker.isValidSignatureNowCalldata(config.payer, digest, signature);
        } else {
            (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
            signed = problem == ECDSA.RecoverError.NoError && signer == config.payerAuthorizer;
        }
        if (!signed) revert InvalidSignature();
    }

    function _requireAuthorized(address authorizer, bytes32 digest, bytes calldata signature) private view {
        if (!SignatureChecker.isValidSignatureNowCalldata(authorizer, digest, signature)) revert InvalidSignature();
    }

    function _requireUsable(ChannelConfig calldata config) private pure {
        bool complete = config.payer != address(0) && config.receiver != address(0) && config.receiverAuthorizer != address(0);
        if (!complete || config.token == address(0)) revert InvalidChannel();
        if (config.withdrawDelay < MIN_WITHDRAW_DELAY || config.withdrawDelay > MAX_WITHDRAW_DELAY) {
            revert WithdrawDelayOutOfRange();
        }
    }

    function _isReceiverSide(ChannelConfig calldata config) private view returns (bool) {
        return msg.sender == config.receiver || msg.sender == config.receiverAuthorizer;
    }

    function _isPayerSide(ChannelConfig calldata config) private view returns (bool) {
        return msg.sender == config.payer || msg.sender == config.payerAuthorizer;
    }

    function _unclaimed(Channel storage channel) private view returns (uint128) {
        return channel.balance - channel.totalClaimed;
    }

    function _least(uint128 a, uint128 b) private pure returns (uint128) {
        return a < b ? a : b;
    }
}
