// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReceiptFaults} from "../../src/faults/ReceiptFaults.sol";
import {Parameters} from "../../src/governance/Parameters.sol";
import {Token} from "../../src/governance/Token.sol";
import {ModelRegistry} from "../../src/registry/ModelRegistry.sol";
import {ModelShares} from "../../src/registry/ModelShares.sol";
import {Payouts} from "../../src/settlement/Payouts.sol";
import {Pots} from "../../src/settlement/Pots.sol";
import {Receipt} from "../../src/settlement/Receipt.sol";
import {Request} from "../../src/settlement/Request.sol";
import {ReceiptLog} from "../../src/settlement/ReceiptLog.sol";
import {RevenueSplitter} from "../../src/settlement/RevenueSplitter.sol";
import {Settlement} from "../../src/settlement/Settlement.sol";
import {Staking} from "../../src/staking/Staking.sol";
import {Manifests} from "./Manifests.sol";
import {NodeFixture} from "./NodeFixture.sol";
import {ReferenceTree} from "./ReferenceTree.sol";

/// @title Registries, staking and settlement with one staked node and one owned model; money is a second token
abstract contract EconomyFixture is NodeFixture {
    bytes32 internal constant ROOT = keccak256("weights");
    bytes32 internal constant PARENT = keccak256("parent's weights");
    bytes32 internal constant MODEL = keccak256("model");
    bytes32 internal constant CHANNEL = keccak256("channel");
    uint256 internal constant PAYER_KEY = 0x9A9;
    uint256 internal constant REFUND_WINDOW = 5 days;
    uint256 internal constant DISPUTE_WINDOW = 3 days;
    uint256 internal constant POSTING_WINDOW = 1 days;
    uint256 internal constant ANSWER_WINDOW = 6 hours;
    uint256 internal constant CHALLENGE_BOND = 2 ether;
    /// @dev A tenth of the own stake.
    uint256 internal constant FAULT_PENALTY = 1000;
    /// @dev Half a unit of stake for a unit of money.
    uint256 internal constant RATIO = 0.5e18;

    address internal auditors = address(0xA0D);
    address internal treasury = address(0x7EA);
    address internal author = address(0xA01);
    address internal payer = vm.addr(PAYER_KEY);
    AccessManager internal manager;
    Parameters internal parameters;
    ModelRegistry internal models;
    ModelShares internal shares;
    Payouts internal payouts;
    ReceiptLog internal log;
    Staking internal staking;
    Settlement internal settlement;
    ReceiptFaults internal faults;
    Token internal stakeToken;
    IERC20 internal money;

    function setUp() public virtual {
        vm.warp(1_000_000);
        Token.Allocation[] memory allocation = new Token.Allocation[](1);
        allocation[0] = Token.Allocation(address(this), 1_000_000 ether);
        stakeToken = new Token("Commonweight", "CWT", allocation);
        money = new Token("Money", "USD", allocation);
        manager = new AccessManager(address(this));
        parameters = new Parameters(
            address(manager),
            Parameters.Split({node: 7000, model: 1500, parents: 500, auditors: 700, treasury: 300}),
            numbers(),
            new Parameters.AcceptedAsset[](0)
        );
        parameters.setStakeRatio(address(money), RATIO);
        (models, payouts, log) = (new ModelRegistry(parameters), new Payouts(), new ReceiptLog(registry));
        shares = new ModelShares(models, parameters);
        address expected = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        address[] memory slashers = new address[](2);
        (slashers[0], slashers[1]) = (address(this), vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2));
        staking = new Staking(IERC20(stakeToken), parameters, expected, slashers);
        settlement = new Settlement(log, staking, RevenueSplitter.Environment(parameters, models, shares, payouts, auditors, treasury));
        assertEq(address(settlement), expected, "settlement");
        faults = new ReceiptFaults(log, staking);
        assertEq(address(faults), slashers[1], "faults");

        register(operator, SESSION);
        stakeToken.approve(address(staking), type(uint256).max);
        staking.stake(operator, 1000 ether);
        vm.prank(author);
        models.publish(ROOT, MODEL, "", 0, "");
    }

    function numbers() internal pure returns (Parameters.NamedParameter[] memory list) {
        list = new Parameters.NamedParameter[](11);
        list[0] = Parameters.NamedParameter("thawPeriod", Parameters.Parameter(10 days, 1 days, 90 days));
        list[1] = Parameters.NamedParameter("slashFraction", Parameters.Parameter(10_000, 100, 10_000));
        list[2] = Parameters.NamedParameter("refundWindow", Parameters.Parameter(REFUND_WINDOW, 1 hours, 90 days));
        list[3] = Parameters.NamedParameter("disputeWindow", Parameters.Parameter(DISPUTE_WINDOW, 1 hours, 90 days));
        list[4] = Parameters.NamedParameter("delegationRatio", Parameters.Parameter(9, 0, 100));
        list[5] = Parameters.NamedParameter("faultPenalty", Parameters.Parameter(FAULT_PENALTY, 0, 10_000));
        list[6] = Parameters.NamedParameter("postingWindow", Parameters.Parameter(POSTING_WINDOW, 1 hours, 7 days));
        list[7] = Parameters.NamedParameter("answerWindow", Parameters.Parameter(ANSWER_WINDOW, 1 hours, 7 days));
        list[8] = Parameters.NamedParameter("challengeBond", Parameters.Parameter(CHALLENGE_BOND, 0, 100 ether));
        list[9] = Parameters.NamedParameter("modelDeposit", Parameters.Parameter(0, 0, 100 ether));
        list[10] = Parameters.NamedParameter("modelChallengeWindow", Parameters.Parameter(7 days, 1 days, 90 days));
    }

    /// @dev Another manifest over `root`, published by its owner or future owner, and shown.
    function publishProven(address owner, bytes32 root) internal returns (bytes32 modelId) {
        bytes memory manifest = Manifests.over(root);
        modelId = sha256(manifest);
        vm.prank(owner);
        models.publish(root, modelId, "", 0, "");
        models.prove(modelId, manifest);
    }

    function splitter() internal returns (RevenueSplitter) {
        return RevenueSplitter(settlement.createSplitter(operator, MODEL));
    }

    function receiptOf(uint256 cumulative) internal view returns (Receipt memory r) {
        r.node = operator;
        r.payer = payer;
        r.modelId = MODEL;
        r.requestHash = keccak256("request");
        r.asset = address(money);
        r.cumulativeAmount = cumulative;
        r.channel = CHANNEL;
        r.batch = log.nextBatch(operator);
    }

    /// @dev Posts a batch of three, the receipt in the middle.
    function post(Receipt memory r) internal returns (bytes32[] memory siblings) {
        bytes32[] memory leaves = new bytes32[](3);
        (leaves[0], leaves[1], leaves[2]) = (keccak256("a"), log.receiptDigest(r), keccak256("c"));
        bytes32 root = ReferenceTree.root(0x13, leaves);
        siblings = ReferenceTree.proof(0x13, leaves, 1);
        vm.prank(r.node);
        log.post(r.node, r.batch, root, 3, 0);
    }

    function requestOf(Receipt memory r, uint256 limit) internal pure returns (Request memory) {
        return Request(r.requestHash, r.payer, r.node, r.modelId, r.asset, r.channel, limit);
    }

    /// @dev The payer of key `key` agrees to exactly the receipt's sum.
    function signRequest(uint256 key, Receipt memory r) internal view returns (bytes memory) {
        return signRequest(key, requestOf(r, r.cumulativeAmount));
    }

    function signRequest(uint256 key, Request memory request) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, log.requestDigest(request));
        return abi.encodePacked(r, s, v);
    }

    function cover(uint256 cumulative) internal returns (uint256) {
        Receipt memory r = receiptOf(cumulative);
        bytes32[] memory siblings = post(r);
        return settlement.cover(r, r.cumulativeAmount, signRequest(PAYER_KEY, r), 1, siblings);
    }

    /// @dev A transfer of `value` to the splitter, signed with `key` in the name of `from`.
    function authorize(uint256 key, address from, uint256 value, bytes32 nonce) internal returns (Pots.Authorization memory a) {
        bytes32 typeHash = Token(address(money)).TRANSFER_WITH_AUTHORIZATION_TYPEHASH();
        bytes32 structHash = keccak256(abi.encode(typeHash, from, address(splitter()), value, 0, type(uint256).max, nonce));
        bytes32 domain = Token(address(money)).DOMAIN_SEPARATOR();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return Pots.Authorization(from, value, 0, type(uint256).max, nonce, abi.encodePacked(r, s, v));
    }

    function payIn(uint256 amount) internal {
        money.transfer(payer, amount);
        RevenueSplitter to = splitter();
        vm.startPrank(payer);
        money.approve(address(to), amount);
        to.pay(money, amount, CHANNEL);
        vm.stopPrank();
    }
}
