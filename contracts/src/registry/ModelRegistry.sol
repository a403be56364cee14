// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Parameters} from "../governance/Parameters.sol";
import {ManifestHead} from "../lib/ManifestHead.sol";
import {Page} from "../lib/Page.sol";

/// @title Who published which model
/// @notice A model id is the SHA-256 of a manifest; several manifests (another template, other defaults) may stand over the same weights.
/// The first registrant of a weights root owns every model over it. Ids identify; names live in cards and prove nothing.
/// A record says which weights its manifest names. Whoever shows the manifest's bytes can have a false record removed, or a true one proven for ever.
/// @dev No administrator. Other digests and pointers are not checked on chain: a reader checks what a pointer yields against id and digest.
contract ModelRegistry {
    struct Model {
        bytes32 weightsRoot;
        bytes32 cardDigest;
        uint64 publishedAt;
        /// From then on the deposit goes back to whom it came from.
        uint64 reclaimableFrom;
        /// Wei; zero once it is gone.
        uint128 deposit;
        address depositor;
        /// In the list of models; changes when another one is removed.
        uint96 place;
        string manifestPointer;
        string cardPointer;
    }

    struct ModelView {
        bytes32 modelId;
        address owner;
        /// Whether some manifest over these weights was shown: then their owner is final.
        bool isProven;
        Model model;
    }

    uint256 public constant MAXIMUM_POINTER_BYTES = 512;
    /// @notice Wei that a publication leaves here until the window is over.
    bytes32 public constant DEPOSIT = "modelDeposit";
    /// @notice Seconds of that window.
    bytes32 public constant CHALLENGE_WINDOW = "modelChallengeWindow";
    /// @dev Where the half of a lost deposit goes that the challenger does not get.
    address public constant BURNED = address(0xdEaD);

    Parameters public immutable PARAMETERS;

    /// @notice Owner of every model over a weights root; zero when nobody has registered it.
    mapping(bytes32 weightsRoot => address owner) public ownerOf;
    /// @notice Who may accept the ownership of a weights root.
    mapping(bytes32 weightsRoot => address owner) public pendingOwnerOf;

    /// @notice A model over these weights whose manifest was shown; zero: none. Set once.
    mapping(bytes32 weightsRoot => bytes32 modelId) public provenBy;
    /// @notice Records over a weights root; with the last one its ownership ends.
    mapping(bytes32 weightsRoot => uint256 count) public recordsOf;
    /// @notice Wei that an account can withdraw.
    mapping(address account => uint256 amount) public owed;

    mapping(bytes32 modelId => Model model) private _models;
    bytes32[] private _modelIds;

    event WeightsRegistered(bytes32 indexed weightsRoot, address indexed owner);
    event ModelPublished(
        bytes32 indexed modelId,
        bytes32 indexed weightsRoot,
        address indexed owner,
        string manifestPointer,
        bytes32 cardDigest,
        string cardPointer
    );
    event CardUpdated(bytes32 indexed modelId, bytes32 cardDigest, string cardPointer);
    event ModelProven(bytes32 indexed modelId, bytes32 indexed weightsRoot);
    /// @param manifestRoot What the manifest names instead; zero when the bytes are no manifest.
    event ModelRemoved(
        bytes32 indexed modelId,
        bytes32 indexed weightsRoot,
        address indexed challenger,
        bytes32 manifestRoot,
        uint256 reward,
        uint256 burned
    );
    event WeightsReleased(bytes32 indexed weightsRoot, address indexed owner);
    event DepositReturned(bytes32 indexed modelId, address indexed depositor, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);
    event OwnershipOffered(bytes32 indexed weightsRoot, address indexed owner, address indexed pendingOwner);
    event OwnershipTransferred(bytes32 indexed weightsRoot, address indexed from, address indexed to);

    error ZeroIdentifier();
    error AlreadyPublished(bytes32 modelId);
    error UnknownModel(bytes32 modelId);
    error NotOwner(bytes32 weightsRoot, address owner, address caller);
    error NotPendingOwner(bytes32 weightsRoot, address pendingOwner, address caller);
    error WrongDeposit(uint256 sent, uint256 expected);
    error NotTheManifest(bytes32 modelId, bytes32 digest);
    error RecordIsTrue(bytes32 modelId, bytes32 weightsRoot);
    error RecordIsFalse(bytes32 modelId, bytes32 weightsRoot, bytes32 manifestRoot);
    error AlreadyProven(bytes32 weightsRoot, bytes32 modelId);
    error NotYetReclaimable(bytes32 modelId, uint64 reclaimableFrom);
    error NothingOwed(address account);
    error TransferFailed(address to);
    error PointerTooLong(uint256 length, uint256 maximum);

    modifier onlyOwner(bytes32 weightsRoot) {
        _requireOwner(weightsRoot);
        _;
    }

    constructor(Parameters parameters) {
        PARAMETERS = parameters;
    }

    /// @notice Publishes a manifest; registers its weights for the caller when they are new. Takes the deposit, exactly.
    /// @param weightsRoot Root over the weight files (manifest), the same for every manifest over them.
    /// @param modelId SHA-256 of the canonical manifest.
    /// @param manifestPointer Where the manifest can be fetched; at most 512 bytes.
    /// @param cardDigest SHA-256 of the canonical card.
    /// @param cardPointer Where the card can be fetched; at most 512 bytes.
    function publish(bytes32 weightsRoot, bytes32 modelId, string calldata manifestPointer, bytes32 cardDigest, string calldata cardPointer)
        external
        payable
    {
        if (weightsRoot == 0 || modelId == 0) revert ZeroIdentifier();
        if (_models[modelId].publishedAt != 0) revert AlreadyPublished(modelId);
        _requirePointer(manifestPointer);
        _requirePointer(cardPointer);
        uint256 deposit = PARAMETERS.get(DEPOSIT);
        if (msg.value != deposit) revert WrongDeposit(msg.value, deposit);
        if (ownerOf[weightsRoot] == address(0)) {
            ownerOf[weightsRoot] = msg.sender;
            emit WeightsRegistered(weightsRoot, msg.sender);
        } else {
            _requireOwner(weightsRoot);
        }
        _models[modelId] = Model({
            weightsRoot: weightsRoot,
            cardDigest: cardDigest,
            publishedAt: uint64(block.timestamp),
            reclaimableFrom: uint64(block.timestamp + PARAMETERS.get(CHALLENGE_WINDOW)),
            // the parameter's bound keeps it far below 2^128
            // forge-lint: disable-next-line(unsafe-typecast)
            deposit: uint128(deposit),
            depositor: msg.sender,
            place: uint96(_modelIds.length),
            manifestPointer: manifestPointer,
            cardPointer: cardPointer
        });
        recordsOf[weightsRoot]++;
        _modelIds.push(modelId);
        emit ModelPublished(modelId, weightsRoot, msg.sender, manifestPointer, cardDigest, cardPointer);
    }

    /// @notice Replaces the card of a model. The id does not change.
    function updateCard(bytes32 modelId, bytes32 cardDigest, string calldata cardPointer) external {
        Model storage model = _requireModel(modelId);
        _requireOwner(model.weightsRoot);
        _requirePointer(cardPointer);
        model.cardDigest = cardDigest;
        model.cardPointer = cardPointer;
        emit CardUpdated(modelId, cardDigest, cardPointer);
    }

    /// @notice Removes a record whose manifest names other weights, or is none. Anybody, at any time, with the bytes of which the model id is the SHA-256.
    /// The caller is owed half of the deposit, if it is still here; the other half burns, so that nobody saves his deposit by accusing himself.
    /// @param manifest All of it: its length is bounded by what a transaction may carry.
    function challenge(bytes32 modelId, bytes calldata manifest) external {
        Model storage model = _requireModel(modelId);
        bytes32 weightsRoot = model.weightsRoot;
        bytes32 manifestRoot = _manifestRoot(modelId, manifest);
        if (manifestRoot == weightsRoot) revert RecordIsTrue(modelId, weightsRoot);
        uint256 reward = model.deposit / 2;
        uint256 burned = model.deposit - reward;
        _unlist(model.place);
        delete _models[modelId];
        owed[msg.sender] += reward;
        emit ModelRemoved(modelId, weightsRoot, msg.sender, manifestRoot, reward, burned);
        if (--recordsOf[weightsRoot] == 0) {
            emit WeightsReleased(weightsRoot, ownerOf[weightsRoot]);
            delete ownerOf[weightsRoot];
            delete pendingOwnerOf[weightsRoot];
        }
        if (burned != 0) _send(BURNED, burned);
    }

    /// @notice Shows that a record is true: no challenge can ever remove it, and its weights keep their owner. Needed before shares are founded. Anybody may call it.
    function prove(bytes32 modelId, bytes calldata manifest) external {
        bytes32 weightsRoot = _requireModel(modelId).weightsRoot;
        if (provenBy[weightsRoot] != 0) revert AlreadyProven(weightsRoot, provenBy[weightsRoot]);
        bytes32 manifestRoot = _manifestRoot(modelId, manifest);
        if (manifestRoot != weightsRoot) revert RecordIsFalse(modelId, weightsRoot, manifestRoot);
        provenBy[weightsRoot] = modelId;
        emit ModelProven(modelId, weightsRoot);
    }

    /// @notice After the window the depositor is owed what he left here. Anybody may call it.
    function returnDeposit(bytes32 modelId) external {
        Model storage model = _requireModel(modelId);
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < model.reclaimableFrom) revert NotYetReclaimable(modelId, model.reclaimableFrom);
        uint256 amount = model.deposit;
        if (amount == 0) revert NothingOwed(model.depositor);
        model.deposit = 0;
        owed[model.depositor] += amount;
        emit DepositReturned(modelId, model.depositor, amount);
    }

    /// @notice Pays the caller what he is owed.
    function withdraw(address payable to) external {
        uint256 amount = owed[msg.sender];
        if (amount == 0) revert NothingOwed(msg.sender);
        owed[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        _send(to, amount);
    }

    /// @notice Offers a weights root, with every model over it, to `to`; zero takes the offer back.
    function offerOwnership(bytes32 weightsRoot, address to) external onlyOwner(weightsRoot) {
        pendingOwnerOf[weightsRoot] = to;
        emit OwnershipOffered(weightsRoot, msg.sender, to);
    }

    function acceptOwnership(bytes32 weightsRoot) external {
        address pending = pendingOwnerOf[weightsRoot];
        if (msg.sender != pending) revert NotPendingOwner(weightsRoot, pending, msg.sender);
        address from = ownerOf[weightsRoot];
        ownerOf[weightsRoot] = msg.sender;
        delete pendingOwnerOf[weightsRoot];
        emit OwnershipTransferred(weightsRoot, from, msg.sender);
    }

    function modelCount() external view returns (uint256) {
        return _modelIds.length;
    }

    /// @notice One published model; reverts with UnknownModel.
    function modelInfo(bytes32 modelId) external view returns (ModelView memory) {
        _requireModel(modelId);
        return _view(modelId);
    }

    /// @notice Weights root of a published model; zero for an unknown id.
    function weightsRootOf(bytes32 modelId) external view returns (bytes32) {
        return _models[modelId].weightsRoot;
    }

    /// @notice Owner of a published model; zero for an unknown id.
    function modelOwner(bytes32 modelId) external view returns (address) {
        return ownerOf[_models[modelId].weightsRoot];
    }

    /// @notice Models in the order of publication, at most 256 a page. A removal moves the last model to the freed place.
    function modelsPage(uint256 offset, uint256 limit) external view returns (ModelView[] memory page) {
        uint256 end = Page.end(_modelIds.length, offset, limit);
        page = new ModelView[](end - offset);
        for (uint256 i = offset; i < end; i++) {
            page[i - offset] = _view(_modelIds[i]);
        }
    }

    function _view(bytes32 modelId) private view returns (ModelView memory) {
        Model storage model = _models[modelId];
        return ModelView({modelId: modelId, owner: ownerOf[model.weightsRoot], isProven: provenBy[model.weightsRoot] != 0, model: model});
    }

    function _unlist(uint96 place) private {
        bytes32 last = _modelIds[_modelIds.length - 1];
        _modelIds[place] = last;
        _models[last].place = place;
        _modelIds.pop();
    }

    function _send(address to, uint256 amount) private {
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert TransferFailed(to);
    }

    function _manifestRoot(bytes32 modelId, bytes calldata manifest) private pure returns (bytes32) {
        bytes32 digest = sha256(manifest);
        if (digest != modelId) revert NotTheManifest(modelId, digest);
        return ManifestHead.weightsRoot(manifest);
    }

    function _requireModel(bytes32 modelId) private view returns (Model storage model) {
        model = _models[modelId];
        if (model.publishedAt == 0) revert UnknownModel(modelId);
    }

    function _requireOwner(bytes32 weightsRoot) private view {
        address owner = ownerOf[weightsRoot];
        if (msg.sender != owner) revert NotOwner(weightsRoot, owner, msg.sender);
    }

    function _requirePointer(string calldata pointer) private pure {
        uint256 length = bytes(pointer).length;
        if (length > MAXIMUM_POINTER_BYTES) revert PointerTooLong(length, MAXIMUM_POINTER_BYTES);
    }
}
