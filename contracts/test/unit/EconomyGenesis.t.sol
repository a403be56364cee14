// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EconomyGenesis} from "../../src/genesis/EconomyGenesis.sol";
import {RevenueSplitter} from "../../src/settlement/RevenueSplitter.sol";
import {EconomyFixture} from "../utils/EconomyFixture.sol";

contract EconomyGenesisTest is EconomyFixture {
    function test_the_contracts_know_each_other_and_nobody_else() public {
        EconomyGenesis genesis = new EconomyGenesis(stakeToken, log, environment());
        assertEq(genesis.STAKING().SETTLEMENT(), address(genesis.SETTLEMENT()), "settlement");
        assertEq(genesis.STAKING().slashers().length, 1, "one slasher");
        assertEq(genesis.STAKING().slashers()[0], address(genesis.FAULTS()), "faults");
        assertEq(address(genesis.SETTLEMENT().STAKING()), address(genesis.STAKING()), "staking");
        assertEq(address(genesis.SETTLEMENT().LOG()), address(log), "log");
        assertEq(address(genesis.FAULTS().STAKING()), address(genesis.STAKING()), "staking");
        assertEq(address(genesis.FAULTS().NODES()), address(registry), "nodes");
        assertEq(genesis.STAKING().isSlasher(address(genesis)), false, "the wiring itself has no power");
    }

    function testFuzz_wherever_it_is_deployed(bytes32 salt) public {
        EconomyGenesis genesis = new EconomyGenesis{salt: salt}(stakeToken, log, environment());
        assertEq(genesis.STAKING().isSlasher(address(genesis.FAULTS())), true, "faults");
    }

    function environment() private view returns (RevenueSplitter.Environment memory) {
        return RevenueSplitter.Environment(parameters, models, shares, payouts, auditors, treasury);
    }
}
