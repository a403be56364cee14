// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Bounds of a page of a list
library Page {
    /// @dev Most entries of one page, whatever the caller asks for.
    uint256 internal constant MAXIMUM = 256;

    /// @return end One past the last index of the page that starts at `offset`; `offset` or less when the page is empty.
    function end(uint256 length, uint256 offset, uint256 limit) internal pure returns (uint256) {
        if (offset >= length) return offset;
        if (limit > MAXIMUM) limit = MAXIMUM;
        return limit < length - offset ? offset + limit : length;
    }
}
