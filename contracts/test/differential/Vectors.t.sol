// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ManifestHead} from "../../src/lib/ManifestHead.sol";
import {SealedMerkle} from "../../src/lib/SealedMerkle.sol";
import {NodeRegistry} from "../../src/registry/NodeRegistry.sol";
import {Receipt} from "../../src/settlement/Receipt.sol";
import {ReceiptLog} from "../../src/settlement/ReceiptLog.sol";
import {Request} from "../../src/settlement/Request.sol";
import {ReferenceTree} from "../utils/ReferenceTree.sol";
import {Test} from "../utils/Test.sol";

/// @title Vectors that TypeScript wrote (packages/chain/scripts/vectors.mjs) give the same values here
contract VectorsTest is Test {
    function includes(bytes1 tag, bytes32 data, uint64 index, uint64 count, bytes32[] calldata siblings, bytes32 root)
        external
        pure
        returns (bool)
    {
        return SealedMerkle.includes(tag, data, index, count, siblings, root);
    }

    function test_merkle_inclusion() public view {
        string memory json = vm.readFile("../conformance/merkle/inclusion.json");
        uint256 cases = vm.parseJsonUint(json, ".caseCount");
        assertEq(cases > 50, true, "vectors are there");
        for (uint256 i = 0; i < cases; i++) {
            string memory place = string.concat(".cases[", vm.toString(i), "]");
            bool included = this.includes(
                bytes1(uint8(vm.parseJsonUint(json, string.concat(place, ".tag")))),
                vm.parseJsonBytes32(json, string.concat(place, ".leaf")),
                uint64(vm.parseJsonUint(json, string.concat(place, ".index"))),
                uint64(vm.parseJsonUint(json, string.concat(place, ".count"))),
                vm.parseJsonBytes32Array(json, string.concat(place, ".siblings")),
                vm.parseJsonBytes32(json, string.concat(place, ".root"))
            );
            assertEq(included, vm.parseJsonBool(json, string.concat(place, ".included")), place);
        }
    }

    function test_merkle_roots() public view {
        string memory json = vm.readFile("../conformance/merkle/roots.json");
        bytes32[] memory leaves = vm.parseJsonBytes32Array(json, ".leaves");
        bytes32[] memory roots = vm.parseJsonBytes32Array(json, ".rootsOfPrefixes");
        assertEq(roots.length, leaves.length, "one root for every prefix");
        for (uint256 count = 1; count <= leaves.length; count++) {
            bytes32[] memory prefix = new bytes32[](count);
            for (uint256 i = 0; i < count; i++) {
                prefix[i] = leaves[i];
            }
            assertEq(ReferenceTree.root(0x13, prefix), roots[count - 1], vm.toString(count));
        }
    }

    function weightsRoot(bytes calldata manifest) external pure returns (bytes32) {
        return ManifestHead.weightsRoot(manifest);
    }

    function test_weights_roots_of_manifests() public view {
        string memory json = vm.readFile("../conformance/manifest-heads/heads.json");
        bytes[] memory heads = vm.parseJsonBytesArray(json, ".heads");
        bytes32[] memory roots = vm.parseJsonBytes32Array(json, ".roots");
        assertEq(heads.length, roots.length, "one root each");
        uint256 named = 0;
        for (uint256 i = 0; i < heads.length; i++) {
            assertEq(this.weightsRoot(heads[i]), roots[i], vm.toString(i));
            if (roots[i] != 0) named++;
        }
        assertEq(named > 150 && heads.length - named > 150, true, "both kinds");
    }

    function test_receipt_digests() public {
        string memory json = vm.readFile("../conformance/eip712/receipts.json");
        uint256 cases = vm.parseJsonUint(json, ".caseCount");
        assertEq(cases >= 3, true, "vectors are there");
        ReceiptLog log = new ReceiptLog(new NodeRegistry(1, 1));
        for (uint256 i = 0; i < cases; i++) {
            string memory place = string.concat(".cases[", vm.toString(i), "]");
            vm.chainId(vm.parseJsonUint(json, string.concat(place, ".chainId")));
            address deployed = vm.parseJsonAddress(json, string.concat(place, ".verifyingContract"));
            vm.etch(deployed, address(log).code);
            bytes32 digest = ReceiptLog(deployed).receiptDigest(parse(json, string.concat(place, ".receipt.")));
            assertEq(digest, vm.parseJsonBytes32(json, string.concat(place, ".digest")), place);
        }
    }

    function test_request_digests_and_account_keys() public {
        string memory json = vm.readFile("../conformance/eip712/requests.json");
        uint256 cases = vm.parseJsonUint(json, ".caseCount");
        assertEq(cases >= 3, true, "vectors are there");
        ReceiptLog log = new ReceiptLog(new NodeRegistry(1, 1));
        for (uint256 i = 0; i < cases; i++) {
            string memory place = string.concat(".cases[", vm.toString(i), "]");
            vm.chainId(vm.parseJsonUint(json, string.concat(place, ".chainId")));
            address deployed = vm.parseJsonAddress(json, string.concat(place, ".verifyingContract"));
            vm.etch(deployed, address(log).code);
            Request memory r = parseRequest(json, string.concat(place, ".request."));
            r.requestHash = vm.parseJsonBytes32(json, string.concat(place, ".requestHash"));
            assertEq(ReceiptLog(deployed).requestDigest(r), vm.parseJsonBytes32(json, string.concat(place, ".digest")), place);
            bytes32 account = keccak256(abi.encode(r.node, r.payer, r.modelId, r.asset, r.channel));
            assertEq(account, vm.parseJsonBytes32(json, string.concat(place, ".accountKey")), place);
        }
    }

    function test_session_key_digests() public {
        string memory json = vm.readFile("../conformance/eip712/session-keys.json");
        uint256 cases = vm.parseJsonUint(json, ".caseCount");
        assertEq(cases >= 2, true, "vectors are there");
        NodeRegistry registry = new NodeRegistry(1, 1);
        for (uint256 i = 0; i < cases; i++) {
            string memory place = string.concat(".cases[", vm.toString(i), "]");
            vm.chainId(vm.parseJsonUint(json, string.concat(place, ".chainId")));
            address deployed = vm.parseJsonAddress(json, string.concat(place, ".nodeRegistry"));
            vm.etch(deployed, address(registry).code);
            bytes32 digest = NodeRegistry(deployed).sessionKeyDigest(vm.parseJsonAddress(json, string.concat(place, ".operator")));
            assertEq(digest, vm.parseJsonBytes32(json, string.concat(place, ".digest")), place);
        }
    }

    function parseRequest(string memory json, string memory place) private pure returns (Request memory r) {
        r.payer = vm.parseJsonAddress(json, string.concat(place, "payer"));
        r.node = vm.parseJsonAddress(json, string.concat(place, "node"));
        r.modelId = vm.parseJsonBytes32(json, string.concat(place, "modelId"));
        r.asset = vm.parseJsonAddress(json, string.concat(place, "asset"));
        r.channel = vm.parseJsonBytes32(json, string.concat(place, "channel"));
        r.cumulativeLimit = vm.parseJsonUint(json, string.concat(place, "cumulativeLimit"));
    }

    function parse(string memory json, string memory place) private pure returns (Receipt memory receipt) {
        receipt.node = vm.parseJsonAddress(json, string.concat(place, "node"));
        receipt.payer = vm.parseJsonAddress(json, string.concat(place, "payer"));
        receipt.modelId = vm.parseJsonBytes32(json, string.concat(place, "modelId"));
        receipt.requestHash = vm.parseJsonBytes32(json, string.concat(place, "requestHash"));
        receipt.idsRoot = vm.parseJsonBytes32(json, string.concat(place, "idsRoot"));
        receipt.thinRoot = vm.parseJsonBytes32(json, string.concat(place, "thinRoot"));
        receipt.promptTokens = uint32(vm.parseJsonUint(json, string.concat(place, "promptTokens")));
        receipt.completionTokens = uint32(vm.parseJsonUint(json, string.concat(place, "completionTokens")));
        receipt.finishReason = uint8(vm.parseJsonUint(json, string.concat(place, "finishReason")));
        receipt.promptPrice = vm.parseJsonUint(json, string.concat(place, "promptPrice"));
        receipt.completionPrice = vm.parseJsonUint(json, string.concat(place, "completionPrice"));
        receipt.asset = vm.parseJsonAddress(json, string.concat(place, "asset"));
        receipt.cumulativeAmount = vm.parseJsonUint(json, string.concat(place, "cumulativeAmount"));
        receipt.channel = vm.parseJsonBytes32(json, string.concat(place, "channel"));
        receipt.batch = uint64(vm.parseJsonUint(json, string.concat(place, "batch")));
        receipt.sequence = uint64(vm.parseJsonUint(json, string.concat(place, "sequence")));
        receipt.previous = vm.parseJsonBytes32(json, string.concat(place, "previous"));
        receipt.issuedAt = uint64(vm.parseJsonUint(json, string.concat(place, "issuedAt")));
    }
}
