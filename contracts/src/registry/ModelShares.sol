// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC6909} from "@openzeppelin/contracts/token/ERC6909/ERC6909.sol";
import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Parameters} from "../governance/Parameters.sol";
import {ModelRegistry} from "./ModelRegistry.sol";

/// @title Shares in what a model earns (ERC-6909, one id a weights root)
/// @notice The owner of a weights root founds its shares once, names the models that it was made from, and may sell what he holds. Whoever holds shares when
/// revenue arrives owns that part of it, and collects it when he likes.
/// @dev Dividends by a running sum per share (Batog, Boca, Johnson: Scalable Reward Distribution, 2018), one sum an asset; a transfer settles both sides for every
/// asset that the model has earned, of which there are at most {Parameters-MAXIMUM_ASSETS}.
contract ModelShares is ERC6909, IERC2981, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    struct Parent {
        bytes32 weightsRoot;
        /// Of the parents' part, in basis points; the parts of all parents sum to 10,000.
        uint16 part;
    }

    struct Earnings {
        /// Sum of revenue per share, times 2^128.
        uint256 perShare;
        mapping(address holder => uint256) settledAt;
        mapping(address holder => uint256) owed;
    }

    uint256 public constant SUPPLY = 1_000_000;
    uint256 public constant MAXIMUM_PARENTS = 4;
    uint256 public constant WHOLE = 10_000;
    /// @notice Highest royalty hint for secondary sales of shares, in basis points.
    uint256 public constant MAXIMUM_ROYALTY = 1000;
    uint256 private constant SCALE = 1 << 128;

    ModelRegistry public immutable REGISTRY;
    Parameters public immutable PARAMETERS;

    /// @notice Who gets the royalty of a sale of shares, as a hint to markets (ERC-2981), in basis points.
    mapping(bytes32 weightsRoot => uint16 royalty) public royaltyOf;
    mapping(bytes32 weightsRoot => bool founded) public isFounded;
    mapping(bytes32 weightsRoot => Parent[]) private _parents;
    mapping(bytes32 weightsRoot => address[]) private _assets;
    mapping(bytes32 weightsRoot => mapping(address asset => Earnings)) private _earnings;

    event Founded(bytes32 indexed weightsRoot, address indexed owner, Parent[] parents, uint16 royalty);
    event Distributed(bytes32 indexed weightsRoot, address indexed asset, uint256 amount);
    event Collected(bytes32 indexed weightsRoot, address indexed asset, address indexed holder, uint256 amount);

    error NotOwner(bytes32 weightsRoot, address owner, address caller);
    error AlreadyFounded(bytes32 weightsRoot);
    error NotProven(bytes32 weightsRoot);
    error NotFounded(bytes32 weightsRoot);
    error BadParents(uint256 count, uint256 sum);
    error OwnParent(bytes32 weightsRoot);
    error RoyaltyTooHigh(uint256 royalty, uint256 maximum);
    error AssetNotAccepted(address asset);
    error NothingToDistribute();

    constructor(ModelRegistry registry, Parameters parameters) {
        (REGISTRY, PARAMETERS) = (registry, parameters);
    }

    /// @notice Mints all shares of a weights root to its owner. Once; parents never change afterwards. The weights must be proven ({ModelRegistry-prove}): a record
    /// that can still be removed must not leave shares behind.
    /// @param royalty Hint for secondary sales, in basis points, at most 1,000.
    function found(bytes32 weightsRoot, Parent[] calldata parents, uint16 royalty) external {
        address owner = REGISTRY.ownerOf(weightsRoot);
        if (msg.sender != owner) revert NotOwner(weightsRoot, owner, msg.sender);
        if (isFounded[weightsRoot]) revert AlreadyFounded(weightsRoot);
        if (REGISTRY.provenBy(weightsRoot) == 0) revert NotProven(weightsRoot);
        if (royalty > MAXIMUM_ROYALTY) revert RoyaltyTooHigh(royalty, MAXIMUM_ROYALTY);
        uint256 sum = 0;
        for (uint256 i = 0; i < parents.length && i < MAXIMUM_PARENTS; i++) {
            if (parents[i].weightsRoot == weightsRoot) revert OwnParent(weightsRoot);
            sum += parents[i].part;
            _parents[weightsRoot].push(parents[i]);
        }
        if (parents.length > MAXIMUM_PARENTS || (parents.length != 0 && sum != WHOLE)) revert BadParents(parents.length, sum);
        isFounded[weightsRoot] = true;
        royaltyOf[weightsRoot] = royalty;
        emit Founded(weightsRoot, owner, parents, royalty);
        _mint(owner, uint256(weightsRoot), SUPPLY);
    }

    /// @notice Divides `amount` of the caller's `asset` among the holders of now. Anybody may give, in an asset that the network accepts as payment or once did: those
    /// are so few that nobody can fill the list, and what was earned before a vote drops an asset is divided after it.
    function distribute(bytes32 weightsRoot, IERC20 asset, uint256 amount) external nonReentrant {
        if (!isFounded[weightsRoot]) revert NotFounded(weightsRoot);
        Earnings storage earnings = _earnings[weightsRoot][address(asset)];
        if (!_isListed(weightsRoot, address(asset))) {
            if (PARAMETERS.stakeRatio(address(asset)) == 0) revert AssetNotAccepted(address(asset));
            _assets[weightsRoot].push(address(asset));
        }
        uint256 before = asset.balanceOf(address(this));
        asset.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = asset.balanceOf(address(this)) - before;
        if (received == 0) revert NothingToDistribute();
        earnings.perShare += Math.mulDiv(received, SCALE, SUPPLY);
        emit Distributed(weightsRoot, address(asset), received);
    }

    /// @notice Pays the caller what his shares have earned.
    function collect(bytes32 weightsRoot, IERC20 asset) external nonReentrant returns (uint256 amount) {
        Earnings storage earnings = _earnings[weightsRoot][address(asset)];
        _settle(weightsRoot, earnings, msg.sender);
        amount = earnings.owed[msg.sender];
        earnings.owed[msg.sender] = 0;
        emit Collected(weightsRoot, address(asset), msg.sender, amount);
        if (amount != 0) asset.safeTransfer(msg.sender, amount);
    }

    /// @notice What a holder could collect now, rounded down.
    function earned(bytes32 weightsRoot, address asset, address holder) external view returns (uint256) {
        Earnings storage earnings = _earnings[weightsRoot][asset];
        return earnings.owed[holder] + _since(weightsRoot, earnings, holder);
    }

    function parentsOf(bytes32 weightsRoot) external view returns (Parent[] memory) {
        return _parents[weightsRoot];
    }

    /// @notice Assets that a model has earned; at most 8.
    function assetsOf(bytes32 weightsRoot) external view returns (address[] memory) {
        return _assets[weightsRoot];
    }

    /// @notice Whether revenue in `asset` can be divided among the holders of a model.
    function accepts(bytes32 weightsRoot, address asset) external view returns (bool) {
        return isFounded[weightsRoot] && PARAMETERS.stakeRatio(asset) != 0;
    }

    /// @inheritdoc IERC2981
    function royaltyInfo(uint256 id, uint256 price) external view returns (address receiver, uint256 amount) {
        return (REGISTRY.ownerOf(bytes32(id)), Math.mulDiv(price, royaltyOf[bytes32(id)], WHOLE));
    }

    function supportsInterface(bytes4 interfaceId) public view override(ERC6909, IERC165) returns (bool) {
        return interfaceId == type(IERC2981).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev Before shares move, both sides are settled for every asset of the model.
    function _update(address from, address to, uint256 id, uint256 amount) internal override {
        address[] storage assets = _assets[bytes32(id)];
        for (uint256 i = 0; i < assets.length; i++) {
            Earnings storage earnings = _earnings[bytes32(id)][assets[i]];
            _settle(bytes32(id), earnings, from);
            _settle(bytes32(id), earnings, to);
        }
        super._update(from, to, id, amount);
    }

    function _settle(bytes32 weightsRoot, Earnings storage earnings, address holder) private {
        earnings.owed[holder] += _since(weightsRoot, earnings, holder);
        earnings.settledAt[holder] = earnings.perShare;
    }

    function _since(bytes32 weightsRoot, Earnings storage earnings, address holder) private view returns (uint256) {
        return Math.mulDiv(balanceOf(holder, uint256(weightsRoot)), earnings.perShare - earnings.settledAt[holder], SCALE);
    }

    function _isListed(bytes32 weightsRoot, address asset) private view returns (bool) {
        address[] storage assets = _assets[weightsRoot];
        for (uint256 i = 0; i < assets.length; i++) {
            if (assets[i] == asset) return true;
        }
        return false;
    }
}
