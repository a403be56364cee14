// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The pairing curve that the EVM computes on (alt_bn128, EIP-196 and EIP-197)
/// @notice y^2 = x^3 + 3 over the field of P. Coordinates of the second group are in the precompile's order: imaginary part first.
library Bn254 {
    struct G1 {
        uint256 x;
        uint256 y;
    }

    struct G2 {
        uint256 xImaginary;
        uint256 xReal;
        uint256 yImaginary;
        uint256 yReal;
    }

    uint256 internal constant P = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

    address private constant MODEXP = address(5);
    address private constant ADD = address(6);
    address private constant PAIRING = address(8);
    /// @dev The generator of the second group, negated.
    uint256 private constant NEGATED_GENERATOR_X_IMAGINARY = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 private constant NEGATED_GENERATOR_X_REAL = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
    uint256 private constant NEGATED_GENERATOR_Y_IMAGINARY = 0x275dc4a288d1afb3cbb1ac09187524c7db36395df7be3b99e673b13a075a65ec;
    uint256 private constant NEGATED_GENERATOR_Y_REAL = 0x1d9befcd05a5323e6da4d435f3b617cdb3af83285c2df711ef39c01571827f9d;

    error PrecompileFailed(address precompile);

    /// @return base ^ exponent mod P
    function power(uint256 base, uint256 exponent) internal view returns (uint256) {
        (bool done, bytes memory result) = MODEXP.staticcall(abi.encode(32, 32, 32, base, exponent, P));
        if (!done || result.length != 32) revert PrecompileFailed(MODEXP);
        return abi.decode(result, (uint256));
    }

    function add(G1 memory a, G1 memory b) internal view returns (G1 memory) {
        (bool done, bytes memory result) = ADD.staticcall(abi.encode(a, b));
        if (!done || result.length != 64) revert PrecompileFailed(ADD);
        return abi.decode(result, (G1));
    }

    /// @notice Whether a point is of the first group, in its only encoding (coordinates below P); the point at infinity is not.
    function isPoint(G1 memory a) internal pure returns (bool) {
        if (a.x >= P || a.y >= P) return false;
        return mulmod(a.y, a.y, P) == addmod(mulmod(mulmod(a.x, a.x, P), a.x, P), 3, P);
    }

    /// @notice Whether e(signature, generator) = e(hash, key): a BLS signature with signatures in the first group. False for what is no point of its group.
    function isSignature(G1 memory signature, G1 memory hash, G2 memory key) internal view returns (bool) {
        // a precompile that refuses its input keeps all gas
        if (!isPoint(signature)) return false;
        G2 memory negated =
            G2(NEGATED_GENERATOR_X_IMAGINARY, NEGATED_GENERATOR_X_REAL, NEGATED_GENERATOR_Y_IMAGINARY, NEGATED_GENERATOR_Y_REAL);
        (bool done, bytes memory result) = PAIRING.staticcall(abi.encode(signature, negated, hash, key));
        return done && result.length == 32 && abi.decode(result, (uint256)) == 1;
    }
}
