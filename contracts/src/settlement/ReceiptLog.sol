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
    /// @notice SPEC section 20.1 says what a cut root is worth.
    struct Batch {
        /// First 22 bytes of the sealed Merkle root.
        bytes22 root;
        uint16 count;
        uint32 postedAt;
        /// Number of the block that holds the posting.
        uint32 postedBlock;
    }

    /// @dev MerkleTag.receipts
    bytes1 private constant RECEIPTS_TAG = 0x13;

    NodeRegistry public immutable REGISTRY;

    /// @dev A {Batch} in one word, in the order of its fields. Zero: not posted.
    mapping(address node => mapping(uint64 index => uint256 batch)) private _batches;

    /// @param root All of it.
    /// @param dataDigest SHA-256 of the batch's published data, as its poster says.
    event BatchPosted(address indexed node, uint64 indexed batchIndex, bytes32 root, uint16 count, bytes32 dataDigest);

    error NotNode(address node, address caller);
    error NotNextBatch(address node, uint64 expected, uint64 got);
    error EmptyBatch();
    error UnknownBatch(address node, uint64 batchIndex);

    constructor(NodeRegistry registry) EIP712("Commonweight", "1") {
        REGISTRY = registry;
    }

    /// @notice Posts a batch of `node`. The caller is that account itself, registered or not, or its current session key.
    /// @param batchIndex Must be nextBatch(node).
    /// @param root Sealed Merkle root over the EIP-712 digests of the receipts.
    /// @param count Leaves of the tree, at least one.
    function post(address node, uint64 batchIndex, bytes32 root, uint16 count, bytes32 dataDigest) external {
        if (msg.sender != node && msg.sender != REGISTRY.sessionKeyOf(node)) revert NotNode(node, msg.sender);
        if (count == 0) revert EmptyBatch();
        mapping(uint64 => uint256) storage batches = _batches[node];
        // the batch before it stands instead of a counter: a word that is read costs less than one that is written
        if (batches[batchIndex] != 0 || (batchIndex != 0 && batches[batchIndex - 1] == 0)) {
            revert NotNextBatch(node, nextBatch(node), batchIndex);
        }
        // packed by hand: a struct is written field by field
        // forge-lint: disable-next-line(unsafe-typecast)
        (uint256 cut, uint256 times) = (uint256(root) >> 80 << 80, uint256(uint32(block.timestamp)) << 32 | uint32(block.number));
        batches[batchIndex] = cut | uint256(count) << 64 | times;
        emit BatchPosted(node, batchIndex, root, count, dataDigest);
    }

    /// @notice Index of the batch that a node has to post next. Survives an exit and a new registration.
    /// @dev Batches have no gap, so it is searched: doubling, then halving.
    function nextBatch(address node) public view returns (uint64) {
        mapping(uint64 => uint256) storage batches = _batches[node];
        if (batches[0] == 0) return 0;
        (uint64 posted, uint64 open) = (0, 1);
        while (batches[open] != 0) (posted, open) = (open, 2 * open);
        while (open - posted > 1) {
            uint64 middle = posted + (open - posted) / 2;
            if (batches[middle] == 0) open = middle;
            else posted = middle;
        }
        return open;
    }

    /// @notice A posted batch; reverts with UnknownBatch.
    function batch(address node, uint64 batchIndex) public view returns (Batch memory posted) {
        uint256 word = _batches[node][batchIndex];
        if (word == 0) revert UnknownBatch(node, batchIndex);
        // each field is one part of the word
        // forge-lint: disable-next-line(unsafe-typecast)
        posted = Batch(bytes22(bytes32(word)), uint16(word >> 64), uint32(word >> 32), uint32(word));
    }

    /// @notice Whether a batch was posted.
    function isPosted(address node, uint64 batchIndex) external view returns (bool) {
        return _batches[node][batchIndex] != 0;
    }

    /// @notice Whether a receipt is leaf `index` of a posted batch. False for an unknown batch and any malformed proof.
    function verifyInclusion(address node, uint64 batchIndex, bytes32 digest, uint64 index, bytes32[] calldata siblings)
        external
        view
        returns (bool)
    {
        if (_batches[node][batchIndex] == 0) return false;
        Batch memory posted = batch(node, batchIndex);
        (bool wellFormed, bytes32 root) = SealedMerkle.rootOf(RECEIPTS_TAG, digest, index, posted.count, siblings);
        // forge-lint: disable-next-line(unsafe-typecast)
        return wellFormed && bytes22(root) == posted.root;
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
