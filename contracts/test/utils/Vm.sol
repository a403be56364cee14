// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The cheatcodes of forge that our tests use (forge-std on npm is old and unofficial)
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function prank(address) external;
    function startPrank(address) external;
    function stopPrank() external;
    function expectRevert(bytes4) external;
    function expectRevert(bytes calldata) external;
    function expectPartialRevert(bytes4) external;
    function expectEmit(address) external;
    function warp(uint256) external;
    function deal(address, uint256) external;
    function chainId(uint256) external;
    function cool(address) external;
    function etch(address, bytes calldata) external;
    function assume(bool) external pure;
    function computeCreateAddress(address, uint256) external pure returns (address);
    function getNonce(address) external view returns (uint64);
    function addr(uint256) external pure returns (address);
    function sign(uint256, bytes32) external pure returns (uint8, bytes32, bytes32);
    function toString(uint256) external pure returns (string memory);
    function readFile(string calldata) external view returns (string memory);
    function parseJsonUint(string calldata, string calldata) external pure returns (uint256);
    function parseJsonBool(string calldata, string calldata) external pure returns (bool);
    function parseJsonAddress(string calldata, string calldata) external pure returns (address);
    function parseJsonBytes32(string calldata, string calldata) external pure returns (bytes32);
    function parseJsonBytes32Array(string calldata, string calldata) external pure returns (bytes32[] memory);
    function parseJsonBytesArray(string calldata, string calldata) external pure returns (bytes[] memory);
    function snapshotGasLastCall(string calldata, string calldata) external returns (uint256);
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function roll(uint256) external;
    function parseJsonBytes(string calldata, string calldata) external pure returns (bytes memory);
}
