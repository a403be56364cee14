// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bn254} from "../lib/Bn254.sol";
import {HashToBn254} from "../lib/HashToBn254.sol";
import {ReceiptLog} from "../settlement/ReceiptLog.sol";
import {AuditSeed} from "./AuditSeed.sol";

/// @title Audit seeds from drand's beacon for the EVM (`evmnet`)
/// @notice Every 3 seconds the League of Entropy signs the number of the round with a key that no single member has: `bls-bn254-unchained-on-g1`, chain
/// 04f1e9062b8a81f848fded9c12306733282b2727ecced50032187751166ec8c3. There is one signature for a round, so whoever delivers it, at whatever time, delivers the same
/// seed: drand's own `randomness`, the SHA-256 of the signature.
/// @dev Genesis, period and key are those of the beacon's published `info`; nobody can change them.
contract DrandSeed is AuditSeed {
    uint64 public constant GENESIS_TIME = 1_727_521_075;
    uint64 public constant PERIOD = 3;
    bytes public constant DOMAIN = "BLS_SIG_BN254G1_XMD:KECCAK-256_SVDW_RO_NUL_";

    uint256 private constant KEY_X_IMAGINARY = 0x07e1d1d335df83fa98462005690372c643340060d205306a9aa8106b6bd0b382;
    uint256 private constant KEY_X_REAL = 0x0557ec32c2ad488e4d4f6008f89a346f18492092ccc0d594610de2732c8b808f;
    uint256 private constant KEY_Y_IMAGINARY = 0x0095685ae3a85ba243747b1b2f426049010f6b73a0cf1d389351d5aaaa1047f6;
    uint256 private constant KEY_Y_REAL = 0x297d3a4f9749b33eb2d904c9d9ebf17224150ddd7abd7567a9bec6c74480ee0b;

    /// @notice Seconds between a posting's block time and the earliest round that may draw for it: more than a block's time can be off, and than a posting can be undone.
    uint64 public immutable MARGIN;

    error NotTheRound(uint64 round);

    constructor(ReceiptLog log, uint64 margin) AuditSeed(log) {
        MARGIN = margin;
    }

    /// @notice Records the seed of a round. Anybody may call it, at any time.
    /// @param signature Both coordinates, 32 bytes each, as drand publishes it.
    function deliver(uint64 round, bytes calldata signature) external {
        if (!isSignature(round, signature)) revert NotTheRound(round);
        _deliver(round, sha256(signature));
    }

    /// @notice Whether drand signed this round so.
    function isSignature(uint64 round, bytes calldata signature) public view returns (bool) {
        if (signature.length != 64) return false;
        Bn254.G1 memory hash = HashToBn254.hash(abi.encodePacked(keccak256(abi.encodePacked(round))), DOMAIN);
        Bn254.G2 memory key = Bn254.G2(KEY_X_IMAGINARY, KEY_X_REAL, KEY_Y_IMAGINARY, KEY_Y_REAL);
        return Bn254.isSignature(abi.decode(signature, (Bn254.G1)), hash, key);
    }

    /// @notice The first round that is published after `time`.
    function firstRoundAfter(uint64 time) public pure returns (uint64) {
        // round 1 is published at genesis
        return time < GENESIS_TIME ? 1 : (time - GENESIS_TIME) / PERIOD + 2;
    }

    function _roundOf(ReceiptLog.Batch memory batch) internal view override returns (uint64) {
        return firstRoundAfter(batch.postedAt + MARGIN);
    }
}
