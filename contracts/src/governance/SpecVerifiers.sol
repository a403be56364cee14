// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

/// @title Which contract computes a micro-operation of which engine specification
/// @notice Append-only: a version once bound keeps its verifier for ever, so that stake that opted in to a version is never judged by another one.
contract SpecVerifiers is AccessManaged {
    uint256 public constant MAXIMUM_SPEC_BYTES = 64;

    /// @notice Verifier of a specification, by keccak256 of its version string; zero when there is none.
    mapping(bytes32 specHash => address verifier) public verifierOf;

    event SpecAdded(bytes32 indexed specHash, string spec, address indexed verifier);

    error AlreadyBound(string spec, address verifier);
    error NotAContract(address verifier);
    error SpecLength(uint256 length, uint256 maximum);

    constructor(address authority) AccessManaged(authority) {}

    /// @param spec Version string, for example `int-transformer/2`.
    function add(string calldata spec, address verifier) external restricted {
        uint256 length = bytes(spec).length;
        if (length == 0 || length > MAXIMUM_SPEC_BYTES) revert SpecLength(length, MAXIMUM_SPEC_BYTES);
        if (verifier.code.length == 0) revert NotAContract(verifier);
        bytes32 specHash = keccak256(bytes(spec));
        if (verifierOf[specHash] != address(0)) revert AlreadyBound(spec, verifierOf[specHash]);
        verifierOf[specHash] = verifier;
        emit SpecAdded(specHash, spec, verifier);
    }
}
