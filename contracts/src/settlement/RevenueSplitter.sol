// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Parameters} from "../governance/Parameters.sol";
import {ModelRegistry} from "../registry/ModelRegistry.sol";
import {ModelShares} from "../registry/ModelShares.sol";
import {NodeRegistry} from "../registry/NodeRegistry.sol";
import {Payouts} from "./Payouts.sol";
import {Pots} from "./Pots.sol";

/// @title Where everybody pays for one model on one node
/// @notice One address per (node, model), the same before and after its creation: `payTo` of every price. What arrives is released only as far as posted receipts
/// cover it (see {Pots}), and divided between node, model, parents, auditors and treasury.
/// @dev A clone of one implementation; node and model are immutable arguments in its code. Only SETTLEMENT, which made it, tells it what is covered.
contract RevenueSplitter is Pots {
    using SafeERC20 for IERC20;

    struct Environment {
        Parameters parameters;
        ModelRegistry models;
        ModelShares shares;
        Payouts payouts;
        address auditors;
        address treasury;
    }

    uint256 public constant WHOLE = 10_000;

    ModelRegistry public immutable MODELS;
    ModelShares public immutable SHARES;
    Payouts public immutable PAYOUTS;
    address public immutable AUDITORS;
    address public immutable TREASURY;

    event Released(IERC20 indexed asset, uint256 amount);

    constructor(Environment memory e, NodeRegistry nodes) Pots(msg.sender, e.parameters, nodes) {
        (MODELS, SHARES, PAYOUTS) = (e.models, e.shares, e.payouts);
        (AUDITORS, TREASURY) = (e.auditors, e.treasury);
    }

    function subject() public view override returns (address node, bytes32 modelId) {
        return abi.decode(Clones.fetchCloneArgs(address(this)), (address, bytes32));
    }

    /// @notice Divides what is covered. Anybody may call it; nobody is paid in the call, everybody is credited.
    function release(IERC20 asset) external nonReentrant returns (uint256 amount) {
        amount = _take(asset);
        emit Released(asset, amount);
        _divide(asset, amount);
    }

    /// @dev The node gets what rounding leaves: the parts sum to the whole.
    function _divide(IERC20 asset, uint256 amount) private {
        (address node, bytes32 modelId) = subject();
        Parameters.Split memory split = PARAMETERS.split();
        bytes32 root = MODELS.weightsRootOf(modelId);
        uint256 forModel = _part(amount, split.model);
        uint256 forParents = _part(amount, split.parents);
        ModelShares.Parent[] memory parents = SHARES.parentsOf(root);
        Payouts.Credit[] memory credits = new Payouts.Credit[](4 + parents.length);
        credits[0] = Payouts.Credit(AUDITORS, _part(amount, split.auditors));
        credits[1] = Payouts.Credit(TREASURY, _part(amount, split.treasury));
        credits[3] = Payouts.Credit(node, amount - forModel - forParents - credits[0].amount - credits[1].amount);

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
        _allow(asset, address(PAYOUTS), sum);
        PAYOUTS.credit(asset, credits);
    }

    /// @dev To the holders of a model's shares, or, without shares, as a credit to its owner, or to the treasury when it has none.
    function _give(IERC20 asset, bytes32 root, uint256 amount) private returns (Payouts.Credit memory rest) {
        if (amount == 0) return rest;
        if (SHARES.accepts(root, address(asset))) {
            _allow(asset, address(SHARES), amount);
            SHARES.distribute(root, asset, amount);
            return rest;
        }
        address owner = MODELS.ownerOf(root);
        return Payouts.Credit(owner == address(0) ? TREASURY : owner, amount);
    }

    /// @dev Once and for ever: both take from their caller only, and cannot change. An allowance for each amount would cost a new storage slot each time.
    function _allow(IERC20 asset, address spender, uint256 amount) private {
        if (asset.allowance(address(this), spender) < amount) asset.forceApprove(spender, type(uint256).max);
    }

    function _part(uint256 amount, uint256 basisPoints) private pure returns (uint256) {
        return Math.mulDiv(amount, basisPoints, WHOLE);
    }
}
