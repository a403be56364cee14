// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ISignatureTransfer} from "../permit2/ISignatureTransfer.sol";

/// @title What the two Permit2 proxies of x402 share
/// @notice Spenders that can pay one payee only: the one that the owner signed, as Permit2's witness.
/// @dev Our own implementation for development chains: see {BatchSettlement}.
abstract contract Permit2Proxy is ReentrancyGuardTransient {
    struct EIP2612Permit {
        uint256 value;
        uint256 deadline;
        bytes32 r;
        bytes32 s;
        uint8 v;
    }

    ISignatureTransfer public constant PERMIT2 = ISignatureTransfer(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    event Settled();
    event SettledWithPermit();

    error InvalidDestination();
    error InvalidOwner();
    error PaymentTooEarly();
    error Permit2612AmountMismatch();

    /// @dev The approval of Permit2 by ERC-2612. One that somebody else sent first has done its work: the transfer shows whether it has.
    function _approve(EIP2612Permit calldata permit2612, ISignatureTransfer.PermitTransferFrom calldata permit, address owner) internal {
        if (permit2612.value != permit.permitted.amount) revert Permit2612AmountMismatch();
        (uint8 v, bytes32 r, bytes32 s) = (permit2612.v, permit2612.r, permit2612.s);
        try IERC20Permit(permit.permitted.token).permit(owner, address(PERMIT2), permit2612.value, permit2612.deadline, v, r, s) {} catch {}
    }

    function _pay(
        ISignatureTransfer.PermitTransferFrom calldata permit,
        ISignatureTransfer.SignatureTransferDetails memory details,
        address owner,
        uint256 validAfter,
        bytes32 witness,
        string memory witnessType,
        bytes calldata signature
    ) internal {
        if (details.to == address(0)) revert InvalidDestination();
        if (owner == address(0)) revert InvalidOwner();
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < validAfter) revert PaymentTooEarly();
        PERMIT2.permitWitnessTransferFrom(permit, details, owner, witness, witnessType, signature);
    }
}
