import type { Nanos } from '../../protocols/time.ts'
import { startBulk } from '../bulk.ts'
import type { Node } from '../node.ts'
import { stream } from '../random.ts'
import { openSocket } from '../socket.ts'
import { later, type Traffic, type TrafficPlace } from './place.ts'
import { packetsOf, replayOf, type TrafficPacket } from './packets.ts'
import { startRequests, startResponder } from './request-response.ts'
import { filler, Sender } from './sender.ts'
import { readTraffic, type TrafficPlan, type TrafficSpec } from './spec.ts'

/** Starts traffic on a host. It goes on until its `stop`, the host's crash or the run's end. */
export function startTraffic(place: TrafficPlace, spec: TrafficSpec): Traffic {
  const plan = readTraffic(spec)
  const { world, node } = place
  const figures: Traffic = { packets: 0, bytes: 0 }
  const draw = stream(world.seed, `${node.name}/traffic/${plan.name}`)
  const packets =
    plan.kind === 'replay'
      ? replayOf(place.files.read(plan.capture).bytes, plan.filter, plan.capture)
      : packetsOf(plan, draw)
  const start = world.now + plan.start
  later(place, start, () => {
    switch (plan.kind) {
      case 'bulk':
        return startBulk(node, plan.to, plan.bytes)
      case 'request-response':
        return startRequests(place, plan, draw, figures)
      case 'respond':
        return startResponder(node, plan, figures)
      default:
        return send(place, plan, packets[Symbol.iterator](), start, figures)
    }
  })
  return figures
}

/** Sends each packet at its time; the next is asked for when one is sent. */
function send(
  place: TrafficPlace,
  plan: TrafficPlan,
  packets: Iterator<TrafficPacket, void>,
  start: Nanos,
  figures: Traffic,
): void {
  const out = plan.protocol === 'udp' ? datagrams(place.node, plan) : writes(place.node, plan)
  const end = place.world.now - start + plan.stop - plan.start
  const next = (): void => {
    const { value } = packets.next()
    if (value === undefined || value.at >= end) return out.end()
    later(place, start + value.at, () => {
      out.send(value.bytes)
      figures.packets += 1
      figures.bytes += value.bytes
      next()
    })
  }
  next()
}

/** Where packets go. */
interface TrafficOut {
  send(bytes: number): void
  end(): void
}

function datagrams(node: Node, { to }: TrafficPlan): TrafficOut {
  const socket = openSocket(node, 'udp')
  return {
    send: (bytes) => node.call({ kind: 'send-to', socket, bytes: filler(bytes), remote: to }),
    end: () => node.call({ kind: 'close', socket }),
  }
}

/** A connection that takes what it is given as soon as it has room. */
function writes(node: Node, { to }: TrafficPlan): TrafficOut {
  const socket = openSocket(node, 'tcp')
  const sender = new Sender(node, socket)
  sender.stop()
  node.handle(socket, (event) => {
    switch (event.kind) {
      case 'connected':
      case 'writable':
        return sender.writable()
      case 'queued':
        return sender.queued(event.bytes)
      case 'rejected':
      case 'failed':
        return sender.stop()
      case 'closed':
        return sender.gone()
      default:
    }
  })
  node.call({ kind: 'connect', socket, remote: to })
  return sender
}
