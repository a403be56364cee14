// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

/// @title Every number of the network that holders may change, with bounds that they may not
/// @notice Changes come through the timelock alone. Bounds are fixed at deployment, so that no vote can take stake or revenue outright.
contract Parameters is AccessManaged {
    /// @notice How a payment is divided, in basis points; the five sum to 10,000.
    struct Split {
        uint16 node;
        uint16 model;
        uint16 parents;
        uint16 auditors;
        uint16 treasury;
    }

    struct Parameter {
        uint256 value;
        uint256 minimum;
        uint256 maximum;
    }

    struct NamedParameter {
        /// Up to 31 bytes of text.
        bytes32 name;
        Parameter parameter;
    }

    /// @notice An asset that nodes may be paid in.
    struct AcceptedAsset {
        address asset;
        /// As {stakeRatio}.
        uint256 ratio;
    }

    uint256 public constant WHOLE = 10_000;
    /// @notice Least share of the node, in basis points: no vote can take all of its pay.
    uint256 public constant MINIMUM_NODE_SHARE = 2500;

    /// @notice Whether a TEE measurement (hash of what runs) is accepted.
    mapping(bytes32 measurement => bool accepted) public isAcceptedMeasurement;

    /// @notice Most assets that are ever accepted: holders of a model's shares are settled for each of them at a transfer.
    uint256 public constant MAXIMUM_ASSETS = 8;
    /// @notice Most stake for an asset: a whole stake token (1e18 units) for one unit of it.
    uint256 public constant MAXIMUM_STAKE_RATIO = 1e36;

    /// @notice Stake that a node locks for revenue in an asset, in stake units per 1e18 units of it; zero: the asset was never accepted. The last one stays when a vote
    /// drops the asset: what is owed in it can still be covered and divided.
    mapping(address asset => uint256 ratio) public stakeRatio;
    /// @notice Whether runs may be sold in an asset.
    mapping(address asset => bool accepted) public isAccepted;

    Split private _split;
    mapping(bytes32 name => Parameter) private _parameters;
    bytes32[] private _names;
    address[] private _assets;

    event SplitSet(Split split);
    event ParameterSet(bytes32 indexed name, uint256 from, uint256 to);
    event StakeRatioSet(address indexed asset, uint256 ratio);
    event MeasurementSet(bytes32 indexed measurement, bool accepted);

    error BadSplit(uint256 sum, uint256 nodeShare);
    error UnknownParameter(bytes32 name);
    error OutOfBounds(bytes32 name, uint256 value, uint256 minimum, uint256 maximum);
    error DuplicateParameter(bytes32 name);
    error TooManyAssets(uint256 maximum);
    error RatioTooHigh(address asset, uint256 ratio, uint256 maximum);

    /// @param accepted What payments may be in from the start.
    constructor(address authority, Split memory split_, NamedParameter[] memory parameters, AcceptedAsset[] memory accepted)
        AccessManaged(authority)
    {
        _setSplit(split_);
        for (uint256 i = 0; i < parameters.length; i++) {
            (bytes32 name, Parameter memory parameter) = (parameters[i].name, parameters[i].parameter);
            if (_parameters[name].maximum != 0) revert DuplicateParameter(name);
            _requireBounds(name, parameter, parameter.value);
            _parameters[name] = parameter;
            _names.push(name);
            emit ParameterSet(name, 0, parameter.value);
        }
        for (uint256 i = 0; i < accepted.length; i++) {
            _setStakeRatio(accepted[i].asset, accepted[i].ratio);
        }
    }

    function setSplit(Split calldata split_) external restricted {
        _setSplit(split_);
    }

    function set(bytes32 name, uint256 value) external restricted {
        Parameter storage parameter = _require(name);
        _requireBounds(name, parameter, value);
        emit ParameterSet(name, parameter.value, value);
        parameter.value = value;
    }

    function setMeasurement(bytes32 measurement, bool accepted) external restricted {
        isAcceptedMeasurement[measurement] = accepted;
        emit MeasurementSet(measurement, accepted);
    }

    /// @notice Accepts an asset as payment, or, with zero, no longer: its ratio stays for what was sold before.
    function setStakeRatio(address asset, uint256 ratio) external restricted {
        _setStakeRatio(asset, ratio);
    }

    function split() external view returns (Split memory) {
        return _split;
    }

    /// @notice Value of a parameter; reverts with UnknownParameter.
    function get(bytes32 name) external view returns (uint256) {
        return _require(name).value;
    }

    /// @notice All parameters with their bounds; as many as were given at deployment, never more.
    function all() external view returns (NamedParameter[] memory list) {
        list = new NamedParameter[](_names.length);
        for (uint256 i = 0; i < list.length; i++) {
            list[i] = NamedParameter({name: _names[i], parameter: _parameters[_names[i]]});
        }
    }

    /// @notice Every asset that was ever accepted, with its ratio; at most 8.
    function assets() external view returns (AcceptedAsset[] memory list) {
        list = new AcceptedAsset[](_assets.length);
        for (uint256 i = 0; i < list.length; i++) {
            list[i] = AcceptedAsset(_assets[i], stakeRatio[_assets[i]]);
        }
    }

    function _setSplit(Split memory s) private {
        uint256 sum = uint256(s.node) + s.model + s.parents + s.auditors + s.treasury;
        if (sum != WHOLE || s.node < MINIMUM_NODE_SHARE) revert BadSplit(sum, s.node);
        _split = s;
        emit SplitSet(s);
    }

    function _setStakeRatio(address asset, uint256 ratio) private {
        if (ratio > MAXIMUM_STAKE_RATIO) revert RatioTooHigh(asset, ratio, MAXIMUM_STAKE_RATIO);
        isAccepted[asset] = ratio != 0;
        if (ratio != 0) {
            if (stakeRatio[asset] == 0) {
                if (_assets.length == MAXIMUM_ASSETS) revert TooManyAssets(MAXIMUM_ASSETS);
                _assets.push(asset);
            }
            stakeRatio[asset] = ratio;
        }
        emit StakeRatioSet(asset, ratio);
    }

    function _require(bytes32 name) private view returns (Parameter storage parameter) {
        parameter = _parameters[name];
        if (parameter.maximum == 0) revert UnknownParameter(name);
    }

    function _requireBounds(bytes32 name, Parameter memory parameter, uint256 value) private pure {
        if (value < parameter.minimum || value > parameter.maximum || parameter.maximum == 0) {
            revert OutOfBounds(name, value, parameter.minimum, parameter.maximum);
        }
    }
}
