// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Parameters} from "../governance/Parameters.sol";
import {Staking} from "../staking/Staking.sol";
import {Receipt} from "./Receipt.sol";
import {ReceiptLog} from "./ReceiptLog.sol";
import {Request} from "./Request.sol";
import {RevenueSplitter} from "./RevenueSplitter.sol";

/// @title From posted receipts to money that may be released
/// @notice A receipt names the cumulative amount of its account: one proof of the latest receipt covers everything before it, and locks stake of the node in proportion.
/// @dev Also the factory of the splitters. No administrator.
contract Settlement {
    ReceiptLog public immutable LOG;
    Staking public immutable STAKING;
    Parameters public immutable PARAMETERS;
    /// @notice What every splitter is a clone of.
    address public immutable SPLITTER;

    bytes32 public constant DISPUTE_WINDOW = "disputeWindow";

    /// @notice Covered so far, by account: keccak256(abi.encode(node, payer, model, asset, channel)).
    mapping(bytes32 account => uint256 amount) public coveredOf;

    event SplitterCreated(address indexed node, bytes32 indexed modelId, address splitter);
    event ReceiptCovered(bytes32 indexed receipt, address indexed node, address indexed payer, address splitter, uint256 amount);

    error NotPosted(bytes32 receipt);
    error NotSignedByPayer(bytes32 requestHash, address payer);
    error AboveLimit(uint256 cumulativeAmount, uint256 cumulativeLimit);
    error NothingNew(uint256 cumulativeAmount, uint256 covered);
    error AssetNotAccepted(address asset);

    constructor(ReceiptLog log, Staking staking, RevenueSplitter.Environment memory environment) {
        (LOG, STAKING, PARAMETERS) = (log, staking, environment.parameters);
        SPLITTER = address(new RevenueSplitter(environment, log.REGISTRY()));
    }

    /// @notice Address of the splitter of a node and a model, whether it exists or not.
    function splitterOf(address node, bytes32 modelId) public view returns (address) {
        return Clones.predictDeterministicAddressWithImmutableArgs(SPLITTER, abi.encode(node, modelId), 0);
    }

    /// @notice Creates the splitter unless it exists. Anybody may call it.
    function createSplitter(address node, bytes32 modelId) public returns (address splitter) {
        splitter = splitterOf(node, modelId);
        if (splitter.code.length != 0) return splitter;
        Clones.cloneDeterministicWithImmutableArgs(SPLITTER, abi.encode(node, modelId), 0);
        emit SplitterCreated(node, modelId, splitter);
    }

    /// @notice Shows that a receipt was posted and that its payer asked for it; what is new in its account becomes releasable, and stake is locked for it.
    /// @param cumulativeLimit Of the request: the receipt's cumulative amount is at most that.
    /// @param requestSignature The payer's over the EIP-712 digest of the request (ERC-1271 for contracts). Node, model, asset and channel of the receipt are those that he signed.
    /// @param index Leaf of the receipt in its batch; `siblings` its proof, bottom up.
    function cover(
        Receipt calldata receipt,
        uint256 cumulativeLimit,
        bytes calldata requestSignature,
        uint64 index,
        bytes32[] calldata siblings
    ) external returns (uint256 amount) {
        bytes32 digest = LOG.receiptDigest(receipt);
        if (!LOG.verifyInclusion(receipt.node, receipt.batch, digest, index, siblings)) revert NotPosted(digest);
        if (receipt.cumulativeAmount > cumulativeLimit) revert AboveLimit(receipt.cumulativeAmount, cumulativeLimit);
        _requireSigned(receipt, cumulativeLimit, requestSignature);
        bytes32 account = keccak256(abi.encode(receipt.node, receipt.payer, receipt.modelId, receipt.asset, receipt.channel));
        uint256 covered = coveredOf[account];
        if (receipt.cumulativeAmount <= covered) revert NothingNew(receipt.cumulativeAmount, covered);
        amount = receipt.cumulativeAmount - covered;
        coveredOf[account] = receipt.cumulativeAmount;
        address splitter = createSplitter(receipt.node, receipt.modelId);
        emit ReceiptCovered(digest, receipt.node, receipt.payer, splitter, amount);
        _lock(receipt, digest, amount);
        RevenueSplitter(splitter).cover(IERC20(receipt.asset), receipt.payer, receipt.channel, amount);
    }

    function _requireSigned(Receipt calldata r, uint256 cumulativeLimit, bytes calldata signature) private view {
        bytes32 digest = LOG.requestDigest(Request(r.requestHash, r.payer, r.node, r.modelId, r.asset, r.channel, cumulativeLimit));
        if (!SignatureChecker.isValidSignatureNow(r.payer, digest, signature)) revert NotSignedByPayer(r.requestHash, r.payer);
    }

    function _lock(Receipt calldata receipt, bytes32 digest, uint256 amount) private {
        uint256 ratio = PARAMETERS.stakeRatio(receipt.asset);
        if (ratio == 0) revert AssetNotAccepted(receipt.asset);
        uint256 locked = Math.mulDiv(amount, ratio, 1e18, Math.Rounding.Ceil);
        STAKING.reserve(receipt.node, digest, locked, uint64(block.timestamp + PARAMETERS.get(DISPUTE_WINDOW)));
    }
}
