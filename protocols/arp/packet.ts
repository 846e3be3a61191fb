import type { Ipv4Address, Mac } from '../address.ts'

export const ARP_REQUEST = 1
export const ARP_REPLY = 2

/** ARP for IPv4 over Ethernet, RFC 826. Names as in the RFC: sender and target, each twice. */
export class ArpPacket {
  readonly kind = 'arp'
  readonly operation: number
  readonly senderMac: Mac
  readonly senderIp: Ipv4Address
  readonly targetMac: Mac
  readonly targetIp: Ipv4Address

  constructor(
    operation: number,
    senderMac: Mac,
    senderIp: Ipv4Address,
    targetMac: Mac,
    targetIp: Ipv4Address,
  ) {
    this.operation = operation
    this.senderMac = senderMac
    this.senderIp = senderIp
    this.targetMac = targetMac
    this.targetIp = targetIp
  }

  get size(): number {
    return 28
  }
}
