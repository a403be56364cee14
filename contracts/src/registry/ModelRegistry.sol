// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Page} from "../lib/Page.sol";

/// @title Who published which model
/// @notice A model id is the SHA-256 of a manifest; several manifests (another template, other defaults) may stand over the same weights.
/// The first registrant of a weights root owns every model over it. Ids identify; names live in cards and prove nothing.
/// @dev No administrator. Digests and pointers are not checked on chain: a reader checks what a pointer yields against id and digest.
contract ModelRegistry {
    struct Model {
        bytes32 weightsRoot;
        bytes32 cardDigest;
        uint64 publishedAt;
        string manifestPointer;
        string cardPointer;
    }

    struct ModelView {
        bytes32 modelId;
        address owner;
        Model model;
    }

    uint256 public constant MAXIMUM_POINTER_BYTES = 512;

    /// @notice Owner of every model over a weights root; zero when nobody has registered it.
    mapping(bytes32 weightsRoot => address owner) public ownerOf;
    /// @notice Who may accept the ownership of a weights root.
    mapping(bytes32 weightsRoot => address owner) public pendingOwnerOf;

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
    event OwnershipOffered(bytes32 indexed weightsRoot, address indexed owner, address indexed pendingOwner);
    event OwnershipTransferred(bytes32 indexed weightsRoot, address indexed from, address indexed to);

    error ZeroIdentifier();
    error AlreadyPublished(bytes32 modelId);
    error UnknownModel(bytes32 modelId);
    error NotOwner(bytes32 weightsRoot, address owner, address caller);
    error NotPendingOwner(bytes32 weightsRoot, address pendingOwner, address caller);
    error PointerTooLong(uint256 length, uint256 maximum);

    modifier onlyOwner(bytes32 weightsRoot) {
        _requireOwner(weightsRoot);
        _;
    }

    /// @notice Publishes a manifest; registers its weights for the caller when they are new.
    /// @param weightsRoot Root over the weight files (manifest), the same for every manifest over them.
    /// @param modelId SHA-256 of the canonical manifest.
    /// @param manifestPointer Where the manifest can be fetched; at most 512 bytes.
    /// @param cardDigest SHA-256 of the canonical card.
    /// @param cardPointer Where the card can be fetched; at most 512 bytes.
    function publish(bytes32 weightsRoot, bytes32 modelId, string calldata manifestPointer, bytes32 cardDigest, string calldata cardPointer)
        external
    {
        if (weightsRoot == 0 || modelId == 0) revert ZeroIdentifier();
        if (_models[modelId].publishedAt != 0) revert AlreadyPublished(modelId);
        _requirePointer(manifestPointer);
        _requirePointer(cardPointer);
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
            manifestPointer: manifestPointer,
            cardPointer: cardPointer
        });
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

    /// @notice Models in the order of publication, at most 256 a page.
    function modelsPage(uint256 offset, uint256 limit) external view returns (ModelView[] memory page) {
        uint256 end = Page.end(_modelIds.length, offset, limit);
        page = new ModelView[](end - offset);
        for (uint256 i = offset; i < end; i++) {
            page[i - offset] = _view(_modelIds[i]);
        }
    }

    function _view(bytes32 modelId) private view returns (ModelView memory) {
        Model storage model = _models[modelId];
        return ModelView({modelId: modelId, owner: ownerOf[model.weightsRoot], model: model});
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
