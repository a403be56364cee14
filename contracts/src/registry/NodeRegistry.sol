// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Page} from "../lib/Page.sol";

/// @title Nodes, their session keys, their prices and their bonds
/// @notice Anybody may register with a bond. A node's id is its operator's address. The session key signs receipts; it proves that it agrees,
/// so nobody can claim or block another's key. A key once used by a node stays bound to it for ever, so old receipts stay attributable.
/// Prices are what a node asks at most: clients refuse a quote above them. They bind nobody on chain, where the payer's signed request is the bound.
/// @dev No administrator, no slashing in this version. An exiting node is inactive, but stays registered until it withdraws.
contract NodeRegistry is EIP712 {
    /// @notice One model that a node serves, with its prices per million tokens in the asset's smallest unit.
    struct Price {
        bytes32 modelId;
        /// Zero with both prices zero: free.
        address asset;
        uint128 promptPrice;
        uint128 completionPrice;
    }

    /// @notice What a node tells its clients, and may change at any time.
    struct Offer {
        /// URL of the worker, 1 to 256 bytes.
        string endpoint;
        /// X25519 public key that bodies are sealed to (HPKE); zero: none. Kept apart from the session key, which signs.
        bytes32 encryptionKey;
        /// By ascending model id, each once; at most 64. Not checked against the model registry: a node may serve what is unpublished.
        Price[] prices;
    }

    struct Node {
        address sessionKey;
        uint64 registeredAt;
        /// Zero while active; else the time from which the bond can be withdrawn.
        uint64 exitableAt;
        uint256 bond;
        Offer offer;
    }

    struct NodeView {
        address node;
        Node info;
    }

    uint256 public constant MAXIMUM_ENDPOINT_BYTES = 256;
    uint256 public constant MAXIMUM_MODELS = 64;
    bytes32 public constant SESSION_KEY_TYPEHASH = keccak256("SessionKey(address operator)");

    /// @notice Least bond of a registration, in wei.
    uint256 public immutable MINIMUM_BOND;
    /// @notice Seconds between the request to exit and the withdrawal.
    uint64 public immutable UNBONDING_DELAY;

    /// @notice The node that a session key belongs to or once belonged to; zero when nobody has used it.
    mapping(address sessionKey => address node) public nodeOfSessionKey;
    /// @notice Sum of all bonds, in wei.
    uint256 public totalBond;

    mapping(address node => Node info) private _nodes;
    mapping(address node => uint256 place) private _placeOf;
    address[] private _list;

    event NodeRegistered(address indexed node, address indexed sessionKey, Offer offer, uint256 bond);
    event SessionKeyRotated(address indexed node, address indexed from, address indexed to);
    event NodeUpdated(address indexed node, Offer offer);
    event PriceChanged(address indexed node, bytes32 indexed modelId, address asset, uint128 promptPrice, uint128 completionPrice);
    event BondAdded(address indexed node, uint256 amount, uint256 bond);
    event ExitRequested(address indexed node, uint64 exitableAt);
    event NodeWithdrawn(address indexed node, address indexed to, uint256 bond);

    error AlreadyRegistered(address node);
    error NotRegistered(address node);
    error BondTooSmall(uint256 bond, uint256 minimum);
    error BadSessionKeyProof(address sessionKey, address operator);
    error SessionKeyTaken(address sessionKey, address node);
    error EndpointLength(uint256 length, uint256 maximum);
    error TooManyModels(uint256 count, uint256 maximum);
    error NotAscending(bytes32 modelId, bytes32 previous);
    error NotServed(address node, bytes32 modelId);
    error NoAsset(bytes32 modelId);
    error Exiting(address node, uint64 exitableAt);
    error NotExiting(address node);
    error StillBonded(address node, uint64 exitableAt);
    error NothingSent();
    error TransferFailed(address to);

    constructor(uint256 minimumBond, uint64 unbondingDelay) EIP712("Commonweight", "1") {
        MINIMUM_BOND = minimumBond;
        UNBONDING_DELAY = unbondingDelay;
    }

    /// @notice Registers the caller as a node with the value sent as its bond.
    /// @param proof The session key's signature over {sessionKeyDigest} of the caller.
    function register(address sessionKey, bytes calldata proof, Offer calldata offer) external payable {
        if (_nodes[msg.sender].registeredAt != 0) revert AlreadyRegistered(msg.sender);
        if (msg.value < MINIMUM_BOND) revert BondTooSmall(msg.value, MINIMUM_BOND);
        _bindSessionKey(sessionKey, proof);
        _requireOffer(offer);
        Node storage info = _nodes[msg.sender];
        info.sessionKey = sessionKey;
        info.registeredAt = uint64(block.timestamp);
        info.bond = msg.value;
        info.offer = offer;
        totalBond += msg.value;
        _placeOf[msg.sender] = _list.length;
        _list.push(msg.sender);
        emit NodeRegistered(msg.sender, sessionKey, offer, msg.value);
    }

    /// @notice Replaces the session key. Clients refuse receipts that the old key signs from now on; as evidence against the node ({ReceiptFaults}) they count for ever.
    function rotateSessionKey(address sessionKey, bytes calldata proof) external {
        Node storage info = _requireActive(msg.sender);
        _bindSessionKey(sessionKey, proof);
        emit SessionKeyRotated(msg.sender, info.sessionKey, sessionKey);
        info.sessionKey = sessionKey;
    }

    /// @notice Replaces endpoint, encryption key, models and prices.
    function update(Offer calldata offer) external {
        Node storage info = _requireActive(msg.sender);
        _requireOffer(offer);
        info.offer = offer;
        emit NodeUpdated(msg.sender, offer);
    }

    /// @notice Changes the price of one model that the caller's node serves; cheaper than {update}.
    /// @param index Its place in the offer.
    function setPrice(uint256 index, Price calldata price) external {
        Price[] storage prices = _requireActive(msg.sender).offer.prices;
        if (index >= prices.length || prices[index].modelId != price.modelId) revert NotServed(msg.sender, price.modelId);
        _requireAsset(price);
        prices[index] = price;
        emit PriceChanged(msg.sender, price.modelId, price.asset, price.promptPrice, price.completionPrice);
    }

    /// @notice Adds the value sent to the bond.
    function addBond() external payable {
        Node storage info = _requireActive(msg.sender);
        if (msg.value == 0) revert NothingSent();
        info.bond += msg.value;
        totalBond += msg.value;
        emit BondAdded(msg.sender, msg.value, info.bond);
    }

    /// @notice Makes the caller's node inactive; its bond can be withdrawn after the unbonding delay.
    function requestExit() external {
        Node storage info = _requireActive(msg.sender);
        info.exitableAt = uint64(block.timestamp) + UNBONDING_DELAY;
        emit ExitRequested(msg.sender, info.exitableAt);
    }

    /// @notice Ends the registration and pays the bond to `to`.
    function withdraw(address payable to) external {
        Node storage info = _requireRegistered(msg.sender);
        if (info.exitableAt == 0) revert NotExiting(msg.sender);
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < info.exitableAt) revert StillBonded(msg.sender, info.exitableAt);
        uint256 bond = info.bond;
        // every effect before the call: a recipient that calls back finds no registration
        totalBond -= bond;
        delete _nodes[msg.sender];
        _unlist(msg.sender);
        emit NodeWithdrawn(msg.sender, to, bond);
        (bool sent,) = to.call{value: bond}("");
        if (!sent) revert TransferFailed(to);
    }

    /// @notice What a session key signs to agree to serve `operator`.
    function sessionKeyDigest(address operator) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(SESSION_KEY_TYPEHASH, operator)));
    }

    /// @notice Registered and not exiting.
    function isActive(address node) external view returns (bool) {
        return _nodes[node].registeredAt != 0 && _nodes[node].exitableAt == 0;
    }

    function isRegistered(address node) external view returns (bool) {
        return _nodes[node].registeredAt != 0;
    }

    /// @notice The key that may sign now; zero when the node is not registered.
    function sessionKeyOf(address node) external view returns (address) {
        return _nodes[node].sessionKey;
    }

    /// @notice One registered node; reverts with NotRegistered.
    function nodeInfo(address node) external view returns (Node memory) {
        return _requireRegistered(node);
    }

    /// @notice What a registered node asks for a model; reverts with NotServed.
    function priceOf(address node, bytes32 modelId) external view returns (Price memory) {
        Price[] storage prices = _requireRegistered(node).offer.prices;
        for (uint256 i = 0; i < prices.length; i++) {
            if (prices[i].modelId == modelId) return prices[i];
        }
        revert NotServed(node, modelId);
    }

    function nodeCount() external view returns (uint256) {
        return _list.length;
    }

    /// @notice Registered nodes with their prices, exiting ones included, at most 256 a page. A withdrawal moves the last node to the freed place.
    /// A full node takes about 450,000 gas to read: a caller behind a gas limit asks for short pages.
    function nodesPage(uint256 offset, uint256 limit) external view returns (NodeView[] memory page) {
        uint256 end = Page.end(_list.length, offset, limit);
        page = new NodeView[](end - offset);
        for (uint256 i = offset; i < end; i++) {
            page[i - offset] = NodeView({node: _list[i], info: _nodes[_list[i]]});
        }
    }

    function _bindSessionKey(address sessionKey, bytes calldata proof) private {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(sessionKeyDigest(msg.sender), proof);
        if (failure != ECDSA.RecoverError.NoError || signer != sessionKey) revert BadSessionKeyProof(sessionKey, msg.sender);
        address holder = nodeOfSessionKey[sessionKey];
        if (holder != address(0) && holder != msg.sender) revert SessionKeyTaken(sessionKey, holder);
        nodeOfSessionKey[sessionKey] = msg.sender;
    }

    function _unlist(address node) private {
        uint256 place = _placeOf[node];
        address last = _list[_list.length - 1];
        _list[place] = last;
        _placeOf[last] = place;
        _list.pop();
        delete _placeOf[node];
    }

    function _requireRegistered(address node) private view returns (Node storage info) {
        info = _nodes[node];
        if (info.registeredAt == 0) revert NotRegistered(node);
    }

    function _requireActive(address node) private view returns (Node storage info) {
        info = _requireRegistered(node);
        if (info.exitableAt != 0) revert Exiting(node, info.exitableAt);
    }

    function _requireOffer(Offer calldata offer) private pure {
        uint256 length = bytes(offer.endpoint).length;
        if (length == 0 || length > MAXIMUM_ENDPOINT_BYTES) revert EndpointLength(length, MAXIMUM_ENDPOINT_BYTES);
        if (offer.prices.length > MAXIMUM_MODELS) revert TooManyModels(offer.prices.length, MAXIMUM_MODELS);
        bytes32 previous = 0;
        for (uint256 i = 0; i < offer.prices.length; i++) {
            bytes32 modelId = offer.prices[i].modelId;
            // each model once, and none with the id zero
            if (modelId <= previous) revert NotAscending(modelId, previous);
            previous = modelId;
            _requireAsset(offer.prices[i]);
        }
    }

    function _requireAsset(Price calldata price) private pure {
        if (price.asset == address(0) && (price.promptPrice != 0 || price.completionPrice != 0)) revert NoAsset(price.modelId);
    }
}
