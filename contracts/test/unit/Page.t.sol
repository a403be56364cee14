// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Page} from "../../src/lib/Page.sol";
import {Test} from "../utils/Test.sol";

contract PageTest is Test {
    function testFuzz_a_page_is_bounded_and_inside_the_list(uint256 length, uint256 offset, uint256 limit) public pure {
        uint256 end = Page.end(length, offset, limit);
        assertEq(end >= offset && end - offset <= limit && end - offset <= Page.MAXIMUM, true, "bounded");
        assertEq(end == offset || end <= length, true, "inside");
    }

    function test_edges() public pure {
        assertEq(Page.end(1000, 0, type(uint256).max), 256, "at most 256");
        assertEq(Page.end(1000, 900, 256), 1000, "the rest");
        assertEq(Page.end(1000, 900, 10), 910, "a part");
        assertEq(Page.end(1000, 1000, 10), 1000, "behind the end");
        assertEq(Page.end(0, 0, 10), 0, "no list");
    }
}
