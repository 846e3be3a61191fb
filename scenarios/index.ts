import type { Scenario } from '../sim/scenario.ts'
import bufferbloat from './bufferbloat.ts'
import arpConflict from './arp-conflict.ts'
import chat from './chat.ts'
import crashRestart from './crash-restart.ts'
import dadConflict from './dad-conflict.ts'
import dhcpRenew from './dhcp-renew.ts'
import dnsRetry from './dns-retry.ts'
import dumbbell from './dumbbell.ts'
import encapsulation from './encapsulation.ts'
import fastOpen from './fast-open.ts'
import fileTransfer from './file-transfer.ts'
import fragments from './fragments.ts'
import gilbertElliott from './gilbert-elliott.ts'
import liveServer from './live-server.ts'
import mobileTrace from './mobile-trace.ts'
import multicast from './multicast.ts'
import nat from './nat.ts'
import partitionHeal from './partition-heal.ts'
import ping from './ping.ts'
import pmtudBlackhole from './pmtud-blackhole.ts'
import ipTunnel from './ip-tunnel.ts'
import p2mpFtp from './p2mp-ftp.ts'
import pytcpParity from './pytcp-parity.ts'
import routerChain from './router-chain.ts'
import slaac from './slaac.ts'
import simpleFtp from './simple-ftp.ts'
import switchedLan from './switched-lan.ts'
import synFlood from './syn-flood.ts'
import tcpPing from './tcp-ping.ts'
import vlan from './vlan.ts'
import tunnelCarry from './tunnel-carry.ts'
import udpEcho from './udp-echo.ts'

/** The scenarios that come with the package, in the order in which they are listed. */
export const scenarios: readonly Scenario[] = [
  fileTransfer,
  ping,
  udpEcho,
  dumbbell,
  bufferbloat,
  gilbertElliott,
  liveServer,
  mobileTrace,
  partitionHeal,
  crashRestart,
  synFlood,
  fastOpen,
  switchedLan,
  vlan,
  routerChain,
  fragments,
  arpConflict,
  pmtudBlackhole,
  slaac,
  dadConflict,
  multicast,
  dhcpRenew,
  dnsRetry,
  nat,
  encapsulation,
  chat,
  tcpPing,
  p2mpFtp,
  simpleFtp,
  ipTunnel,
  tunnelCarry,
  pytcpParity,
]
