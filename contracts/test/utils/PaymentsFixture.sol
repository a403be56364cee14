// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DevPermit2} from "../../src/dev/permit2/DevPermit2.sol";
import {ISignatureTransfer} from "../../src/dev/permit2/ISignatureTransfer.sol";
import {TestDollar} from "../../src/dev/TestDollar.sol";
import {BatchSettlement} from "../../src/dev/x402/BatchSettlement.sol";
import {ChannelConfig, Voucher, VoucherClaim} from "../../src/dev/x402/Channels.sol";
import {Erc3009Collector} from "../../src/dev/x402/Erc3009Collector.sol";
import {ExactPermit2Proxy} from "../../src/dev/x402/ExactPermit2Proxy.sol";
import {Permit2Collector} from "../../src/dev/x402/Permit2Collector.sol";
import {UptoPermit2Proxy} from "../../src/dev/x402/UptoPermit2Proxy.sol";
import {Test} from "./Test.sol";

/// @title The contracts of x402 as a development chain has them: code put at the canonical addresses, no constructor
abstract contract PaymentsFixture is Test {
    uint256 internal constant PAYER_KEY = 0x9A9;
    uint256 internal constant AUTHORIZER_KEY = 0xA07;
    uint256 internal constant MONEY = 1_000_000e6;
    uint40 internal constant DELAY = 15 minutes;

    DevPermit2 internal constant PERMIT2 = DevPermit2(0x000000000022D473030F116dDEE9F6B43aC78BA3);
    BatchSettlement internal constant ESCROW = BatchSettlement(0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003);
    Erc3009Collector internal constant BY_AUTHORIZATION = Erc3009Collector(0x4020806089470a89826cB9fB1f4059150b550004);
    Permit2Collector internal constant BY_PERMIT = Permit2Collector(0x4020425FAf3B746C082C2f942b4E5159887B0005);
    UptoPermit2Proxy internal constant UPTO = UptoPermit2Proxy(0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002);
    ExactPermit2Proxy internal constant EXACT = ExactPermit2Proxy(0x402085c248EeA27D92E8b30b2C58ed07f9E20001);

    address internal payer = vm.addr(PAYER_KEY);
    address internal authorizer = vm.addr(AUTHORIZER_KEY);
    address internal receiver = address(0x4EC);
    TestDollar internal dollar;

    function setUp() public virtual {
        vm.warp(1_000_000);
        vm.etch(address(PERMIT2), address(new DevPermit2()).code);
        vm.etch(address(ESCROW), address(new BatchSettlement()).code);
        vm.etch(address(BY_AUTHORIZATION), address(new Erc3009Collector()).code);
        vm.etch(address(BY_PERMIT), address(new Permit2Collector()).code);
        vm.etch(address(UPTO), address(new UptoPermit2Proxy()).code);
        vm.etch(address(EXACT), address(new ExactPermit2Proxy()).code);
        address[] memory holders = new address[](1);
        holders[0] = payer;
        dollar = new TestDollar(holders, MONEY);
        vm.prank(payer);
        dollar.approve(address(PERMIT2), type(uint256).max);
    }

    function channel(uint256 salt) internal view returns (ChannelConfig memory) {
        return ChannelConfig(payer, payer, receiver, authorizer, address(dollar), DELAY, bytes32(salt));
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function typed(bytes32 domain, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    /// @dev What a payer gives a facilitator to deposit with (EIP-3009).
    function authorization(ChannelConfig memory config, uint256 amount, uint256 salt) internal view returns (bytes memory) {
        bytes32 nonce = keccak256(abi.encode(ESCROW.getChannelId(config), salt));
        bytes32 structHash = keccak256(
            abi.encode(
                dollar.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(), payer, address(BY_AUTHORIZATION), amount, 0, block.timestamp + 1, nonce
            )
        );
        return abi.encode(0, block.timestamp + 1, salt, sign(PAYER_KEY, typed(dollar.DOMAIN_SEPARATOR(), structHash)));
    }

    function deposit(ChannelConfig memory config, uint128 amount, uint256 salt) internal {
        ESCROW.deposit(config, amount, address(BY_AUTHORIZATION), authorization(config, amount, salt));
    }

    function claimOf(ChannelConfig memory config, uint128 most, uint128 total) internal view returns (VoucherClaim memory) {
        bytes32 digest = ESCROW.getVoucherDigest(ESCROW.getChannelId(config), most);
        return VoucherClaim(Voucher(config, most), sign(PAYER_KEY, digest), total);
    }

    function one(VoucherClaim memory row) internal pure returns (VoucherClaim[] memory rows) {
        rows = new VoucherClaim[](1);
        rows[0] = row;
    }

    function claim(ChannelConfig memory config, uint128 most, uint128 total) internal {
        VoucherClaim[] memory rows = one(claimOf(config, most, total));
        vm.prank(authorizer);
        ESCROW.claim(rows);
    }

    function refundSignature(ChannelConfig memory config, uint128 amount, uint256 nonce) internal view returns (bytes memory) {
        return sign(AUTHORIZER_KEY, ESCROW.getRefundDigest(ESCROW.getChannelId(config), nonce, amount));
    }

    function permitOf(uint256 amount, uint256 nonce) internal view returns (ISignatureTransfer.PermitTransferFrom memory) {
        return ISignatureTransfer.PermitTransferFrom(ISignatureTransfer.TokenPermissions(address(dollar), amount), nonce, block.timestamp);
    }

    /// @dev The owner's signature for a spender, with a witness: written out from Permit2's documentation, not from our contract.
    function witnessSignature(
        ISignatureTransfer.PermitTransferFrom memory permit,
        address spender,
        string memory witnessType,
        bytes32 witness
    ) internal view returns (bytes memory) {
        bytes32 tokens = keccak256(
            abi.encode(keccak256("TokenPermissions(address token,uint256 amount)"), permit.permitted.token, permit.permitted.amount)
        );
        string memory stub = "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,";
        bytes32 typeHash = keccak256(abi.encodePacked(stub, witnessType));
        bytes32 structHash = keccak256(abi.encode(typeHash, tokens, spender, permit.nonce, permit.deadline, witness));
        bytes32 domainType = keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)");
        bytes32 domain = keccak256(abi.encode(domainType, keccak256("Permit2"), block.chainid, address(PERMIT2)));
        return sign(PAYER_KEY, typed(domain, structHash));
    }

    function channelOf(ChannelConfig memory config) internal view returns (uint128 balance, uint128 totalClaimed) {
        return ESCROW.channels(ESCROW.getChannelId(config));
    }
}
