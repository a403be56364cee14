// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bn254} from "../../src/lib/Bn254.sol";
import {HashToBn254} from "../../src/lib/HashToBn254.sol";
import {Test} from "../utils/Test.sol";

contract HashToBn254Test is Test {
    uint256 private constant P = Bn254.P;

    /// @dev Points that arkworks computed (round 9337227 of drand's evmnet, and another domain).
    function test_known_points() public view {
        Bn254.G1 memory point = HashToBn254.hash(
            abi.encodePacked(keccak256(abi.encodePacked(uint64(9_337_227)))), "BLS_SIG_BN254G1_XMD:KECCAK-256_SVDW_RO_NUL_"
        );
        assertEq(point.x, 0x1626082c3dd0751bdaaf8c3e709b5dd7cdedf45d4e81a5aa3e270f1e78924b32, "x");
        assertEq(point.y, 0x2bf29ab3af54dfe3c053ad4efa93db05d3586368463e9d7334c7ba61f6f4e955, "y");
        point = HashToBn254.hash("hello", "BN254G1_XMD:KECCAK-256_SSWU_RO");
        assertEq(point.x, 0x217bb696786f9adc329b5edda4744e1c9014edf39051396cbcadc4446c7f7a5f, "x");
        assertEq(point.y, 0x12bd6a29328a3050346a5129b08d642b64af8b2055c777f53f5359af846770d5, "y");
    }

    function test_the_constants_are_what_the_standard_says() public pure {
        uint256 c2 = 0x183227397098d014dc2822db40c0ac2ecbc0b548b438e5469e10460b6c3e7ea3;
        uint256 c3 = 0x16789af3a83522eb353c98fc6b36d713d5d8d1cc5dffffffa;
        uint256 c4 = 0x10216f7ba065e00de81ac1e7808072c9dd2b2385cd7b438469602eb24829a9bd;
        assertEq(addmod(mulmod(2, c2, P), 1, P), 0, "-Z / 2");
        assertEq(addmod(mulmod(c3, c3, P), 12, P), 0, "sqrt(-g(Z) (3 Z^2 + 4 A))");
        assertEq(c3 % 2, 0, "the even root");
        assertEq(addmod(mulmod(3, c4, P), 16, P), 0, "-4 g(Z) / (3 Z^2 + 4 A)");
    }

    function testFuzz_points_lie_on_the_curve(uint256 u) public view {
        requirePoint(u % P);
    }

    function test_exceptional_numbers_are_mapped_too() public view {
        requirePoint(0);
        requirePoint(1);
        requirePoint(P - 1);
        // 1 + 4 u^2 = 0 and 1 - 4 u^2 = 0: the denominator vanishes
        uint256 half = (P + 1) / 2;
        requirePoint(half);
        requirePoint(P - half);
    }

    function testFuzz_messages_differ(bytes memory message, bytes32 domain) public view {
        Bn254.G1 memory point = HashToBn254.hash(message, abi.encode(domain));
        Bn254.G1 memory other = HashToBn254.hash(abi.encodePacked(message, uint8(0)), abi.encode(domain));
        assertEq(point.x == other.x, false, "another message");
        other = HashToBn254.hash(message, abi.encode(keccak256(abi.encode(domain))));
        assertEq(point.x == other.x, false, "another domain");
    }

    function requirePoint(uint256 u) private view {
        Bn254.G1 memory point = HashToBn254.map(u);
        assertEq(point.x < P && point.y < P, true, "reduced");
        assertEq(mulmod(point.y, point.y, P), addmod(mulmod(mulmod(point.x, point.x, P), point.x, P), 3, P), "on the curve");
        assertEq(point.y % 2, u % 2, "the sign of its preimage");
    }
}
