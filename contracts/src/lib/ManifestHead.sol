// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The weights root that the bytes of a manifest name (SPEC section 21.1)
/// @notice Canonical JSON sorts keys, so a manifest begins with its list of files, and each file is written in one way only. It is read from the first byte on,
/// without a search: what stands inside of a string, later in the document or twice cannot be taken for it.
/// `{"files":[{"name":"...","root":"0x...","size":0},...],"generation":`
library ManifestHead {
    uint256 internal constant MAXIMUM_FILES = 64;
    uint256 internal constant MAXIMUM_NAME = 64;
    /// @dev Of a size; files have at most 2^40 bytes.
    uint256 internal constant MAXIMUM_DIGITS = 13;

    /// @return root Of the one file `weights.bin`; zero when the bytes do not begin like a manifest, or name no such file, or two.
    function weightsRoot(bytes calldata manifest) internal pure returns (bytes32 root) {
        if (!_is(manifest, 0, '{"files":[', 10)) return 0;
        uint256 offset = 10;
        for (uint256 i = 0; i < MAXIMUM_FILES; i++) {
            bytes32 found;
            bool isWeights;
            (offset, isWeights, found) = _file(manifest, offset);
            if (offset == 0 || (isWeights && root != 0)) return 0;
            if (isWeights) root = found;
            if (!_is(manifest, offset, ",", 1)) return _is(manifest, offset, '],"generation":', 15) ? root : bytes32(0);
            offset++;
        }
        return 0;
    }

    /// @return end One past the file that begins at `offset`; zero when none does.
    function _file(bytes calldata text, uint256 offset) private pure returns (uint256 end, bool isWeights, bytes32 root) {
        if (!_is(text, offset, '{"name":"', 9)) return (0, false, 0);
        uint256 start = offset + 9;
        uint256 stop = _name(text, start);
        if (stop == start || !_is(text, stop, '","root":"0x', 12)) return (0, false, 0);
        isWeights = stop - start == 11 && _is(text, start, "weights.bin", 11);
        bool isHex;
        (isHex, root) = _hex32(text, stop + 12);
        // a root of zero is no hash, and means "none" here
        if (!isHex || root == 0 || !_is(text, stop + 76, '","size":', 9)) return (0, false, 0);
        start = stop + 85;
        stop = _digits(text, start);
        if (stop == start || !_is(text, stop, "}", 1)) return (0, false, 0);
        return (stop + 1, isWeights, root);
    }

    function _is(bytes calldata text, uint256 offset, bytes32 word, uint256 length) private pure returns (bool) {
        return offset + length <= text.length && bytes32(text[offset:offset + length]) == word;
    }

    /// @return One past the last character of the name that begins there.
    function _name(bytes calldata text, uint256 offset) private pure returns (uint256) {
        for (uint256 i = 0; i < MAXIMUM_NAME && offset < text.length; i++) {
            bytes1 c = text[offset];
            if (!((c >= "a" && c <= "z") || (c >= "0" && c <= "9") || c == "_" || c == ".")) return offset;
            offset++;
        }
        return offset;
    }

    /// @return One past the last digit; the same as before when there is none, or a zero before another digit.
    function _digits(bytes calldata text, uint256 offset) private pure returns (uint256) {
        uint256 start = offset;
        for (uint256 i = 0; i < MAXIMUM_DIGITS && offset < text.length; i++) {
            bytes1 c = text[offset];
            if (c < "0" || c > "9") break;
            offset++;
        }
        return offset > start + 1 && text[start] == "0" ? start : offset;
    }

    /// @dev 64 lower-case digits.
    function _hex32(bytes calldata text, uint256 offset) private pure returns (bool, bytes32) {
        if (offset + 64 > text.length) return (false, 0);
        uint256 value = 0;
        for (uint256 i = 0; i < 64; i++) {
            uint8 c = uint8(text[offset + i]);
            uint256 digit;
            if (c >= 0x30 && c <= 0x39) digit = c - 0x30;
            else if (c >= 0x61 && c <= 0x66) digit = c - 0x57;
            else return (false, 0);
            value = (value << 4) | digit;
        }
        return (true, bytes32(value));
    }
}
