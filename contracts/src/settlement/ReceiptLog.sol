// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SealedMerkle} from "../lib/SealedMerkle.sol";
import {NodeRegistry} from "../registry/NodeRegistry.sol";
import {RECEIPT_TYPEHASH, Receipt} from "./Receipt.sol";
import {REQUEST_TYPEHASH, Request} from "./Request.sol";

/// @title Roots of the receipts that nodes have signed
/// @notice Batches of a node are gapless and never change: whoever holds a signed receipt of batch n can tell whether the node left it out.
/// @dev No administrator. The verifying contract of the receipts' EIP-712 domain.
contract ReceiptLog is EIP712 {
    struct Batch {
        bytes32 root;
        /// SHA-256 of the batch's published data, as its poster says.
        bytes32 dataDigest;
        uint32 count;
        uint64 postedAt;
        /// Number of the block that holds the posting.
        uint64 postedBlock;
    }

    /// @dev MerkleTag.receipts
    bytes1 private constant RECEIPTS_TAG = 0x13;

    NodeRegistry public immutable REGISTRY;

    /// @notice Index of the batch that a node has to post next. Survives an exit and a new registration.
    mapping(address node => uint64 index) public nextBatch;
    mapping(address node => mapping(uint64 index => Batch batch)) private _batches;

    event BatchPosted(address indexed node, uint64 indexed batchIndex, bytes32 root, uint32 count, bytes32 dataDigest);

    error NotRegistered(address node);
    error NotNode(address node, address caller);
    error NotNextBatch(address node, uint64 expected, uint64 got);
    error EmptyBatch();
    error UnknownBatch(address node, uint64 batchIndex);

    constructor(NodeRegistry registry) EIP712("Commonweight", "1") {
        REGISTRY = registry;
    }

    /// @notice Posts a batch of `node`. The caller is its operator or its current session key.
    /// @param batchIndex Must be nextBatch(node).
    /// @param root Sealed Merkle root over the EIP-712 digests of the receipts.
    /// @param count Leaves of the tree, at least one.
    function post(address node, uint64 batchIndex, bytes32 root, uint32 count, bytes32 dataDigest) external {
        address sessionKey = REGISTRY.sessionKeyOf(node);
        if (sessionKey == address(0)) revert NotRegistered(node);
        if (msg.sender != node && msg.sender != sessionKey) revert NotNode(node, msg.sender);
        uint64 expected = nextBatch[node];
        if (batchIndex != expected) revert NotNextBatch(node, expected, batchIndex);
        if (count == 0) revert EmptyBatch();
        nextBatch[node] = expected + 1;
        _batches[node][batchIndex] =
            Batch({root: root, dataDigest: dataDigest, count: count, postedAt: uint64(block.timestamp), postedBlock: uint64(block.number)});
        emit BatchPosted(node, batchIndex, root, count, dataDigest);
    }

    /// @notice A posted batch; reverts with UnknownBatch.
    function batch(address node, uint64 batchIndex) external view returns (Batch memory) {
        if (batchIndex >= nextBatch[node]) revert UnknownBatch(node, batchIndex);
        return _batches[node][batchIndex];
    }

    /// @notice Whether a receipt is leaf `index` of a posted batch. False for an unknown batch and any malformed proof.
    function verifyInclusion(address node, uint64 batchIndex, bytes32 digest, uint64 index, bytes32[] calldata siblings)
        external
        view
        returns (bool)
    {
        Batch storage posted = _batches[node][batchIndex];
        return SealedMerkle.includes(RECEIPTS_TAG, digest, index, posted.count, siblings, posted.root);
    }

    /// @notice EIP-712 digest that a payer signs for a request.
    function requestDigest(Request calldata request) external view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(REQUEST_TYPEHASH, request)));
    }

    /// @notice EIP-712 digest of a receipt on this chain and contract: what the session key signs, the receipt's id and its leaf.
    function receiptDigest(Receipt calldata receipt) external view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(RECEIPT_TYPEHASH, receipt)));
    }
}
