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

    event ChannelCreated(bytes32 indexed channelId, ChannelConfig config);
    event ChannelClosed(bytes32 indexed channelId, ChannelConfig config);
    event Deposited(bytes32 indexed channelId, uint128 amount);
    event Claimed(bytes32 indexed channelId, uint128 totalClaimed);
    event Settled(address indexed receiver, address indexed token, address indexed sender, uint128 amount);
    event WithdrawInitiated(bytes32 indexed channelId, uint128 amount, uint40 finalizableFrom);
    event WithdrawFinalized(bytes32 indexed channelId, uint128 amount);
    event Refunded(bytes32 indexed channelId, uint128 amount);

    error ZeroAddress();
    error WithdrawDelayOutOfRange(uint40 withdrawDelay);
    error ZeroAmount();
    error DepositNotReceived(uint256 expected, uint256 received);
    error NotTheReceiver(address caller);
    error NotThePayer(address caller);
    error NoClaims();
    error MixedAuthorizers(address expected, address found);
    error InvalidAuthorizerSignature(address authorizer);
    error InvalidVoucherSignature(bytes32 channelId);
    error ClaimExceedsVoucher(bytes32 channelId, uint128 totalClaimed, uint128 maxClaimableAmount);
    error ClaimExceedsBalance(bytes32 channelId, uint128 totalClaimed, uint128 balance);
    error WithdrawExceedsBalance(uint128 amount, uint128 available);
    error WithdrawAlreadyPending(bytes32 channelId);
    error NoWithdrawPending(bytes32 channelId);
    error WithdrawTooEarly(uint256 finalizableFrom);
    error WrongRefundNonce(uint256 expected, uint256 got);

    /// @notice Puts money into a channel; the first deposit makes it. Anybody may send it: `collector` brings the tokens, with the payer's signature in `collectorData`.
    function deposit(ChannelConfig calldata config, uint128 amount, address collector, bytes calldata collectorData) external nonReentrant {
        _requireUsable(config);
        if (amount == 0) revert ZeroAmount();
        bytes32 channelId = _channelId(_domain(), config);
        IERC20 token = IERC20(config.token);
        uint256 before = token.balanceOf(address(this));
        IDepositCollector(collector).collect(config, channelId, amount, collectorData);
        uint256 received = token.balanceOf(address(this)) - before;
        // a token that keeps a part of every transfer would leave the escrow short
        if (received != amount) revert DepositNotReceived(amount, received);
        Channel storage channel = channels[channelId];
        if (channel.balance == 0 && channel.totalClaimed == 0) emit ChannelCreated(channelId, config);
        channel.balance += amount;
        emit Deposited(channelId, amount);
    }

    /// @notice Claims by the receiver's own transaction. No tokens move: see {settle}.
    function claim(VoucherClaim[] calldata voucherClaims) external nonReentrant {
        for (uint256 i = 0; i < voucherClaims.length; i++) {
            _requireReceiver(voucherClaims[i].voucher.channel);
        }
        _claim(voucherClaims);
    }

    /// @notice Claims that anybody sends, for all rows signed by their one receiver authorizer.
    function claimWithSignature(VoucherClaim[] calldata voucherClaims, bytes calldata authorizerSignature) external nonReentrant {
        if (voucherClaims.length == 0) revert NoClaims();
        address authorizer = voucherClaims[0].voucher.channel.receiverAuthorizer;
        for (uint256 i = 1; i < voucherClaims.length; i++) {
            address found = voucherClaims[i].voucher.channel.receiverAuthorizer;
            if (found != authorizer) revert MixedAuthorizers(authorizer, found);
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
        _requirePayer(config);
        if (amount == 0) revert ZeroAmount();
        bytes32 channelId = _channelId(_domain(), config);
        uint128 available = _unclaimed(channels[channelId]);
        if (amount > available) revert WithdrawExceedsBalance(amount, available);
        if (pendingWithdrawals[channelId].initiatedAt != 0) revert WithdrawAlreadyPending(channelId);
        pendingWithdrawals[channelId] = Withdrawal(amount, uint40(block.timestamp));
        emit WithdrawInitiated(channelId, amount, uint40(block.timestamp) + config.withdrawDelay);
    }

    /// @notice Ends a withdrawal: pays what was asked for, or what claims left of it.
    function finalizeWithdraw(ChannelConfig calldata config) external nonReentrant {
        _requirePayer(config);
        bytes32 channelId = _channelId(_domain(), config);
        Withdrawal memory pending = pendingWithdrawals[channelId];
        if (pending.initiatedAt == 0) revert NoWithdrawPending(channelId);
        uint256 finalizableFrom = uint256(pending.initiatedAt) + config.withdrawDelay;
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < finalizableFrom) revert WithdrawTooEarly(finalizableFrom);
        delete pendingWithdrawals[channelId];
        uint128 amount = _least(pending.amount, _unclaimed(channels[channelId]));
        emit WithdrawFinalized(channelId, amount);
        _payBack(config, channelId, amount);
    }

    /// @notice The receiver gives unclaimed money back at once, `amount` or as much as there is.
    function refund(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        _requireReceiver(config);
        _refund(config, _channelId(_domain(), config), amount);
    }

    /// @notice The same, sent by anybody with the receiver authorizer's signature.
    function refundWithSignature(ChannelConfig calldata config, uint128 amount, uint256 nonce, bytes calldata receiverAuthorizerSignature)
        external
        nonReentrant
    {
        bytes32 channelId = _channelId(_domain(), config);
        if (nonce != refundNonce[channelId]) revert WrongRefundNonce(refundNonce[channelId], nonce);
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
        if (totalClaimed > most) revert ClaimExceedsVoucher(channelId, totalClaimed, most);
        Channel storage channel = channels[channelId];
        (uint128 balance, uint128 claimedBefore) = (channel.balance, channel.totalClaimed);
        if (totalClaimed <= claimedBefore) return;
        if (totalClaimed > balance) revert ClaimExceedsBalance(channelId, totalClaimed, balance);
        _requireVoucher(config, channelId, _voucherDigest(domain, channelId, most), row.signature);
        channel.totalClaimed = totalClaimed;
        receivers[config.receiver][config.token].totalClaimed += totalClaimed - claimedBefore;
        emit Claimed(channelId, totalClaimed);
    }

    /// @dev The nonce is spent even when nothing is left to refund: a signature works once.
    function _refund(ChannelConfig calldata config, bytes32 channelId, uint128 asked) private {
        refundNonce[channelId]++;
        uint128 amount = _least(asked, _unclaimed(channels[channelId]));
        if (amount == 0) return;
        Withdrawal storage pending = pendingWithdrawals[channelId];
        if (amount >= pending.amount) delete pendingWithdrawals[channelId];
        else pending.amount -= amount;
        emit Refunded(channelId, amount);
        _payBack(config, channelId, amount);
    }

    function _payBack(ChannelConfig calldata config, bytes32 channelId, uint128 amount) private {
        Channel storage channel = channels[channelId];
        channel.balance -= amount;
        if (channel.balance == 0 && amount > 0) emit ChannelClosed(channelId, config);
        if (amount > 0) IERC20(config.token).safeTransfer(config.payer, amount);
    }

    /// @dev A payer authorizer is a plain key; without one the payer may be a contract (ERC-1271).
    function _requireVoucher(ChannelConfig calldata config, bytes32 channelId, bytes32 digest, bytes calldata signature) private view {
        bool signed;
        if (config.payerAuthorizer == address(0)) {
            signed = SignatureChecker.isValidSignatureNowCalldata(config.payer, digest, signature);
        } else {
            (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
            signed = problem == ECDSA.RecoverError.NoError && signer == config.payerAuthorizer;
        }
        if (!signed) revert InvalidVoucherSignature(channelId);
    }

    function _requireAuthorized(address authorizer, bytes32 digest, bytes calldata signature) private view {
        if (!SignatureChecker.isValidSignatureNowCalldata(authorizer, digest, signature)) revert InvalidAuthorizerSignature(authorizer);
    }

    function _requireUsable(ChannelConfig calldata config) private pure {
        bool complete = config.payer != address(0) && config.receiver != address(0) && config.receiverAuthorizer != address(0);
        if (!complete || config.token == address(0)) revert ZeroAddress();
        if (config.withdrawDelay < MIN_WITHDRAW_DELAY || config.withdrawDelay > MAX_WITHDRAW_DELAY) {
            revert WithdrawDelayOutOfRange(config.withdrawDelay);
        }
    }

    function _requireReceiver(ChannelConfig calldata config) private view {
        if (msg.sender != config.receiver && msg.sender != config.receiverAuthorizer) revert NotTheReceiver(msg.sender);
    }

    function _requirePayer(ChannelConfig calldata config) private view {
        if (msg.sender != config.payer && msg.sender != config.payerAuthorizer) revert NotThePayer(msg.sender);
    }

    function _unclaimed(Channel storage channel) private view returns (uint128) {
        return channel.balance - channel.totalClaimed;
    }

    function _least(uint128 a, uint128 b) private pure returns (uint128) {
        return a < b ? a : b;
    }
}
