// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Page} from "../lib/Page.sol";
import {ModelRegistry} from "./ModelRegistry.sol";

/// @title Versions of a model, in a line, and names that move along it
/// @notice A line is one owner's list of models in the order in which he called them versions; it only grows. Tags (`latest`, `stable`) point at versions and may be moved: they
/// are a convenience for readers who trust the owner. They identify nothing; ids do. Where a tag stood at some time is in the events.
/// @dev No administrator. A line's id follows from who opened it and its name, so equal names of two people are two lines.
contract ModelLines {
    struct Line {
        address owner;
        address pendingOwner;
        string name;
        bytes32[] versions;
        bytes32[] tagNames;
        mapping(bytes32 modelId => uint256) placeOf;
        mapping(bytes32 tag => bytes32) modelOf;
    }

    struct LineView {
        bytes32 line;
        address owner;
        address pendingOwner;
        string name;
        uint256 versionCount;
        Tag[] tags;
    }

    struct Tag {
        /// Up to 31 bytes of text, like a Solidity short string.
        bytes32 name;
        bytes32 modelId;
    }

    uint256 public constant MAXIMUM_NAME_BYTES = 64;
    uint256 public constant MAXIMUM_TAGS = 32;

    ModelRegistry public immutable REGISTRY;

    mapping(bytes32 line => Line) private _lines;
    bytes32[] private _list;

    event LineOpened(bytes32 indexed line, address indexed owner, string name);
    event VersionAppended(bytes32 indexed line, bytes32 indexed modelId, uint256 place);
    /// @param to Zero: the tag was removed.
    event TagMoved(bytes32 indexed line, bytes32 indexed tag, bytes32 from, bytes32 to);
    event OwnershipOffered(bytes32 indexed line, address indexed owner, address indexed pendingOwner);
    event OwnershipTransferred(bytes32 indexed line, address indexed from, address indexed to);

    error NameLength(uint256 length, uint256 maximum);
    error AlreadyOpen(bytes32 line);
    error UnknownLine(bytes32 line);
    error NotOwner(bytes32 line, address owner, address caller);
    error NotModelOwner(bytes32 modelId, address owner, address caller);
    error NotPendingOwner(bytes32 line, address pendingOwner, address caller);
    error AlreadyVersion(bytes32 line, bytes32 modelId);
    error NotVersion(bytes32 line, bytes32 modelId);
    error EmptyTag();
    error TooManyTags(bytes32 line, uint256 maximum);

    constructor(ModelRegistry registry) {
        REGISTRY = registry;
    }

    /// @notice Id of the line that `founder` opens under a name.
    function lineOf(address founder, string calldata name) public pure returns (bytes32) {
        return keccak256(abi.encode(founder, name));
    }

    /// @notice Opens a line of the caller's, without a version.
    /// @param name 1 to 64 bytes; says nothing to anybody but readers.
    function open(string calldata name) external returns (bytes32 line) {
        uint256 length = bytes(name).length;
        if (length == 0 || length > MAXIMUM_NAME_BYTES) revert NameLength(length, MAXIMUM_NAME_BYTES);
        line = lineOf(msg.sender, name);
        if (_lines[line].owner != address(0)) revert AlreadyOpen(line);
        (_lines[line].owner, _lines[line].name) = (msg.sender, name);
        _list.push(line);
        emit LineOpened(line, msg.sender, name);
    }

    /// @notice Makes a model that the caller owns the newest version of his line. Each model once; no version is ever removed.
    function append(bytes32 line, bytes32 modelId) external {
        Line storage l = _requireOwner(line);
        address owner = REGISTRY.modelOwner(modelId);
        if (owner != msg.sender) revert NotModelOwner(modelId, owner, msg.sender);
        if (l.placeOf[modelId] != 0) revert AlreadyVersion(line, modelId);
        emit VersionAppended(line, modelId, l.versions.length);
        l.versions.push(modelId);
        l.placeOf[modelId] = l.versions.length;
    }

    /// @notice Points a tag at a version of the line; zero removes the tag.
    function tag(bytes32 line, bytes32 name, bytes32 modelId) external {
        Line storage l = _requireOwner(line);
        if (name == 0) revert EmptyTag();
        if (modelId != 0 && l.placeOf[modelId] == 0) revert NotVersion(line, modelId);
        bytes32 from = l.modelOf[name];
        if (from == 0 && modelId != 0) {
            if (l.tagNames.length == MAXIMUM_TAGS) revert TooManyTags(line, MAXIMUM_TAGS);
            l.tagNames.push(name);
        }
        if (from != 0 && modelId == 0) _removeName(l.tagNames, name);
        l.modelOf[name] = modelId;
        emit TagMoved(line, name, from, modelId);
    }

    /// @notice Offers the line to `to`; zero takes the offer back. The models in it stay with their owner.
    function offerOwnership(bytes32 line, address to) external {
        _requireOwner(line).pendingOwner = to;
        emit OwnershipOffered(line, msg.sender, to);
    }

    function acceptOwnership(bytes32 line) external {
        Line storage l = _lines[line];
        if (msg.sender != l.pendingOwner) revert NotPendingOwner(line, l.pendingOwner, msg.sender);
        emit OwnershipTransferred(line, l.owner, msg.sender);
        (l.owner, l.pendingOwner) = (msg.sender, address(0));
    }

    /// @notice What a tag points at; zero when there is no such tag or line.
    function modelOf(bytes32 line, bytes32 name) external view returns (bytes32) {
        return _lines[line].modelOf[name];
    }

    /// @notice One line with all its tags; reverts with UnknownLine.
    function lineInfo(bytes32 line) external view returns (LineView memory) {
        if (_lines[line].owner == address(0)) revert UnknownLine(line);
        return _view(line);
    }

    /// @notice Versions of a line, oldest first, at most 256 a page. One whose record was removed stays here; the registry does not know it any more.
    function versionsPage(bytes32 line, uint256 offset, uint256 limit) external view returns (bytes32[] memory page) {
        bytes32[] storage versions = _lines[line].versions;
        uint256 end = Page.end(versions.length, offset, limit);
        page = new bytes32[](end - offset);
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = versions[offset + i];
        }
    }

    function lineCount() external view returns (uint256) {
        return _list.length;
    }

    /// @notice Lines in the order in which they were opened, at most 256 a page.
    function linesPage(uint256 offset, uint256 limit) external view returns (LineView[] memory page) {
        uint256 end = Page.end(_list.length, offset, limit);
        page = new LineView[](end - offset);
        for (uint256 i = offset; i < end; i++) {
            page[i - offset] = _view(_list[i]);
        }
    }

    function _view(bytes32 line) private view returns (LineView memory made) {
        Line storage l = _lines[line];
        Tag[] memory tags = new Tag[](l.tagNames.length);
        for (uint256 i = 0; i < tags.length; i++) {
            tags[i] = Tag(l.tagNames[i], l.modelOf[l.tagNames[i]]);
        }
        return LineView(line, l.owner, l.pendingOwner, l.name, l.versions.length, tags);
    }

    /// @dev At most {MAXIMUM_TAGS} rounds.
    function _removeName(bytes32[] storage names, bytes32 name) private {
        uint256 i = 0;
        while (names[i] != name) i++;
        names[i] = names[names.length - 1];
        names.pop();
    }

    function _requireOwner(bytes32 line) private view returns (Line storage l) {
        l = _lines[line];
        if (l.owner == address(0)) revert UnknownLine(line);
        if (msg.sender != l.owner) revert NotOwner(line, l.owner, msg.sender);
    }
}
