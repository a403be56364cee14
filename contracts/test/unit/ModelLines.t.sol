// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelLines} from "../../src/registry/ModelLines.sol";
import {ModelFixture} from "../utils/ModelFixture.sol";

contract ModelLinesTest is ModelFixture {
    ModelLines private lines = new ModelLines(registry);
    bytes32 private line;

    function setUp() public {
        vm.prank(owner);
        line = lines.open("smol");
        for (uint256 i = 1; i <= 3; i++) {
            publish(owner, WEIGHTS, bytes32(i));
        }
    }

    function _append(uint256 modelId) private {
        vm.prank(owner);
        lines.append(line, bytes32(modelId));
    }

    function test_open_names_a_line_of_the_callers() public {
        vm.expectEmit(address(lines));
        emit ModelLines.LineOpened(lines.lineOf(other, "smol"), other, "smol");
        vm.prank(other);
        bytes32 second = lines.open("smol");
        vm.snapshotGasLastCall("ModelLines", "open");
        assertEq(second == line, false, "equal names of two people are two lines");
        assertEq(lines.lineInfo(second).owner, other, "owner");
        assertEq(lines.lineInfo(second).name, "smol", "name");
        assertEq(lines.lineCount(), 2, "count");
        vm.expectRevert(abi.encodeWithSelector(ModelLines.AlreadyOpen.selector, line));
        vm.prank(owner);
        lines.open("smol");
        vm.expectRevert(abi.encodeWithSelector(ModelLines.NameLength.selector, 0, 64));
        lines.open("");
        vm.expectRevert(abi.encodeWithSelector(ModelLines.NameLength.selector, 65, 64));
        lines.open(textOfLength(65));
        lines.open(textOfLength(64));
        vm.expectRevert(abi.encodeWithSelector(ModelLines.UnknownLine.selector, MODEL));
        lines.lineInfo(MODEL);
    }

    function test_versions_are_the_owners_own_models_each_once() public {
        vm.expectEmit(address(lines));
        emit ModelLines.VersionAppended(line, bytes32(uint256(2)), 0);
        _append(2);
        vm.snapshotGasLastCall("ModelLines", "append");
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ModelLines.AlreadyVersion.selector, line, bytes32(uint256(2))));
        lines.append(line, bytes32(uint256(2)));
        vm.expectRevert(abi.encodeWithSelector(ModelLines.NotModelOwner.selector, MODEL, address(0), owner));
        lines.append(line, MODEL);
        vm.expectRevert(abi.encodeWithSelector(ModelLines.UnknownLine.selector, MODEL));
        lines.append(MODEL, bytes32(uint256(1)));
        vm.stopPrank();
        publish(other, CARD, MODEL);
        vm.expectRevert(abi.encodeWithSelector(ModelLines.NotModelOwner.selector, MODEL, other, owner));
        vm.prank(owner);
        lines.append(line, MODEL);
        vm.expectRevert(abi.encodeWithSelector(ModelLines.NotOwner.selector, line, owner, other));
        vm.prank(other);
        lines.append(line, MODEL);
    }

    function testFuzz_versions_are_linear_and_paged(uint8 size) public {
        uint256 limit = bound(size, 1, 4);
        for (uint256 i = 3; i >= 1; i--) {
            _append(i);
        }
        uint256 seen = 0;
        for (uint256 offset = 0; offset <= 4; offset += limit) {
            bytes32[] memory page = lines.versionsPage(line, offset, limit);
            for (uint256 i = 0; i < page.length; i++) {
                assertEq(page[i], bytes32(3 - seen++), "order");
            }
        }
        assertEq(seen, 3, "all");
        assertEq(lines.lineInfo(line).versionCount, 3, "count");
        assertEq(lines.versionsPage(line, type(uint256).max, type(uint256).max).length, 0, "far page");
        assertEq(lines.linesPage(0, type(uint256).max)[0].line, line, "lines");
    }

    function test_tags_move_and_identify_nothing() public {
        _append(1);
        _append(2);
        vm.startPrank(owner);
        vm.expectEmit(address(lines));
        emit ModelLines.TagMoved(line, "latest", 0, bytes32(uint256(1)));
        lines.tag(line, "latest", bytes32(uint256(1)));
        vm.snapshotGasLastCall("ModelLines", "tag");
        lines.tag(line, "stable", bytes32(uint256(1)));
        vm.expectEmit(address(lines));
        emit ModelLines.TagMoved(line, "latest", bytes32(uint256(1)), bytes32(uint256(2)));
        lines.tag(line, "latest", bytes32(uint256(2)));
        vm.snapshotGasLastCall("ModelLines", "moveTag");
        assertEq(lines.modelOf(line, "latest"), bytes32(uint256(2)), "moved");
        assertEq(lines.modelOf(line, "stable"), bytes32(uint256(1)), "stays");
        assertEq(lines.lineInfo(line).tags.length, 2, "two");
        vm.expectEmit(address(lines));
        emit ModelLines.TagMoved(line, "latest", bytes32(uint256(2)), 0);
        lines.tag(line, "latest", 0);
        ModelLines.Tag[] memory tags = lines.lineInfo(line).tags;
        assertEq(tags.length, 1, "one left");
        assertEq(tags[0].name, "stable", "name");
        assertEq(tags[0].modelId, bytes32(uint256(1)), "model");
        lines.tag(line, "never", 0);
        assertEq(lines.lineInfo(line).tags.length, 1, "removing what is not there");
        vm.expectRevert(abi.encodeWithSelector(ModelLines.NotVersion.selector, line, bytes32(uint256(3))));
        lines.tag(line, "latest", bytes32(uint256(3)));
        vm.expectRevert(ModelLines.EmptyTag.selector);
        lines.tag(line, 0, bytes32(uint256(1)));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(ModelLines.NotOwner.selector, line, owner, other));
        vm.prank(other);
        lines.tag(line, "latest", bytes32(uint256(1)));
    }

    function test_tags_are_few() public {
        _append(1);
        vm.startPrank(owner);
        for (uint256 i = 1; i <= 32; i++) {
            lines.tag(line, bytes32(i), bytes32(uint256(1)));
        }
        vm.expectRevert(abi.encodeWithSelector(ModelLines.TooManyTags.selector, line, 32));
        lines.tag(line, "another", bytes32(uint256(1)));
        lines.tag(line, bytes32(uint256(7)), 0);
        lines.tag(line, "another", bytes32(uint256(1)));
        vm.stopPrank();
    }

    function test_ownership_moves_in_two_steps() public {
        _append(1);
        vm.expectRevert(abi.encodeWithSelector(ModelLines.NotOwner.selector, line, owner, other));
        vm.prank(other);
        lines.offerOwnership(line, other);
        vm.expectEmit(address(lines));
        emit ModelLines.OwnershipOffered(line, owner, other);
        vm.prank(owner);
        lines.offerOwnership(line, other);
        vm.expectRevert(abi.encodeWithSelector(ModelLines.NotPendingOwner.selector, line, other, owner));
        vm.prank(owner);
        lines.acceptOwnership(line);
        assertEq(lines.lineInfo(line).pendingOwner, other, "pending");
        vm.expectEmit(address(lines));
        emit ModelLines.OwnershipTransferred(line, owner, other);
        vm.prank(other);
        lines.acceptOwnership(line);
        assertEq(lines.lineInfo(line).owner, other, "owner");
        assertEq(lines.lineInfo(line).pendingOwner, address(0), "no offer left");
        vm.prank(other);
        lines.tag(line, "latest", bytes32(uint256(1)));
        // the models stay with their owner
        vm.expectRevert(abi.encodeWithSelector(ModelLines.NotModelOwner.selector, bytes32(uint256(2)), owner, other));
        vm.prank(other);
        lines.append(line, bytes32(uint256(2)));
    }
}
