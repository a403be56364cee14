// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Parameters} from "../../src/governance/Parameters.sol";
import {ModelRegistry} from "../../src/registry/ModelRegistry.sol";
import {Test} from "./Test.sol";

/// @title A model registry that takes a deposit
abstract contract ModelFixture is Test {
    uint256 internal constant DEPOSIT = 0.3 ether + 1;
    uint256 internal constant WINDOW = 7 days;
    bytes32 internal constant WEIGHTS = keccak256("weights");
    bytes32 internal constant MODEL = keccak256("model");
    bytes32 internal constant CARD = keccak256("card");

    address internal owner = vm.addr(1);
    address internal other = vm.addr(2);
    Parameters internal parameters = new Parameters(
        address(0),
        Parameters.Split({node: 7000, model: 1500, parents: 500, auditors: 700, treasury: 300}),
        terms(),
        new Parameters.AcceptedAsset[](0)
    );
    ModelRegistry internal registry = new ModelRegistry(parameters);

    function terms() private pure returns (Parameters.NamedParameter[] memory list) {
        list = new Parameters.NamedParameter[](2);
        list[0] = Parameters.NamedParameter("modelDeposit", Parameters.Parameter(DEPOSIT, 0, 100 ether));
        list[1] = Parameters.NamedParameter("modelChallengeWindow", Parameters.Parameter(WINDOW, 1 days, 90 days));
    }

    function publish(address by, bytes32 weightsRoot, bytes32 modelId) internal {
        vm.deal(by, by.balance + DEPOSIT);
        vm.prank(by);
        registry.publish{value: DEPOSIT}(weightsRoot, modelId, "manifest", CARD, "card");
    }
}
