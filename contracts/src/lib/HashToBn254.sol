// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bn254} from "./Bn254.sol";

/// @title From a message to a point of BN254 whose logarithm nobody knows
/// @notice hash_to_curve of RFC 9380: expand_message_xmd with Keccak-256 (section 5.3.1), two field elements (5.2), the map of Shallue and van de Woestijne
/// (6.6.1, Z = 1). The curve has cofactor 1. The suite's name is the domain tag's: BN254G1_XMD:KECCAK-256_SVDW_RO.
library HashToBn254 {
    /// @dev Bytes that Keccak-256 absorbs at a time: the length of expand_message_xmd's padding.
    uint256 private constant RATE = 136;
    uint256 private constant P = Bn254.P;
    /// @dev 2^256 mod P
    uint256 private constant WORD = (type(uint256).max % P) + 1;
    /// @dev g(Z) = Z^3 + 3
    uint256 private constant C1 = 4;
    /// @dev -Z / 2
    uint256 private constant C2 = 0x183227397098d014dc2822db40c0ac2ecbc0b548b438e5469e10460b6c3e7ea3;
    /// @dev sqrt(-3 g(Z)), the even root
    uint256 private constant C3 = 0x16789af3a83522eb353c98fc6b36d713d5d8d1cc5dffffffa;
    /// @dev -4 g(Z) / 3
    uint256 private constant C4 = 0x10216f7ba065e00de81ac1e7808072c9dd2b2385cd7b438469602eb24829a9bd;
    uint256 private constant INVERSE = P - 2;
    /// @dev P = 3 mod 4: a square's root is its power of (P + 1) / 4.
    uint256 private constant ROOT = (P + 1) / 4;

    /// @param domain Domain separation tag, at most 255 bytes.
    function hash(bytes memory message, bytes memory domain) internal view returns (Bn254.G1 memory) {
        (uint256 u, uint256 v) = fieldElements(message, domain);
        return Bn254.add(map(u), map(v));
    }

    /// @notice hash_to_field: 96 uniform bytes as two numbers of 48, each mod P.
    function fieldElements(bytes memory message, bytes memory domain) internal pure returns (uint256 u, uint256 v) {
        bytes memory tag = abi.encodePacked(domain, uint8(domain.length));
        bytes32 b0 = keccak256(abi.encodePacked(new bytes(RATE), message, uint16(96), uint8(0), tag));
        uint256 b1 = uint256(keccak256(abi.encodePacked(b0, uint8(1), tag)));
        uint256 b2 = uint256(keccak256(abi.encodePacked(uint256(b0) ^ b1, uint8(2), tag)));
        uint256 b3 = uint256(keccak256(abi.encodePacked(uint256(b0) ^ b2, uint8(3), tag)));
        u = addmod(mulmod(b1, 1 << 128, P), b2 >> 128, P);
        v = addmod(mulmod(b2 & type(uint128).max, WORD, P), b3, P);
    }

    /// @notice map_to_curve_svdw. Whether a number is a square shows in its root.
    function map(uint256 u) internal view returns (Bn254.G1 memory point) {
        uint256 t1 = mulmod(mulmod(u, u, P), C1, P);
        uint256 t2 = addmod(1, t1, P);
        t1 = addmod(1, P - t1, P);
        // of zero it is zero, as inv0 wants
        uint256 t3 = Bn254.power(mulmod(t1, t2, P), INVERSE);
        uint256 t4 = mulmod(mulmod(mulmod(u, t1, P), t3, P), C3, P);
        bool square;
        point.x = addmod(C2, P - t4, P);
        (point.y, square) = _rootAbove(point.x);
        if (!square) {
            point.x = addmod(C2, t4, P);
            (point.y, square) = _rootAbove(point.x);
        }
        if (!square) {
            uint256 t5 = mulmod(mulmod(t2, t2, P), t3, P);
            point.x = addmod(mulmod(mulmod(t5, t5, P), C4, P), 1, P);
            // one of the three is a square, whatever u is
            (point.y,) = _rootAbove(point.x);
        }
        if (point.y % 2 != u % 2) point.y = P - point.y;
    }

    /// @return y The root of x^3 + 3, when it is a square.
    function _rootAbove(uint256 x) private view returns (uint256 y, bool square) {
        uint256 g = addmod(mulmod(mulmod(x, x, P), x, P), 3, P);
        y = Bn254.power(g, ROOT);
        square = mulmod(y, y, P) == g;
    }
}
