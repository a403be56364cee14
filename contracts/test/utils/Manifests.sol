// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Beginnings of manifests, as canonical JSON writes them
library Manifests {
    struct File {
        string name;
        bytes32 root;
        uint256 size;
    }

    /// @dev The files of a real package, in the order of the importer; what follows them is of no interest on chain.
    function over(bytes32 weightsRoot) internal pure returns (bytes memory) {
        File[] memory files = new File[](3);
        files[0] = File("weights.bin", weightsRoot, 136_619_008);
        files[1] = File("tokenizer.json", keccak256("tokenizer"), 1_380_161);
        files[2] = File("chat_template.jinja", keccak256("template"), 368);
        return withFiles(files);
    }

    function withFiles(File[] memory files) internal pure returns (bytes memory text) {
        text = '{"files":[';
        for (uint256 i = 0; i < files.length; i++) {
            text = bytes.concat(text, i == 0 ? bytes("") : bytes(","), file(files[i]));
        }
        return bytes.concat(text, '],"generation":{"stopIds":[0,2],"temperature":1000000,"topK":0,"topP":1000000}}');
    }

    function file(File memory f) internal pure returns (bytes memory) {
        return bytes.concat('{"name":"', bytes(f.name), '","root":"', hexOf(f.root), '","size":', decimal(f.size), "}");
    }

    function hexOf(bytes32 value) internal pure returns (bytes memory text) {
        text = new bytes(66);
        (text[0], text[1]) = ("0", "x");
        for (uint256 i = 0; i < 64; i++) {
            text[2 + i] = bytes("0123456789abcdef")[uint256(value) >> (252 - 4 * i) & 15];
        }
    }

    function decimal(uint256 value) internal pure returns (bytes memory text) {
        if (value == 0) return "0";
        while (value != 0) {
            text = bytes.concat(bytes1(uint8(48 + value % 10)), text);
            value /= 10;
        }
    }
}
