// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Parameters} from "../governance/Parameters.sol";
import {StakePool} from "./StakePool.sol";

/// @title What operators and their delegators stand to lose
/// @notice Stake is slashable from the deposit to the withdrawal, while it thaws too. Settlement locks stake in proportion to revenue, one reservation a receipt,
/// until the dispute window closes; a running dispute freezes withdrawals. The operator's own stake is lost first.
/// @dev No administrator. SETTLEMENT and SLASHER are contracts, fixed at deployment; numbers come from {Parameters}. The stake token must be a plain ERC-20.
contract Staking is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using StakePool for StakePool.Pool;
    using StakePool for StakePool.Side;

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

    struct Reservation {
        address operator;
        uint64 until;
        uint256 amount;
    }

    struct Operator {
        StakePool.Pool own;
        StakePool.Pool delegated;
        uint256 reserved;
        uint256 disputes;
    }

    /// @notice How a slash is divided. Own stake pays first; what nobody gets is burned.
    struct Slash {
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
    }

    uint256 public constant MAXIMUM_OPEN_THAWS = 32;
    uint256 public constant WHOLE = 10_000;
    bytes32 public constant THAW_PERIOD = "thawPeriod";
    bytes32 public constant SLASH_FRACTION = "slashFraction";
    /// @dev Where slashed stake goes that nobody gets.
    address public constant BURNED = address(0xdEaD);

    IERC20 public immutable TOKEN;
    Parameters public immutable PARAMETERS;
    address public immutable SETTLEMENT;
    address public immutable SLASHER;

    /// @notice The reservation of a receipt; amount 0 when there is none.
    mapping(bytes32 receipt => Reservation) public reservationOf;
    mapping(bytes32 receipt => bool) private _everReserved;
    mapping(address operator => Operator) private _operators;
    mapping(address operator => mapping(address delegator => Holding)) private _delegations;
    mapping(address operator => Holding) private _ownHoldings;
    mapping(address operator => mapping(address holder => mapping(bool own => Queue))) private _thaws;

    event Staked(address indexed operator, address indexed from, uint256 amount);
    event Delegated(address indexed operator, address indexed delegator, uint256 amount, uint256 shares);
    event ThawStarted(address indexed operator, address indexed holder, bool own, uint256 amount, uint64 until);
    event Withdrawn(address indexed operator, address indexed holder, bool own, uint256 amount);
    event Reserved(address indexed operator, bytes32 indexed receipt, uint256 amount, uint64 until);
    event Released(address indexed operator, bytes32 indexed receipt, uint256 amount);
    event DisputeOpened(address indexed operator, uint256 open);
    event DisputeClosed(address indexed operator, uint256 open);
    event Slashed(
        address indexed operator, bytes32 indexed receipt, uint256 own, uint256 delegated, uint256 reward, uint256 refund, uint256 burned
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
    error NoDispute(address operator);
    error ReceiptOfAnother(bytes32 receipt, address operator);

    constructor(IERC20 token, Parameters parameters, address settlement, address slasher) {
        (TOKEN, PARAMETERS, SETTLEMENT, SLASHER) = (token, parameters, settlement, slasher);
    }

    modifier onlySlasher() {
        if (msg.sender != SLASHER) revert OnlySlasher(msg.sender);
        _;
    }

    /// @notice Adds to an operator's own stake; it belongs to the operator from then on.
    function stake(address operator, uint256 amount) external nonReentrant {
        uint256 received = _pull(amount);
        _credit(_ownHoldings[operator], _operators[operator].own.active, received);
        emit Staked(operator, msg.sender, received);
    }

    /// @notice Stakes on an operator's behalf, for a part of its earnings. Only an operator with own stake can be delegated to.
    function delegate(address operator, uint256 amount) external nonReentrant {
        Operator storage o = _operators[operator];
        if (o.own.active.tokens == 0) revert NotStaked(operator);
        uint256 received = _pull(amount);
        uint256 shares = _credit(_delegations[operator][msg.sender], o.delegated.active, received);
        emit Delegated(operator, msg.sender, received, shares);
    }

    /// @notice Starts the exit of `shares` of the caller's own stake or delegation. They can be slashed until they are withdrawn.
    /// @param own True for the caller's stake as operator.
    function thaw(address operator, bool own, uint256 shares) external {
        (StakePool.Pool storage pool, Holding storage holding) = _position(operator, msg.sender, own);
        uint256 held = holding.generation == pool.active.generation ? holding.shares : 0;
        if (shares == 0) revert NothingToMove();
        if (shares > held) revert TooManyShares(shares, held);
        Queue storage queue = _thaws[operator][msg.sender][own];
        if (queue.tail - queue.head >= MAXIMUM_OPEN_THAWS) revert TooManyThaws(MAXIMUM_OPEN_THAWS);
        holding.shares = held - shares;
        uint256 free = freeStake(operator);
        uint256 amount = pool.active.redeem(shares);
        if (amount > free) revert StakeReserved(operator, free, amount);
        if (amount == 0) revert NothingToMove();
        uint64 until = uint64(block.timestamp + PARAMETERS.get(THAW_PERIOD));
        queue.requests[queue.tail++] = Thaw(pool.thawing.enter(amount), pool.thawing.generation, until);
        emit ThawStarted(operator, msg.sender, own, amount, until);
    }

    /// @notice Pays out the caller's thaws that are due, oldest first; at most 32 are ever open.
    function withdraw(address operator, bool own) external nonReentrant returns (uint256 amount) {
        uint256 open = _operators[operator].disputes;
        if (open != 0) revert InDispute(operator, open);
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

    /// @notice Locks stake for a receipt until its dispute window closes. One reservation a receipt, for ever.
    function reserve(address operator, bytes32 receipt, uint256 amount, uint64 until) external {
        if (msg.sender != SETTLEMENT) revert OnlySettlement(msg.sender);
        if (_everReserved[receipt]) revert AlreadyReserved(receipt);
        if (amount == 0) revert NothingToMove();
        uint256 free = freeStake(operator);
        if (amount > free) revert StakeReserved(operator, free, amount);
        _everReserved[receipt] = true;
        reservationOf[receipt] = Reservation(operator, until, amount);
        _operators[operator].reserved += amount;
        emit Reserved(operator, receipt, amount, until);
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

    /// @notice Freezes withdrawals and releases of an operator; counts, since several disputes may run.
    function openDispute(address operator) external onlySlasher {
        emit DisputeOpened(operator, ++_operators[operator].disputes);
    }

    function closeDispute(address operator) external onlySlasher {
        if (_operators[operator].disputes == 0) revert NoDispute(operator);
        emit DisputeClosed(operator, --_operators[operator].disputes);
    }

    /// @notice Takes stake after a lost dispute: at most the fraction that the parameters allow.
    function slash(Slash calldata s) external onlySlasher nonReentrant {
        Operator storage o = _operators[s.operator];
        // at most what the parameters allow: a second dispute may find less than it was opened over
        uint256 amount = Math.min(s.amount, Math.mulDiv(stakeOf(s.operator), PARAMETERS.get(SLASH_FRACTION), WHOLE));
        if (s.receipt != 0) {
            Reservation memory reservation = reservationOf[s.receipt];
            if (reservation.operator != s.operator) revert ReceiptOfAnother(s.receipt, reservation.operator);
            _release(s.receipt, reservation);
        }
        uint256 own = o.own.slash(Math.min(amount, o.own.total()));
        uint256 delegated = amount > own ? o.delegated.slash(amount - own) : 0;
        // half of the own part at most: nobody profits by accusing himself with delegators' money
        uint256 reward = Math.min(s.reward, own / 2);
        uint256 refund = Math.min(s.refund, own + delegated - reward);
        uint256 burned = own + delegated - reward - refund;
        emit Slashed(s.operator, s.receipt, own, delegated, reward, refund, burned);
        if (reward != 0) TOKEN.safeTransfer(s.challenger, reward);
        if (refund != 0) TOKEN.safeTransfer(s.payer, refund);
        if (burned != 0) TOKEN.safeTransfer(BURNED, burned);
    }

    /// @notice Everything that an operator can lose: own and delegated, active and thawing.
    function stakeOf(address operator) public view returns (uint256) {
        return _operators[operator].own.total() + _operators[operator].delegated.total();
    }

    /// @notice Active stake that no reservation holds: what can be reserved or thawed now.
    function freeStake(address operator) public view returns (uint256) {
        Operator storage o = _operators[operator];
        uint256 active = o.own.active.tokens + o.delegated.active.tokens;
        // a slash may leave less than is reserved
        return active > o.reserved ? active - o.reserved : 0;
    }

    function operatorInfo(address operator)
        external
        view
        returns (StakePool.Pool memory own, StakePool.Pool memory delegated, uint256 reserved, uint256 disputes)
    {
        Operator storage o = _operators[operator];
        return (o.own, o.delegated, o.reserved, o.disputes);
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
        if (amount == 0) revert NothingToMove();
        uint256 before = TOKEN.balanceOf(address(this));
        TOKEN.safeTransferFrom(msg.sender, address(this), amount);
        received = TOKEN.balanceOf(address(this)) - before;
    }

    function _release(bytes32 receipt, Reservation memory reservation) private {
        delete reservationOf[receipt];
        _operators[reservation.operator].reserved -= reservation.amount;
        emit Released(reservation.operator, receipt, reservation.amount);
    }
}
