// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReceiptFaults} from "../../src/faults/ReceiptFaults.sol";
import {Receipt} from "../../src/settlement/Receipt.sol";
import {EconomyFixture} from "../utils/EconomyFixture.sol";
import {ReferenceTree} from "../utils/ReferenceTree.sol";

/// @title An honest node, and strangers who accuse it of everything that its receipts allow to say
/// @notice The node numbers its receipts for each payer, posts within the window, answers within the window, and changes its session key now and then.
contract HonestNode is EconomyFixture {
    uint256 private constant PAYERS = 3;
    uint256 private constant STAKED = 1000 ether;

    struct Issued {
        ReceiptFaults.SignedReceipt signed;
        bytes32 id;
        uint64 index;
    }

    address private _accuser = address(0xACC);
    uint256 private _key = SESSION;
    Issued[] private _issued;
    bytes32[][] private _batches;
    bool[] private _posted;
    uint256[] private _challenged;
    mapping(address payer => uint64) private _next;
    mapping(address payer => bytes32) private _last;
    uint256 public convictions;
    uint256 public answers;

    constructor() {
        super.setUp();
        stakeToken.transfer(_accuser, 100_000 ether);
        vm.prank(_accuser);
        stakeToken.approve(address(faults), type(uint256).max);
        _open();
    }

    /// @dev No move: forge calls every public function.
    function setUp() public override {}

    function issue(uint256 seed, uint256 amount) external {
        Receipt memory r = receiptOf(bound(amount, 0, 1e24));
        r.payer = address(uint160(0x900 + (seed % PAYERS)));
        r.requestHash = keccak256(abi.encode(_issued.length));
        (r.sequence, r.previous) = (_next[r.payer]++, _last[r.payer]);
        r.batch = uint64(_batches.length - 1);
        r.issuedAt = uint64(block.timestamp);
        bytes32 id = log.receiptDigest(r);
        (uint8 v, bytes32 x, bytes32 y) = vm.sign(_key, id);
        bytes32[] storage batch = _batches[r.batch];
        _issued.push(Issued(ReceiptFaults.SignedReceipt(r, abi.encodePacked(x, y, v)), id, uint64(batch.length)));
        batch.push(id);
        _last[r.payer] = id;
    }

    function postOpen() public {
        bytes32[] storage batch = _batches[_batches.length - 1];
        if (batch.length == 0) return;
        bytes32 root = ReferenceTree.root(0x13, batch);
        vm.prank(operator);
        log.post(operator, uint64(_batches.length - 1), root, uint16(batch.length), 0);
        _posted[_batches.length - 1] = true;
        _open();
    }

    function rotate(uint256 seed) external {
        _key = bound(seed, 1, 1 << 128);
        if (registry.nodeOfSessionKey(vm.addr(_key)) != address(0)) return;
        bytes memory proof = proofOf(_key, operator);
        vm.prank(operator);
        registry.rotateSessionKey(vm.addr(_key), proof);
    }

    /// @dev Time passes; before a window closes the node does what it has to.
    function pass(uint256 time) external {
        time = bound(time, 0, ANSWER_WINDOW);
        if (_oldestOpen() + POSTING_WINDOW <= block.timestamp + time) postOpen();
        answer();
        vm.warp(block.timestamp + time);
    }

    function answer() public {
        for (uint256 i = 0; i < _challenged.length; i++) {
            Issued storage c = _issued[_challenged[i]];
            if (!_posted[c.signed.receipt.batch]) postOpen();
            bytes32[] memory siblings = ReferenceTree.proof(0x13, _batches[c.signed.receipt.batch], c.index);
            faults.answer(c.id, c.index, siblings);
            answers++;
        }
        delete _challenged;
    }

    function challenge(uint256 seed) external {
        if (_issued.length == 0) return;
        Issued storage c = _issued[seed % _issued.length];
        vm.prank(_accuser);
        try faults.challenge(c.signed) {
            _challenged.push(seed % _issued.length);
        } catch {}
    }

    function accuse(uint256 first, uint256 second) external {
        if (_issued.length == 0) return;
        vm.prank(_accuser);
        try faults.equivocation(_issued[first % _issued.length].signed, _issued[second % _issued.length].signed) {
            convictions++;
        } catch {}
    }

    function punish(uint256 seed) external {
        if (_issued.length == 0) return;
        try faults.punish(_issued[seed % _issued.length].id) {
            convictions++;
        } catch {}
    }

    function lost() external view returns (uint256) {
        return STAKED - staking.ownStakeOf(operator);
    }

    function earnedBonds() external view returns (uint256) {
        return stakeToken.balanceOf(operator);
    }

    function heldBonds() external view returns (uint256 held, uint256 open) {
        return (stakeToken.balanceOf(address(faults)), _challenged.length);
    }

    function _open() private {
        _batches.push();
        _posted.push(false);
    }

    function _oldestOpen() private view returns (uint256) {
        bytes32[] storage batch = _batches[_batches.length - 1];
        return batch.length == 0 ? block.timestamp : _issued[_issued.length - batch.length].signed.receipt.issuedAt;
    }
}

contract FaultInvariants is EconomyFixture {
    HonestNode private node;

    function setUp() public override {
        node = new HonestNode();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(node);
    }

    function invariant_an_honest_node_is_never_slashed() public view {
        assertEq(node.convictions(), 0, "convictions");
        assertEq(node.lost(), 0, "stake");
    }

    function invariant_wrong_challengers_pay_the_node() public view {
        assertEq(node.earnedBonds(), node.answers() * CHALLENGE_BOND, "bonds of answered challenges");
        (uint256 held, uint256 open) = node.heldBonds();
        assertEq(held, open * CHALLENGE_BOND, "bonds of open challenges");
    }
}
