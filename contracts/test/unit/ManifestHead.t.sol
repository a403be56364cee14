// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ManifestHead} from "../../src/lib/ManifestHead.sol";
import {Manifests} from "../utils/Manifests.sol";
import {Test} from "../utils/Test.sol";

contract ManifestHeadTest is Test {
    bytes32 private constant ROOT = keccak256("root");

    function weightsRoot(bytes calldata manifest) external pure returns (bytes32) {
        return ManifestHead.weightsRoot(manifest);
    }

    function testFuzz_one_weights_file_anywhere_in_the_list(uint256 count, uint256 place, uint256 seed, bytes32 root) public view {
        vm.assume(root != 0);
        count = bound(count, 1, 5);
        place = bound(place, 0, count - 1);
        Manifests.File[] memory files = _others(count, seed);
        files[place] = Manifests.File("weights.bin", root, bound(seed, 0, 1 << 40));
        assertEq(this.weightsRoot(Manifests.withFiles(files)), root, "root");
        // without it, or twice: none
        files[place].name = "weights.bim";
        assertEq(this.weightsRoot(Manifests.withFiles(files)), 0, "no such file");
        if (count < 2) return;
        files[place].name = "weights.bin";
        files[(place + 1) % count] = Manifests.File("weights.bin", root, 0);
        assertEq(this.weightsRoot(Manifests.withFiles(files)), 0, "two");
    }

    function test_at_most_64_files() public view {
        for (uint256 count = 64; count <= 65; count++) {
            Manifests.File[] memory files = _others(count, 1);
            files[count / 2] = Manifests.File("weights.bin", ROOT, 1);
            assertEq(this.weightsRoot(Manifests.withFiles(files)), count == 64 ? ROOT : bytes32(0), "root");
        }
    }

    function testFuzz_a_cut_head_names_nothing(uint256 length) public view {
        bytes memory whole = Manifests.over(ROOT);
        bytes memory head = new bytes(bound(length, 0, whole.length));
        for (uint256 i = 0; i < head.length; i++) {
            head[i] = whole[i];
        }
        // up to the key after the files; what follows is not read
        uint256 needed = _find(whole, '"generation":') + 13;
        assertEq(this.weightsRoot(head), head.length >= needed ? ROOT : bytes32(0), "root");
    }

    function testFuzz_arbitrary_bytes_never_revert(bytes memory text) public view {
        this.weightsRoot(text);
        this.weightsRoot(bytes.concat('{"files":[{"name":"weights.bin","root":"0x', text));
    }

    function testFuzz_a_changed_byte_changes_the_root_or_nothing(uint256 at, bytes1 to) public view {
        bytes memory whole = Manifests.over(ROOT);
        uint256 needed = _find(whole, '"generation":') + 13;
        at = bound(at, 0, needed - 1);
        vm.assume(whole[at] != to);
        whole[at] = to;
        bytes32 got = this.weightsRoot(whole);
        // names, digests and sizes of other files, and the size of this one, may be anything that fits; the root is that of bytes 42 to 105
        bool inRoot = at >= 42 && at < 106;
        assertEq(got == 0 || (got != ROOT) == inRoot, true, "root");
    }

    function test_what_only_looks_like_it() public view {
        string memory good = string(Manifests.file(Manifests.File("weights.bin", ROOT, 1)));
        assertEq(_root(good), ROOT, "good");
        assertEq(_root(string.concat(" ", good)), 0, "a space");
        assertEq(_root(string.concat(good, ",")), 0, "a comma too many");
        assertEq(_root(string.concat(good, good)), 0, "no comma");
        assertEq(_root(""), 0, "no file");
        string memory root = string(Manifests.hexOf(ROOT));
        assertEq(_root(string.concat('{"root":"', root, '","name":"weights.bin","size":1}')), 0, "another order of keys");
        assertEq(_root(string.concat('{"name":"weights.bin","name":"x","root":"', root, '","size":1}')), 0, "a key twice");
        assertEq(_root(string.concat('{"name":"weights.bin","root":"', root, '","root":"', root, '","size":1}')), 0, "a root twice");
        assertEq(_root(string.concat('{"name":"x\\",\\"weights.bin","root":"', root, '","size":1}')), 0, "an escape");
        assertEq(_root(string.concat('{"name":"weights.bin","root":"', root, '","size":01}')), 0, "a leading zero");
        assertEq(_root(string.concat('{"name":"weights.bin","root":"', root, '","size":12345678901234}')), 0, "14 digits");
        assertEq(_root(string.concat('{"name":"weights.bin","root":"', root, '","size":}')), 0, "no size");
        assertEq(_root(string.concat('{"name":"weights.bin","root":"', root, '","size":-1}')), 0, "a sign");
        assertEq(_root(string.concat('{"name":"weights.bin","root":"', root, '","size":1.0}')), 0, "a fraction");
        assertEq(_root(string.concat('{"name":"","root":"', root, '","size":1}')), 0, "no name");
        assertEq(_root(string(Manifests.file(Manifests.File("weights.bin", 0, 1)))), 0, "a root of zero");
        assertEq(this.weightsRoot(bytes(string.concat('{"files":[', good, '],"tensors":[]}'))), 0, "another key next");
        assertEq(this.weightsRoot(bytes(string.concat('{"card":{"files":[', good, '],"generation":{}}}'))), 0, "not at the top");
    }

    function _root(string memory files) private view returns (bytes32) {
        return this.weightsRoot(bytes(string.concat('{"files":[', files, '],"generation":{}}')));
    }

    function _others(uint256 count, uint256 seed) private pure returns (Manifests.File[] memory files) {
        files = new Manifests.File[](count);
        for (uint256 i = 0; i < count; i++) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            bytes memory name = new bytes(1 + random % 64);
            for (uint256 j = 0; j < name.length; j++) {
                name[j] = bytes("abcdefghijklmnopqrstuvwxyz0123456789_.")[(random >> (j * 2)) % 38];
            }
            files[i] = Manifests.File(string(name), keccak256(name), (random >> 32) % (1 << 40));
        }
    }

    function _find(bytes memory text, bytes memory word) private pure returns (uint256) {
        for (uint256 at = 0;; at++) {
            bool same = true;
            for (uint256 i = 0; i < word.length && same; i++) {
                same = text[at + i] == word[i];
            }
            if (same) return at;
        }
    }
}
