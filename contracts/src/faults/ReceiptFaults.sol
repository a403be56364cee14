// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Parameters} from "../governance/Parameters.sol";
import {Page} from "../lib/Page.sol";
import {NodeRegistry} from "../registry/NodeRegistry.sol";
import {Receipt} from "../settlement/Receipt.sol";
import {ReceiptLog} from "../settlement/ReceiptLog.sol";
import {Staking} from "../staking/Staking.sol";

/// @title Faults that a node's own signatures show
/// @notice Equivocation: two signed receipts that contradict each other cost stake at once. Omission: whoever holds a signed receipt that is missing from its batch
/// challenges with a bond; the node shows the receipt in the batch and keeps the bond, or loses stake. Both cost a fraction of the operator's own stake, the bond at
/// least, never delegated stake, and pay the accuser half of it at most: accusing oneself loses.
/// @dev No administrator. A slasher of {Staking}. Session keys stay bound to their node for ever, so a rotation or an exit from the registry does not end liability;
/// the withdrawal of the stake does.
contract ReceiptFaults {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;
    using EnumerableSet for EnumerableSet.Bytes32Set;

    struct SignedReceipt {
        Receipt receipt;
        /// Of a session key, over {ReceiptLog.receiptDigest}; 65 bytes.
        bytes signature;
    }

    struct Challenge {
        address challenger;
        uint64 answerUntil;
        bool closed;
        address node;
        uint64 batch;
        uint128 bond;
        /// What the node loses when nobody answers; of its own stake, as far as that is there.
        uint128 penalty;
    }

    struct OpenChallenge {
        bytes32 receipt;
        Challenge challenge;
    }

    uint256 public constant WHOLE = 10_000;
    /// @notice Part of the operator's own stake that a fault costs, in basis points, or the bond when that is more.
    bytes32 public constant FAULT_PENALTY = "faultPenalty";
    /// @notice Seconds after a receipt's `issuedAt` until which its batch must be posted.
    bytes32 public constant POSTING_WINDOW = "postingWindow";
    /// @notice Seconds that a node has to answer a challenge.
    bytes32 public constant ANSWER_WINDOW = "answerWindow";
    /// @notice What a challenger deposits, in stake; what a wrong one pays the node for its answer. No fault costs less.
    bytes32 public constant CHALLENGE_BOND = "challengeBond";

    ReceiptLog public immutable LOG;
    NodeRegistry public immutable NODES;
    Staking public immutable STAKING;
    Parameters public immutable PARAMETERS;
    IERC20 public immutable TOKEN;

    /// @notice By the digest of the receipt that is said to be missing. One challenge a receipt, for ever.
    mapping(bytes32 receipt => Challenge) public challengeOf;
    mapping(address node => EnumerableSet.Bytes32Set receipts) private _open;

    event Equivocated(address indexed node, address indexed payer, uint64 sequence, bytes32 first, bytes32 second);
    event Challenged(bytes32 indexed receipt, address indexed node, uint64 batch, address indexed challenger, uint64 answerUntil);
    event Answered(bytes32 indexed receipt, address indexed node, uint256 bond);
    event Omitted(bytes32 indexed receipt, address indexed node, address indexed challenger);

    error NotSignedByNode(bytes32 receipt, address node);
    error NoContradiction(bytes32 first, bytes32 second);
    error NothingAtStake(address node, uint256 slashable, uint256 least);
    error NotYetDue(uint64 batch, uint256 dueAt);
    error AlreadyChallenged(bytes32 receipt);
    error NotChallenged(bytes32 receipt);
    error NotIncluded(bytes32 receipt);
    error TooLate(bytes32 receipt, uint64 answerUntil);
    error NotYetLost(bytes32 receipt, uint64 answerUntil);

    constructor(ReceiptLog log, Staking staking) {
        (LOG, NODES, STAKING) = (log, log.REGISTRY(), staking);
        (PARAMETERS, TOKEN) = (staking.PARAMETERS(), staking.TOKEN());
    }

    /// @notice Shows two receipts of one node for one payer of which only one can be honest: both with one sequence number, or the second right after the first and
    /// naming another receipt before it. Slashes at once, one time for one (node, payer, sequence); the caller gets the reward.
    function equivocation(SignedReceipt calldata first, SignedReceipt calldata second) external {
        (bytes32 a, bytes32 b) = (_requireSigned(first), _requireSigned(second));
        (Receipt calldata x, Receipt calldata y) = (first.receipt, second.receipt);
        bool sameChain = x.node == y.node && x.payer == y.payer;
        bool samePlace = x.sequence == y.sequence && a != b;
        bool broken = uint256(x.sequence) + 1 == y.sequence && y.previous != a;
        if (!sameChain || !(samePlace || broken)) revert NoContradiction(a, b);
        emit Equivocated(x.node, x.payer, x.sequence, a, b);
        _slash(equivocationOf(x.node, x.payer, x.sequence), x.node, _penalty(x.node), msg.sender);
    }

    /// @notice Says that a signed receipt is missing: from its batch, or because the batch was not posted within the window. Takes the bond from the caller.
    function challenge(SignedReceipt calldata signed) external {
        Receipt calldata r = signed.receipt;
        bytes32 receipt = _requireSigned(signed);
        if (challengeOf[receipt].challenger != address(0)) revert AlreadyChallenged(receipt);
        uint256 dueAt = uint256(r.issuedAt) + PARAMETERS.get(POSTING_WINDOW);
        // forge-lint: disable-next-line(block-timestamp)
        if (!LOG.isPosted(r.node, r.batch) && block.timestamp < dueAt) revert NotYetDue(r.batch, dueAt);
        uint64 answerUntil = (block.timestamp + PARAMETERS.get(ANSWER_WINDOW)).toUint64();
        uint128 bond = PARAMETERS.get(CHALLENGE_BOND).toUint128();
        challengeOf[receipt] = Challenge(msg.sender, answerUntil, false, r.node, r.batch, bond, _penalty(r.node).toUint128());
        // an answer or a punishment takes it out again
        _open[r.node].add(receipt);
        emit Challenged(receipt, r.node, r.batch, msg.sender, answerUntil);
        // nothing of it falls on delegators: an operator who challenges himself must not freeze them
        STAKING.openDispute(receipt, r.node, 0);
        TOKEN.safeTransferFrom(msg.sender, address(this), bond);
    }

    /// @notice Shows a challenged receipt in its batch. Anybody may; the node gets the bond.
    /// @param index Leaf of the receipt in its batch; `siblings` its proof, bottom up.
    function answer(bytes32 receipt, uint64 index, bytes32[] calldata siblings) external {
        Challenge storage c = _requireOpen(receipt);
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp > c.answerUntil) revert TooLate(receipt, c.answerUntil);
        if (!LOG.verifyInclusion(c.node, c.batch, receipt, index, siblings)) revert NotIncluded(receipt);
        _close(receipt, c);
        emit Answered(receipt, c.node, c.bond);
        STAKING.closeDispute(receipt);
        TOKEN.safeTransfer(c.node, c.bond);
    }

    /// @notice Slashes a node that left a challenge unanswered. Anybody may; the challenger gets his bond and the reward.
    function punish(bytes32 receipt) external {
        Challenge storage c = _requireOpen(receipt);
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp <= c.answerUntil) revert NotYetLost(receipt, c.answerUntil);
        _close(receipt, c);
        emit Omitted(receipt, c.node, c.challenger);
        _slash(receipt, c.node, c.penalty, c.challenger);
        TOKEN.safeTransfer(c.challenger, c.bond);
    }

    /// @notice What a node has to answer, in no order, at most 256 a page.
    function openChallengesOf(address node, uint256 offset, uint256 limit) external view returns (OpenChallenge[] memory page) {
        uint256 end = Page.end(_open[node].length(), offset, limit);
        page = new OpenChallenge[](end - offset);
        for (uint256 i = offset; i < end; i++) {
            bytes32 receipt = _open[node].at(i);
            page[i - offset] = OpenChallenge(receipt, challengeOf[receipt]);
        }
    }

    /// @notice What an equivocation is called in {Staking.wasSlashed}; an omission is called by its receipt.
    function equivocationOf(address node, address payer, uint64 sequence) public pure returns (bytes32) {
        return keccak256(abi.encode(node, payer, sequence));
    }

    function _close(bytes32 receipt, Challenge storage c) private {
        c.closed = true;
        _open[c.node].remove(receipt);
    }

    function _requireOpen(bytes32 receipt) private view returns (Challenge storage c) {
        c = challengeOf[receipt];
        if (c.challenger == address(0) || c.closed) revert NotChallenged(receipt);
    }

    /// @return digest The receipt's id, after its signature was found to be of a key that is or was the node's.
    function _requireSigned(SignedReceipt calldata signed) private view returns (bytes32 digest) {
        digest = LOG.receiptDigest(signed.receipt);
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signed.signature);
        address node = signed.receipt.node;
        if (failure != ECDSA.RecoverError.NoError || node == address(0) || NODES.nodeOfSessionKey(signer) != node) {
            revert NotSignedByNode(digest, node);
        }
    }

    /// @dev A part of the operator's own stake: delegators lose nothing by a fault of his keys. A fault is punished once, so none may be had for next to nothing:
    /// an operator would use up the names of his future faults while he has a few wei at stake.
    function _penalty(address node) private view returns (uint256 amount) {
        uint256 own = STAKING.ownStakeOf(node);
        uint256 least = PARAMETERS.get(CHALLENGE_BOND);
        // no slash takes more
        uint256 most = Math.min(own, Math.mulDiv(STAKING.stakeOf(node), PARAMETERS.get(STAKING.SLASH_FRACTION()), WHOLE));
        amount = Math.max(Math.mulDiv(own, PARAMETERS.get(FAULT_PENALTY), WHOLE), least);
        if (amount == 0 || most < least) revert NothingAtStake(node, most, least);
    }

    function _slash(bytes32 fault, address node, uint256 amount, address challenger) private {
        STAKING.slash(
            Staking.Slash({
                fault: fault,
                operator: node,
                receipt: 0,
                amount: Math.min(amount, STAKING.ownStakeOf(node)),
                challenger: challenger,
                reward: type(uint256).max,
                payer: address(0),
                refund: 0,
                paid: 0
            })
        );
    }
}
