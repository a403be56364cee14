// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Parameters} from "../governance/Parameters.sol";
import {StakePool} from "./StakePool.sol";

/// @title What operators and their delegators stand to lose
/// @notice Stake is slashable from the deposit to the withdrawal, while it thaws too. Settlement locks stake in proportion to revenue, one reservation a receipt,
/// until the dispute window closes. A thaw ends no sooner than the reservations that were open when it began: so every reservation stays covered, and none of them
/// keeps anybody from leaving. A running dispute freezes the operator's withdrawals, and his delegators' as far as his own stake does not cover what is in dispute:
/// own stake is lost first.
/// @dev No administrator. SETTLEMENT and the slashers are contracts, fixed at deployment; numbers come from {Parameters}. The stake token must be a plain ERC-20.
contract Staking is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using StakePool for StakePool.Pool;
    using StakePool for StakePool.Side;
    using SafeCast for uint256;

    struct Holding {
        uint256 shares;
        uint64 generation;
    }

    struct Thaw {
        uint256 shares;
        uint64 generation;
        uint64 until;
    }

    /// @dev First and one past the last open request.
    struct Queue {
        uint128 head;
        uint128 tail;
        mapping(uint128 place => Thaw) requests;
    }

    /// @dev Receipts of an operator's reservations, oldest first: first and one past the last that may still lock stake.
    struct Line {
        uint128 head;
        uint128 tail;
        mapping(uint128 place => bytes32 receipt) receipts;
    }

    /// @dev Stays after its release, with amount 0: a receipt is reserved for once.
    struct Reservation {
        address operator;
        uint64 until;
        uint256 amount;
    }

    struct Dispute {
        address operator;
        /// The most that losing it may cost; zero when it never costs delegated stake.
        uint256 atStake;
    }

    struct Operator {
        StakePool.Pool own;
        StakePool.Pool delegated;
        uint128 reserved;
        /// End of the last reservation.
        uint64 reservedUntil;
        /// Open disputes.
        uint64 disputes;
        /// Sum over the open disputes.
        uint256 atStake;
    }

    /// @notice How a slash is divided. Own stake pays first; what nobody gets is burned.
    struct Slash {
        /// What the slasher calls the fault: slashed for once. An open dispute of that name ends with it.
        bytes32 fault;
        address operator;
        /// Zero, or the receipt whose reservation it settles.
        bytes32 receipt;
        uint256 amount;
        address challenger;
        /// Wanted reward: at most half of what the operator's own stake loses is paid.
        uint256 reward;
        address payer;
        /// What the payer gets back, as far as it is there.
        uint256 refund;
        /// What the payer really paid for the receipt, as stake at the ratio of {Parameters.stakeRatio}: bounds what delegators refund.
        uint256 paid;
    }

    uint256 public constant MAXIMUM_OPEN_THAWS = 32;
    /// @notice Reservations that one call of {releaseDue} looks at.
    uint256 public constant MAXIMUM_RELEASES = 32;
    uint256 public constant MAXIMUM_SLASHERS = 4;
    uint256 public constant WHOLE = 10_000;
    bytes32 public constant THAW_PERIOD = "thawPeriod";
    bytes32 public constant SLASH_FRACTION = "slashFraction";
    /// @notice How many times his own stake an operator's delegated stake counts at most, when stake is reserved.
    bytes32 public constant DELEGATION_RATIO = "delegationRatio";
    /// @dev Where slashed stake goes that nobody gets.
    address public constant BURNED = address(0xdEaD);

    IERC20 public immutable TOKEN;
    Parameters public immutable PARAMETERS;
    address public immutable SETTLEMENT;

    /// @notice Contracts that may freeze and slash.
    mapping(address account => bool) public isSlasher;
    /// @notice The reservation of a receipt; amount 0 when there is none, or none any more.
    mapping(bytes32 receipt => Reservation) public reservationOf;
    /// @notice Disputes that run, by the slasher that opened them and its name for them.
    mapping(address slasher => mapping(bytes32 fault => Dispute)) public disputeOf;
    /// @notice Faults that were slashed for.
    mapping(address slasher => mapping(bytes32 fault => bool)) public wasSlashed;
    address[] private _slashers;
    mapping(address operator => Operator) private _operators;
    mapping(address operator => Line) private _lines;
    mapping(address operator => mapping(address delegator => Holding)) private _delegations;
    mapping(address operator => Holding) private _ownHoldings;
    mapping(address operator => mapping(address holder => mapping(bool own => Queue))) private _thaws;

    event Staked(address indexed operator, address indexed from, uint256 amount);
    event Delegated(address indexed operator, address indexed delegator, uint256 amount, uint256 shares);
    event ThawStarted(address indexed operator, address indexed holder, bool own, uint256 amount, uint64 until);
    event Withdrawn(address indexed operator, address indexed holder, bool own, uint256 amount);
    event Reserved(address indexed operator, bytes32 indexed receipt, uint256 amount, uint64 until);
    event Released(address indexed operator, bytes32 indexed receipt, uint256 amount);
    event DisputeOpened(address indexed operator, address indexed slasher, bytes32 indexed fault, uint256 atStake);
    event DisputeClosed(address indexed operator, address indexed slasher, bytes32 indexed fault);
    event Slashed(
        address indexed operator,
        address indexed slasher,
        bytes32 indexed fault,
        bytes32 receipt,
        uint256 own,
        uint256 delegated,
        uint256 reward,
        uint256 refund,
        uint256 burned
    );

    error NothingToMove();
    error NotStaked(address operator);
    error TooManyShares(uint256 wanted, uint256 held);
    error TooManyThaws(uint256 maximum);
    error StakeReserved(address operator, uint256 free, uint256 wanted);
    error InDispute(address operator, uint256 open);
    error OnlySettlement(address caller);
    error OnlySlasher(address caller);
    error AlreadyReserved(bytes32 receipt);
    error NotReserved(bytes32 receipt);
    error StillReserved(bytes32 receipt, uint64 until);
    error BadSlashers(uint256 count, uint256 maximum);
    error NoDispute(bytes32 fault);
    error AlreadyOpen(bytes32 fault);
    error AlreadySlashed(bytes32 fault);
    error ReceiptOfAnother(bytes32 receipt, address operator);

    /// @param slashers_ One to four contracts; nobody can add one.
    constructor(IERC20 token, Parameters parameters, address settlement, address[] memory slashers_) {
        (TOKEN, PARAMETERS, SETTLEMENT, _slashers) = (token, parameters, settlement, slashers_);
        if (slashers_.length == 0 || slashers_.length > MAXIMUM_SLASHERS) revert BadSlashers(slashers_.length, MAXIMUM_SLASHERS);
        for (uint256 i = 0; i < slashers_.length; i++) {
            isSlasher[slashers_[i]] = true;
        }
    }

    modifier onlySlasher() {
        if (!isSlasher[msg.sender]) revert OnlySlasher(msg.sender);
        _;
    }

    /// @notice Adds to an operator's own stake; it belongs to the operator from then on.
    function stake(address operator, uint256 amount) external nonReentrant {
        uint256 received = _pull(amount);
        _credit(_ownHoldings[operator], _operators[operator].own.active, received);
        emit Staked(operator, msg.sender, received);
    }

    /// @notice Stakes on an operator's behalf. No contract pays for it: what delegators get is between them and the operator. Only an operator with own stake can be
    /// delegated to.
    function delegate(address operator, uint256 amount) external nonReentrant {
        Operator storage o = _operators[operator];
        if (o.own.active.tokens == 0) revert NotStaked(operator);
        uint256 received = _pull(amount);
        uint256 shares = _credit(_delegations[operator][msg.sender], o.delegated.active, received);
        emit Delegated(operator, msg.sender, received, shares);
    }

    /// @notice Starts the exit of `shares` of the caller's own stake or delegation. They can be slashed until they are withdrawn: after the thaw period, and not before
    /// the end of the reservations of now. Reservations do not hinder it.
    /// @param own True for the caller's stake as operator.
    function thaw(address operator, bool own, uint256 shares) external {
        (StakePool.Pool storage pool, Holding storage holding) = _position(operator, msg.sender, own);
        uint256 held = holding.generation == pool.active.generation ? holding.shares : 0;
        if (shares == 0) revert NothingToMove();
        if (shares > held) revert TooManyShares(shares, held);
        Queue storage queue = _thaws[operator][msg.sender][own];
        if (queue.tail - queue.head >= MAXIMUM_OPEN_THAWS) revert TooManyThaws(MAXIMUM_OPEN_THAWS);
        holding.shares = held - shares;
        uint256 amount = pool.active.redeem(shares);
        if (amount == 0) revert NothingToMove();
        uint64 until = Math.max(block.timestamp + PARAMETERS.get(THAW_PERIOD), _operators[operator].reservedUntil).toUint64();
        queue.requests[queue.tail++] = Thaw(pool.thawing.enter(amount), pool.thawing.generation, until);
        emit ThawStarted(operator, msg.sender, own, amount, until);
    }

    /// @notice Pays out the caller's thaws that are due, oldest first; at most 32 are ever open.
    function withdraw(address operator, bool own) external nonReentrant returns (uint256 amount) {
        _requireNotFrozen(operator, own);
        (StakePool.Pool storage pool,) = _position(operator, msg.sender, own);
        Queue storage queue = _thaws[operator][msg.sender][own];
        // forge-lint: disable-next-line(block-timestamp)
        while (queue.head != queue.tail && queue.requests[queue.head].until <= block.timestamp) {
            Thaw memory request = queue.requests[queue.head];
            delete queue.requests[queue.head++];
            // shares of an older generation were slashed away
            if (request.generation == pool.thawing.generation) amount += pool.thawing.redeem(request.shares);
        }
        emit Withdrawn(operator, msg.sender, own, amount);
        if (amount != 0) TOKEN.safeTransfer(msg.sender, amount);
    }

    /// @notice Locks stake for a receipt until its dispute window closes. One reservation a receipt, for ever. Frees what is due first: an operator's stake turns over by itself.
    function reserve(address operator, bytes32 receipt, uint256 amount, uint64 until) external {
        if (msg.sender != SETTLEMENT) revert OnlySettlement(msg.sender);
        if (reservationOf[receipt].operator != address(0)) revert AlreadyReserved(receipt);
        if (amount == 0) revert NothingToMove();
        releaseDue(operator);
        uint256 free = freeStake(operator);
        if (amount > free) revert StakeReserved(operator, free, amount);
        reservationOf[receipt] = Reservation(operator, until, amount);
        Line storage line = _lines[operator];
        line.receipts[line.tail++] = receipt;
        Operator storage o = _operators[operator];
        o.reserved += amount.toUint128();
        if (until > o.reservedUntil) o.reservedUntil = until;
        emit Reserved(operator, receipt, amount, until);
    }

    /// @notice Frees an operator's oldest reservations whose windows are over, {MAXIMUM_RELEASES} at most; none while a dispute runs. Anybody may call it.
    /// @return count Of the reservations that are done with, those that were freed before among them.
    function releaseDue(address operator) public returns (uint256 count) {
        if (_operators[operator].disputes != 0) return 0;
        Line storage line = _lines[operator];
        (uint128 head, uint128 tail) = (line.head, line.tail);
        for (; head != tail && count < MAXIMUM_RELEASES; count++) {
            bytes32 receipt = line.receipts[head];
            Reservation memory reservation = reservationOf[receipt];
            if (reservation.amount != 0) {
                // forge-lint: disable-next-line(block-timestamp)
                if (block.timestamp < reservation.until) break;
                _release(receipt, reservation);
            }
            delete line.receipts[head++];
        }
        if (count != 0) line.head = head;
    }

    /// @notice Frees a receipt's stake after its window, unless a dispute runs. Anybody may call it.
    function release(bytes32 receipt) external {
        Reservation memory reservation = reservationOf[receipt];
        if (reservation.amount == 0) revert NotReserved(receipt);
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < reservation.until) revert StillReserved(receipt, reservation.until);
        uint256 open = _operators[reservation.operator].disputes;
        if (open != 0) revert InDispute(reservation.operator, open);
        _release(receipt, reservation);
    }

    /// @notice Freezes an operator's withdrawals and releases, and his delegators' withdrawals while his own stake is less than what is at stake in all his disputes.
    /// @param fault The slasher's name for what is disputed.
    /// @param atStake The most that losing the dispute may cost where own stake does not suffice; zero when it never costs delegated stake.
    function openDispute(bytes32 fault, address operator, uint256 atStake) external onlySlasher {
        if (disputeOf[msg.sender][fault].operator != address(0)) revert AlreadyOpen(fault);
        disputeOf[msg.sender][fault] = Dispute(operator, atStake);
        Operator storage o = _operators[operator];
        o.disputes++;
        o.atStake += atStake;
        emit DisputeOpened(operator, msg.sender, fault, atStake);
    }

    /// @notice Ends a dispute that the caller opened, without a slash.
    function closeDispute(bytes32 fault) external onlySlasher {
        if (disputeOf[msg.sender][fault].operator == address(0)) revert NoDispute(fault);
        _closeDispute(fault);
    }

    /// @notice Takes stake for a fault that was shown: at most the fraction that the parameters allow, own stake first, once a fault.
    function slash(Slash calldata s) external onlySlasher nonReentrant {
        if (wasSlashed[msg.sender][s.fault]) revert AlreadySlashed(s.fault);
        wasSlashed[msg.sender][s.fault] = true;
        if (disputeOf[msg.sender][s.fault].operator != address(0)) _closeDispute(s.fault);
        if (s.receipt != 0) {
            Reservation memory reservation = reservationOf[s.receipt];
            if (reservation.operator != s.operator || reservation.amount == 0) revert ReceiptOfAnother(s.receipt, reservation.operator);
            _release(s.receipt, reservation);
        }
        Operator storage o = _operators[s.operator];
        // at most what the parameters allow: a second dispute may find less than it was opened over
        uint256 amount = Math.min(s.amount, Math.mulDiv(stakeOf(s.operator), PARAMETERS.get(SLASH_FRACTION), WHOLE));
        uint256 own = o.own.slash(Math.min(amount, o.own.total()));
        uint256 delegated = amount > own ? o.delegated.slash(amount - own) : 0;
        // half of the own part at most: nobody profits by accusing himself with delegators' money
        uint256 reward = Math.min(s.reward, own / 2);
        uint256 refund = _refund(s, own - reward, delegated);
        uint256 burned = own + delegated - reward - refund;
        emit Slashed(s.operator, msg.sender, s.fault, s.receipt, own, delegated, reward, refund, burned);
        if (reward != 0) TOKEN.safeTransfer(s.challenger, reward);
        if (refund != 0) TOKEN.safeTransfer(s.payer, refund);
        if (burned != 0) TOKEN.safeTransfer(BURNED, burned);
    }

    /// @notice Contracts that may freeze and slash, as at deployment.
    function slashers() external view returns (address[] memory) {
        return _slashers;
    }

    /// @notice Everything that an operator can lose: own and delegated, active and thawing.
    function stakeOf(address operator) public view returns (uint256) {
        return _operators[operator].own.total() + _operators[operator].delegated.total();
    }

    /// @notice What the operator himself can lose, active and thawing: lost before anything delegated.
    function ownStakeOf(address operator) external view returns (uint256) {
        return _operators[operator].own.total();
    }

    /// @notice What can be reserved now: active stake beyond the reservations. Delegated stake counts up to {DELEGATION_RATIO} times the own one, so that an operator
    /// always has something of his own to lose.
    function freeStake(address operator) public view returns (uint256) {
        Operator storage o = _operators[operator];
        uint256 own = o.own.active.tokens;
        uint256 active = own + Math.min(o.delegated.active.tokens, own * PARAMETERS.get(DELEGATION_RATIO));
        // a slash or a thaw may leave less than is reserved
        return active > o.reserved ? active - o.reserved : 0;
    }

    function operatorInfo(address operator)
        external
        view
        returns (StakePool.Pool memory own, StakePool.Pool memory delegated, uint256 reserved, uint256 disputes, uint256 atStake)
    {
        Operator storage o = _operators[operator];
        return (o.own, o.delegated, o.reserved, o.disputes, o.atStake);
    }

    /// @return shares The holder's active shares.
    /// @return tokens What they are worth now.
    function holdingOf(address operator, address holder, bool own) external view returns (uint256 shares, uint256 tokens) {
        (StakePool.Pool storage pool, Holding storage holding) = _position(operator, holder, own);
        if (holding.generation == pool.active.generation) shares = holding.shares;
        tokens = pool.active.worth(shares);
    }

    /// @notice Open thaws of a holder, oldest first; at most 32.
    function thawsOf(address operator, address holder, bool own) external view returns (Thaw[] memory list) {
        Queue storage queue = _thaws[operator][holder][own];
        list = new Thaw[](queue.tail - queue.head);
        for (uint128 i = 0; i < list.length; i++) {
            list[i] = queue.requests[queue.head + i];
        }
    }

    function _position(address operator, address holder, bool own) private view returns (StakePool.Pool storage, Holding storage) {
        Operator storage o = _operators[operator];
        if (!own) return (o.delegated, _delegations[operator][holder]);
        // nobody but the operator holds own stake
        if (holder != operator) revert NotStaked(holder);
        return (o.own, _ownHoldings[operator]);
    }

    function _credit(Holding storage holding, StakePool.Side storage side, uint256 amount) private returns (uint256 shares) {
        shares = side.enter(amount);
        if (holding.generation != side.generation) (holding.shares, holding.generation) = (0, side.generation);
        holding.shares += shares;
    }

    /// @dev What came, not what was asked for: a token that keeps a fee must not make stake out of nothing.
    function _pull(uint256 amount) private returns (uint256 received) {
        uint256 before = TOKEN.balanceOf(address(this));
        TOKEN.safeTransferFrom(msg.sender, address(this), amount);
        received = TOKEN.balanceOf(address(this)) - before;
        if (received == 0) revert NothingToMove();
    }

    function _requireNotFrozen(address operator, bool own) private view {
        Operator storage o = _operators[operator];
        if (o.disputes != 0 && (own || o.own.total() < o.atStake)) revert InDispute(operator, o.disputes);
    }

    function _closeDispute(bytes32 fault) private {
        Dispute memory dispute = disputeOf[msg.sender][fault];
        delete disputeOf[msg.sender][fault];
        Operator storage o = _operators[dispute.operator];
        o.disputes--;
        o.atStake -= dispute.atStake;
        emit DisputeClosed(dispute.operator, msg.sender, fault);
    }

    /// @dev Out of own stake, whatever is there. Out of delegated stake at most the part of the payment that neither the node nor a model's owner got: whoever pays
    /// himself for a false answer cannot get back from delegators what he did not lose.
    function _refund(Slash calldata s, uint256 own, uint256 delegated) private view returns (uint256) {
        if (s.refund <= own) return s.refund;
        Parameters.Split memory split = PARAMETERS.split();
        uint256 gone = Math.mulDiv(s.paid, uint256(split.auditors) + split.treasury, WHOLE);
        return own + Math.min(s.refund - own, Math.min(delegated, gone));
    }

    function _release(bytes32 receipt, Reservation memory reservation) private {
        reservationOf[receipt].amount = 0;
        // as much as was added to a uint128
        // forge-lint: disable-next-line(unsafe-typecast)
        _operators[reservation.operator].reserved -= uint128(reservation.amount);
        emit Released(reservation.operator, receipt, reservation.amount);
    }
}
