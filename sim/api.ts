/**
 * What `import … from 'twinwire'` gives. Everything here keeps its meaning within a minor version;
 * `twinwire/sim/…`, `twinwire/trace/…` and `twinwire/protocols/…` reach further in, and may change
 * in any.
 *
 * @module twinwire
 */

// Scenarios: the words a scenario file is written with.

export { defineScenario } from './scenario.ts'
export { choice, count, duration, file, flag, output, rate, ratio, size, text } from './params.ts'
export { UserError } from './user-error.ts'
export type { Given, Program, Quantity, Scenario, ScenarioSpec } from './scenario.ts'
export type { ArpSpec, ClaimSpec, ClockSpec, HostSpec, NodeSpec } from './scenario.ts'
export type { SwitchSpec, Topology } from './scenario.ts'
export type { DistributionSpec, DropSpec, LinkBetween, LinkSpec } from './scenario.ts'
export type { ScheduleEntry, TraceSpec } from './scenario.ts'
export type { Expectation, ExpectationSpec, Limits } from './scenario.ts'
export type { Fault, FaultActionSpec, RandomFaults } from './scenario.ts'
export type { QueueRecord, QueueSpec } from './queue/parse-queue.ts'
export type { Param, Params, ParamValues } from './params.ts'
export type { UserErrorPlace } from './user-error.ts'

// Common topologies with their addresses: `shapes.dumbbell({ … })`.

export * as shapes from './shapes.ts'
export { addressOf, withAddresses } from './shape-draft.ts'
export { AddressPool } from './addressing.ts'
export type { Cable, LinkChoice, LinkTraits, Shape } from './shape-draft.ts'

// Programs: what they are handed, and the sockets they open.

export { SocketError } from './socket.ts'
export type { Data } from './socket.ts'
export type { Host, PingOptions, PingResult } from './programs.ts'
export type { TcpListener } from './tcp-listener.ts'
export type { TcpSocket } from './tcp-socket.ts'
export type { Datagram, DatagramError, EchoAnswer } from './datagram-sockets.ts'
export type { EchoSocket, UdpSocket } from './datagram-sockets.ts'
export type { TcpInfo } from '../protocols/tcp/info.ts'
export type { Errno } from '../protocols/errno.ts'
export type { Sink } from './bulk.ts'
export type { PollEvent, Watched } from './poll.ts'
export type { Readiness } from './readiness.ts'
export type { ServeOptions, ServiceName } from './service.ts'
export type { Traffic } from './traffic/place.ts'
export type { TrafficSpec } from './traffic/spec.ts'
export type { RandomState, RandomStream } from './random.ts'

// Runs: a scenario, from its first event to its outcome.

export { AbortedError, runScenario } from './run.ts'
export { verifyScenario } from './verify.ts'
export { MemoryFiles } from './files.ts'
export type { Progress, RunOptions } from './run.ts'
export type { Difference, Verification, VerifyOptions } from './verify.ts'
export type { Files, FileWriter, StoredFile, WrittenFile } from './files.ts'
export type { Outcome } from './outcome.ts'
export type { DelaySummary, DirectionSummary, EndSummary } from '../trace/summary.ts'
export type { FlowSummary, LinkSummary, RttSummary } from '../trace/summary.ts'
export type { SampleSummary } from './samples.ts'

// A world that is driven from outside.

export { planNetwork } from './topology.ts'
export { World } from './world.ts'
export { Programs } from './programs.ts'
export { LinkDirection } from './link.ts'
export { PERFECT_LINK } from './link-options.ts'
export { tcLines } from './tc-lines.ts'
export { measuredDelay } from './distribution.ts'
export { formatDeliveryTrace, parseDeliveryTrace, traceOfRate } from './mahimahi.ts'
export { Monitor } from './monitor.ts'
export { stream } from './random.ts'
export type { WorldOptions } from './world.ts'
export type { Node, SocketHandler } from './node.ts'
export type { LinkOptions, ScheduledChange, Slot } from './link-options.ts'
export type { TcPlace } from './tc-lines.ts'
export type { Distribution } from './distribution.ts'
export type { FourStates, GilbertElliott, LossModel } from './loss-model.ts'
export type { DeliveryTrace } from './mahimahi.ts'
export type { DropRule } from './drop-rule.ts'
export type { CodelOptions, DisciplineOptions, FqCodelOptions } from './queue/discipline.ts'
export type { PieOptions, RedOptions } from './queue/discipline.ts'
export type { InterfacePlan, LinkPlan, Network, NodePlan } from './topology.ts'

// The trace: one stream of records, and what can be made of it.

export { TraceDigest } from '../trace/digest.ts'
export type { StreamHash } from '../trace/digest.ts'
export { TraceText } from '../trace/text.ts'
export { PcapngWriter } from '../trace/pcapng.ts'
export { TraceStatistics } from '../trace/statistics.ts'
export { describeDifference } from '../trace/difference.ts'
export type { TextOptions } from '../trace/text.ts'
export type { PcapngOptions } from '../trace/pcapng.ts'
export type { StatisticsOptions } from '../trace/statistics.ts'
export type { SeriesObserver, SeriesPoint, SeriesValues } from '../trace/series.ts'
export type { LinkDropReason, TraceObserver, TraceRecord } from '../trace/record.ts'
export type { FrameDeparted, FrameDiscarded, FrameMarked } from '../trace/record.ts'
export type { FrameFate, FrameReceived, FrameSent } from '../trace/record.ts'
export type { FaultDone, HostCalled, HostSaid, NodeEvent } from '../trace/record.ts'

// Captures of other programs, read.

export { isCapture, readCapture } from '../trace/pcap-reader.ts'
export { dissect } from '../trace/dissect.ts'
export type { CaptureDamage, CapturedFrame, CaptureItem } from '../trace/pcap-reader.ts'
export type { Defect, Dissection, Layer } from '../trace/dissect-layers.ts'

// Packets: immutable records, and the codecs between them and bytes.

export { EthernetFrame } from '../protocols/ethernet/frame.ts'
export { ArpPacket } from '../protocols/arp/packet.ts'
export { Ipv4Details, Ipv4Packet } from '../protocols/ipv4/packet.ts'
export { IcmpMessage } from '../protocols/icmp/message.ts'
export { UdpDatagram } from '../protocols/udp/datagram.ts'
export { TcpSegment } from '../protocols/tcp/segment.ts'
export { TcpOptions } from '../protocols/tcp/options.ts'
export { Malformed, Opaque } from '../protocols/payload.ts'
export { emitEthernet, parseEthernet } from '../protocols/ethernet/codec.ts'
export { emitArp, parseArp } from '../protocols/arp/codec.ts'
export { emitIpv4, parseIpv4 } from '../protocols/ipv4/codec.ts'
export { emitIcmp, parseIcmp } from '../protocols/icmp/codec.ts'
export { emitUdp, parseUdp } from '../protocols/udp/codec.ts'
export { emitTcp, parseTcp } from '../protocols/tcp/codec.ts'
export { pseudoHeaderSum } from '../protocols/pseudo-header.ts'
export { formatIp, ip } from '../protocols/address.ts'
export { fromHex, toHex } from '../protocols/bytes.ts'
export type { Endpoint, IpAddress, Ipv4Address, Ipv6Address, Mac } from '../protocols/address.ts'
export type { Seq } from '../protocols/sequence.ts'
export type { EthernetPayload } from '../protocols/ethernet/frame.ts'
export type { TransportPayload } from '../protocols/ipv4/packet.ts'
export type { Bytes } from '../protocols/bytes.ts'
export type { Malformation, Parsed } from '../protocols/parsed.ts'

// Engines: the contract, the one of a host, and the two ways to run a step.

export { hostEngine } from '../protocols/host/host.ts'
export { createHost } from '../protocols/host/state.ts'
export { tcpEngine } from '../protocols/tcp/engine.ts'
export { inPlace, recorded } from './driver.ts'
export { InvariantError } from '../protocols/assert.ts'
export type { Engine, Input, Out, Timers } from '../protocols/engine.ts'
export type { Driven, StepObserver } from './driver.ts'
export type { HostDropReason, HostEvent } from '../protocols/host/event.ts'
export type { SwitchEvent } from '../protocols/ethernet/switch.ts'
export type { HostConfig, HostState } from '../protocols/host/state.ts'
export type { SocketCall, SocketEvent, SocketId, SocketOption } from '../protocols/host/socket.ts'
export type { RetransmitCause, TcpStateName } from '../protocols/tcp/state.ts'
export type { TcpChoices } from '../protocols/tcp/policy.ts'
export type { TcpProfile } from '../protocols/tcp/profile.ts'

// Time: whole nanoseconds.

export { ms, NEVER, s, toSeconds, us } from '../protocols/time.ts'
export type { Nanos } from '../protocols/time.ts'
