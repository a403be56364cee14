// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Parameters} from "../governance/Parameters.sol";
import {ModelRegistry} from "../registry/ModelRegistry.sol";
import {ModelShares} from "../registry/ModelShares.sol";
import {Payouts} from "./Payouts.sol";

/// @title Where everybody pays for one model on one node
/// @notice One address per (node, model), the same before and after its creation: `payTo` of every price. What arrives is released only as far as posted receipts
/// cover it. A payment made through {pay} belongs to its payer until a receipt of that payer covers it, and goes back to him after the window; what arrives by a plain
/// transfer is covered by any receipt over this node and model, and what is too much can be given back by the node alone.
/// @dev A clone of one implementation; node and model are immutable arguments in its code. Only SETTLEMENT, which made it, tells it what is covered.
contract RevenueSplitter is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    struct Environment {
        Parameters parameters;
        ModelRegistry models;
        ModelShares shares;
        Payouts payouts;
        address auditors;
        address treasury;
    }

    struct Pot {
        uint256 amount;
        uint64 refundableFrom;
    }

    uint256 public constant WHOLE = 10_000;
    bytes32 public constant REFUND_WINDOW = "refundWindow";

    address public immutable SETTLEMENT;
    Parameters public immutable PARAMETERS;
    ModelRegistry public immutable MODELS;
    ModelShares public immutable SHARES;
    Payouts public immutable PAYOUTS;
    address public immutable AUDITORS;
    address public immutable TREASURY;

    /// @notice What a payer has paid here that no receipt covers yet.
    mapping(IERC20 asset => mapping(address payer => Pot)) public potOf;
    /// @notice Sum of the pots.
    mapping(IERC20 asset => uint256) public pots;
    /// @notice Taken out of pots by receipts, not yet released.
    mapping(IERC20 asset => uint256) public earned;
    /// @notice Covered by receipts beyond their payers' pots: covers what arrives, or will arrive, by plain transfer.
    mapping(IERC20 asset => uint256) public openCover;

    event Paid(IERC20 indexed asset, address indexed payer, uint256 amount, uint64 refundableFrom);
    event Covered(IERC20 indexed asset, address indexed payer, uint256 fromPot, uint256 open);
    event Released(IERC20 indexed asset, uint256 amount);
    event Refunded(IERC20 indexed asset, address indexed payer, uint256 amount);

    error OnlySettlement(address caller);
    error OnlyNode(address caller);
    error NothingToPay();
    error NotYetRefundable(uint64 refundableFrom);
    error MoreThanSurplus(uint256 wanted, uint256 surplus);

    constructor(Environment memory e) {
        SETTLEMENT = msg.sender;
        (PARAMETERS, MODELS, SHARES, PAYOUTS) = (e.parameters, e.models, e.shares, e.payouts);
        (AUDITORS, TREASURY) = (e.auditors, e.treasury);
    }

    /// @notice Node and model of this splitter.
    function subject() public view returns (address node, bytes32 modelId) {
        return abi.decode(Clones.fetchCloneArgs(address(this)), (address, bytes32));
    }

    /// @notice Pays on the caller's own account: what no receipt of his covers within the window can be taken back.
    function pay(IERC20 asset, uint256 amount) external nonReentrant {
        uint256 before = asset.balanceOf(address(this));
        asset.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = asset.balanceOf(address(this)) - before;
        if (received == 0) revert NothingToPay();
        Pot storage pot = potOf[asset][msg.sender];
        pot.amount += received;
        pot.refundableFrom = uint64(block.timestamp + PARAMETERS.get(REFUND_WINDOW));
        pots[asset] += received;
        emit Paid(asset, msg.sender, received, pot.refundableFrom);
    }

    /// @notice Gives the caller back what no receipt has covered within the window.
    function reclaim(IERC20 asset) external nonReentrant returns (uint256 amount) {
        Pot storage pot = potOf[asset][msg.sender];
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < pot.refundableFrom) revert NotYetRefundable(pot.refundableFrom);
        amount = pot.amount;
        if (amount == 0) revert NothingToPay();
        delete potOf[asset][msg.sender];
        pots[asset] -= amount;
        emit Refunded(asset, msg.sender, amount);
        asset.safeTransfer(msg.sender, amount);
    }

    /// @notice The node gives back what arrived by plain transfer and no receipt covers.
    function refund(IERC20 asset, address payer, uint256 amount) external nonReentrant {
        (address node,) = subject();
        if (msg.sender != node) revert OnlyNode(msg.sender);
        uint256 open = _open(asset);
        uint256 surplus = open > openCover[asset] ? open - openCover[asset] : 0;
        if (amount > surplus) revert MoreThanSurplus(amount, surplus);
        emit Refunded(asset, payer, amount);
        asset.safeTransfer(payer, amount);
    }

    /// @notice A receipt over `amount` of `payer` was shown.
    function cover(IERC20 asset, address payer, uint256 amount) external {
        if (msg.sender != SETTLEMENT) revert OnlySettlement(msg.sender);
        Pot storage pot = potOf[asset][payer];
        uint256 fromPot = Math.min(amount, pot.amount);
        pot.amount -= fromPot;
        pots[asset] -= fromPot;
        earned[asset] += fromPot;
        openCover[asset] += amount - fromPot;
        emit Covered(asset, payer, fromPot, amount - fromPot);
    }

    /// @notice Divides what is covered. Anybody may call it; nobody is paid in the call, everybody is credited.
    function release(IERC20 asset) external nonReentrant returns (uint256 amount) {
        uint256 open = Math.min(openCover[asset], _open(asset));
        amount = earned[asset] + open;
        if (amount == 0) revert NothingToPay();
        earned[asset] = 0;
        openCover[asset] -= open;
        emit Released(asset, amount);
        _divide(asset, amount);
    }

    /// @notice What {release} would divide now.
    function releasable(IERC20 asset) external view returns (uint256) {
        return earned[asset] + Math.min(openCover[asset], _open(asset));
    }

    /// @dev What lies here by plain transfer.
    function _open(IERC20 asset) private view returns (uint256) {
        return asset.balanceOf(address(this)) - pots[asset] - earned[asset];
    }

    /// @dev The node gets what rounding leaves: the parts sum to the whole.
    function _divide(IERC20 asset, uint256 amount) private {
        (address node, bytes32 modelId) = subject();
        Parameters.Split memory split = PARAMETERS.split();
        bytes32 root = MODELS.weightsRootOf(modelId);
        uint256 forModel = _part(amount, split.model);
        uint256 forParents = _part(amount, split.parents);
        Payouts.Credit[] memory credits = new Payouts.Credit[](4 + SHARES.MAXIMUM_PARENTS());
        credits[0] = Payouts.Credit(AUDITORS, _part(amount, split.auditors));
        credits[1] = Payouts.Credit(TREASURY, _part(amount, split.treasury));
        credits[3] = Payouts.Credit(node, amount - forModel - forParents - credits[0].amount - credits[1].amount);

        ModelShares.Parent[] memory parents = SHARES.parentsOf(root);
        uint256 given = 0;
        for (uint256 i = 0; i < parents.length; i++) {
            uint256 part = _part(forParents, parents[i].part);
            given += part;
            credits[4 + i] = _give(asset, parents[i].weightsRoot, part);
        }
        // without parents their part is the model's; with them, the model gets what rounding leaves
        credits[2] = _give(asset, root, forModel + forParents - given);

        uint256 sum = 0;
        for (uint256 i = 0; i < credits.length; i++) {
            sum += credits[i].amount;
        }
        asset.forceApprove(address(PAYOUTS), sum);
        PAYOUTS.credit(asset, credits);
    }

    /// @dev To the holders of a model's shares, or, without shares, as a credit to its owner, or to the treasury when it has none.
    function _give(IERC20 asset, bytes32 root, uint256 amount) private returns (Payouts.Credit memory rest) {
        if (amount == 0) return rest;
        if (SHARES.accepts(root, address(asset))) {
            asset.forceApprove(address(SHARES), amount);
            SHARES.distribute(root, asset, amount);
            return rest;
        }
        address owner = MODELS.ownerOf(root);
        return Payouts.Credit(owner == address(0) ? TREASURY : owner, amount);
    }

    function _part(uint256 amount, uint256 basisPoints) private pure returns (uint256) {
        return Math.mulDiv(amount, basisPoints, WHOLE);
    }
}
