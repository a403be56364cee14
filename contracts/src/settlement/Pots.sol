// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Parameters} from "../governance/Parameters.sol";
import {NodeRegistry} from "../registry/NodeRegistry.sol";
import {IERC3009} from "./IERC3009.sol";

/// @title Whose money lies in a splitter, and which receipts may take it
/// @notice Money is kept in pots, one for each payer and channel. A receipt takes from the pot of its own payer and channel; what none has taken within the window goes back
/// to the pot's refund address, whoever calls. Money that arrives in no pot (a plain transfer) is taken by what receipts cover beyond their pots, and by nothing else.
/// Receipts cover money that is here, never what may still come: stake was locked for all that is released, after it came.
abstract contract Pots is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    struct Pot {
        uint256 amount;
        address refundTo;
        uint64 refundableFrom;
    }

    /// @notice A signed EIP-3009 transfer to this contract.
    struct Authorization {
        address from;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
        bytes signature;
    }

    bytes32 public constant REFUND_WINDOW = "refundWindow";
    uint256 private constant ECDSA_LENGTH = 65;

    address public immutable SETTLEMENT;
    Parameters public immutable PARAMETERS;
    NodeRegistry public immutable NODES;

    /// @notice What was paid here on a payer's account and channel, and no receipt has taken yet.
    mapping(IERC20 asset => mapping(address payer => mapping(bytes32 channel => Pot))) public potOf;
    /// @notice Sum of the pots.
    mapping(IERC20 asset => uint256) public pots;
    /// @notice Taken out of pots by receipts, not yet released.
    mapping(IERC20 asset => uint256) public earned;
    /// @notice Covered by receipts beyond their pots, not yet released: never more than lies here in no pot.
    mapping(IERC20 asset => uint256) public openCover;
    /// @notice What a payer's receipts of a channel took of the money in no pot. He pays it back with what he pays later: that goes into no pot either.
    mapping(IERC20 asset => mapping(address payer => mapping(bytes32 channel => uint256))) public openOf;

    event Paid(
        IERC20 indexed asset, address indexed payer, bytes32 indexed channel, uint256 amount, address refundTo, uint64 refundableFrom
    );
    event PaidLate(IERC20 indexed asset, address indexed payer, bytes32 indexed channel, uint256 amount);
    event Covered(IERC20 indexed asset, address indexed payer, bytes32 indexed channel, uint256 fromPot, uint256 open);
    event Refunded(IERC20 indexed asset, address indexed payer, bytes32 indexed channel, uint256 amount, address refundTo);

    error OnlySettlement(address caller);
    error OnlyNode(address caller);
    error NothingToPay();
    error NotPaid(uint256 available, uint256 wanted);
    error NotYetRefundable(uint64 refundableFrom);
    error AnotherRefundAddress(address refundTo);

    constructor(address settlement, Parameters parameters, NodeRegistry nodes) {
        (SETTLEMENT, PARAMETERS, NODES) = (settlement, parameters, nodes);
    }

    /// @notice Node and model of this splitter.
    function subject() public view virtual returns (address node, bytes32 modelId);

    /// @notice Pays into the caller's own pot of a channel; he is its refund address.
    function pay(IERC20 asset, uint256 amount, bytes32 channel) external nonReentrant {
        uint256 before = asset.balanceOf(address(this));
        asset.safeTransferFrom(msg.sender, address(this), amount);
        _fill(asset, msg.sender, channel, before, msg.sender);
    }

    /// @notice Takes a payment that its sender signed. The channel is keccak256(abi.encode(from, asset, nonce)), the refund address `from`.
    /// @param payer Whose receipts take from it: the signer of the request, who need not be the sender of the money. Said by the node, so only its operator or session key may call.
    function payWithAuthorization(IERC20 asset, Authorization calldata a, address payer) external nonReentrant {
        (address node,) = subject();
        if (msg.sender != node && msg.sender != NODES.sessionKeyOf(node)) revert OnlyNode(msg.sender);
        uint256 before = asset.balanceOf(address(this));
        _transferSigned(IERC3009(address(asset)), a);
        _fill(asset, payer, keccak256(abi.encode(a.from, asset, a.nonce)), before, a.from);
    }

    /// @notice Gives a pot back to its refund address, after the window. Anybody may call it.
    function reclaim(IERC20 asset, address payer, bytes32 channel) external nonReentrant returns (uint256 amount) {
        Pot memory pot = potOf[asset][payer][channel];
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < pot.refundableFrom) revert NotYetRefundable(pot.refundableFrom);
        amount = pot.amount;
        if (amount == 0) revert NothingToPay();
        delete potOf[asset][payer][channel];
        pots[asset] -= amount;
        emit Refunded(asset, payer, channel, amount, pot.refundTo);
        asset.safeTransfer(pot.refundTo, amount);
    }

    /// @notice A receipt over `amount` of this payer and channel was shown. Refused as a whole when the money is not there: it can be shown again when it is.
    function cover(IERC20 asset, address payer, bytes32 channel, uint256 amount) external {
        if (msg.sender != SETTLEMENT) revert OnlySettlement(msg.sender);
        Pot storage pot = potOf[asset][payer][channel];
        uint256 fromPot = Math.min(amount, pot.amount);
        if (fromPot != 0) {
            pot.amount -= fromPot;
            pots[asset] -= fromPot;
            earned[asset] += fromPot;
        }
        uint256 rest = amount - fromPot;
        if (rest != 0) {
            (uint256 available, uint256 taken) = (_open(asset), openCover[asset] + rest);
            if (taken > available) revert NotPaid(available, taken);
            openCover[asset] = taken;
            openOf[asset][payer][channel] += rest;
        }
        emit Covered(asset, payer, channel, fromPot, rest);
    }

    /// @notice What is released now at most: what receipts took from pots, and what they cover of the rest.
    function releasable(IERC20 asset) public view returns (uint256) {
        return earned[asset] + Math.min(openCover[asset], _open(asset));
    }

    /// @dev Takes everything that is releasable out of the books.
    function _take(IERC20 asset) internal returns (uint256 amount) {
        uint256 open = Math.min(openCover[asset], _open(asset));
        amount = earned[asset] + open;
        if (amount == 0) revert NothingToPay();
        earned[asset] = 0;
        openCover[asset] -= open;
    }

    /// @dev What lies here in no pot.
    function _open(IERC20 asset) private view returns (uint256) {
        return asset.balanceOf(address(this)) - pots[asset] - earned[asset];
    }

    /// @dev Books what has arrived since the balance was `before`: an asset that keeps a fee counts for what came.
    function _fill(IERC20 asset, address payer, bytes32 channel, uint256 before, address refundTo) private {
        uint256 received = asset.balanceOf(address(this)) - before;
        if (received == 0) revert NothingToPay();
        Pot storage pot = potOf[asset][payer][channel];
        // a pot that goes back to somebody else must not be kept from him, nor be taken over
        if (pot.amount != 0 && pot.refundTo != refundTo) revert AnotherRefundAddress(pot.refundTo);
        uint256 late = Math.min(received, openOf[asset][payer][channel]);
        if (late != 0) {
            openOf[asset][payer][channel] -= late;
            emit PaidLate(asset, payer, channel, late);
        }
        uint256 rest = received - late;
        if (rest == 0) return;
        uint64 refundableFrom = uint64(block.timestamp + PARAMETERS.get(REFUND_WINDOW));
        pot.amount += rest;
        (pot.refundTo, pot.refundableFrom) = (refundTo, refundableFrom);
        pots[asset] += rest;
        emit Paid(asset, payer, channel, rest, refundTo, refundableFrom);
    }

    /// @dev Tokens from before contract accounts (ERC-1271) know signatures as v, r, s only.
    function _transferSigned(IERC3009 asset, Authorization calldata a) private {
        if (a.signature.length != ECDSA_LENGTH) {
            asset.transferWithAuthorization(a.from, address(this), a.value, a.validAfter, a.validBefore, a.nonce, a.signature);
            return;
        }
        (bytes32 r, bytes32 s) = abi.decode(a.signature, (bytes32, bytes32));
        asset.transferWithAuthorization(a.from, address(this), a.value, a.validAfter, a.validBefore, a.nonce, uint8(a.signature[64]), r, s);
    }
}
