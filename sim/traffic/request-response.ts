import type { Node } from '../node.ts'
import { openSocket } from '../socket.ts'
import { exponential } from './exponential.ts'
import type { TrafficPlan } from './spec.ts'
import { later, type Traffic, type TrafficPlace } from './place.ts'
import { Sender } from './sender.ts'

/**
 * A request, its whole response, a pause, and so on, without Nagle's algorithm at either end, which
 * would add a delayed ACK to most of them. The time from a request to the last byte of its
 * response is a sample, named after the traffic.
 */
export function startRequests(
  place: TrafficPlace,
  plan: TrafficPlan,
  draw: () => number,
  figures: Traffic,
): void {
  const { world, node } = place
  const stop = world.now + plan.stop - plan.start
  const socket = openSocket(node, 'tcp')
  const sender = new Sender(node, socket)
  let asked = 0
  let missing = 0
  const ask = (): void => {
    if (sender.isGone) return
    if (figures.packets >= plan.count || world.now >= stop) {
      node.call({ kind: 'close', socket })
      return
    }
    asked = world.now
    missing = plan.response
    figures.packets += 1
    figures.bytes += plan.request
    sender.send(plan.request)
  }
  node.handle(socket, (event) => {
    switch (event.kind) {
      case 'connected':
        return ask()
      case 'queued':
        return sender.queued(event.bytes)
      case 'writable':
        return sender.writable()
      case 'readable':
        return node.call({ kind: 'receive', socket, max: Infinity })
      case 'received': {
        missing -= event.bytes
        if (event.ended) node.call({ kind: 'close', socket })
        if (missing > 0 || event.bytes === 0) return
        place.sample(plan.name, world.now - asked)
        const pause = plan.think === 0 ? 0 : Math.round(plan.think * exponential(draw()))
        return pause === 0 ? ask() : later(place, world.now + pause, ask)
      }
      case 'rejected':
      case 'failed':
        return sender.stop()
      case 'closed':
        return sender.gone()
      default:
    }
  })
  node.call({ kind: 'set', socket, option: 'TCP_NODELAY', value: 1 })
  node.call({ kind: 'connect', socket, remote: plan.to })
}

/** Answers each `request` bytes of a connection with `response` bytes. */
export function startResponder(node: Node, plan: TrafficPlan, figures: Traffic): void {
  const listener = openSocket(node, 'tcp')
  node.handle(listener, (accepted) => {
    if (accepted.kind !== 'accepted') return
    const { socket } = accepted
    const sender = new Sender(node, socket)
    let heard = 0
    node.call({ kind: 'set', socket, option: 'TCP_NODELAY', value: 1 })
    node.handle(socket, (event) => {
      switch (event.kind) {
        case 'queued':
          return sender.queued(event.bytes)
        case 'writable':
          return sender.writable()
        case 'readable':
          return node.call({ kind: 'receive', socket, max: Infinity })
        case 'received':
          for (heard += event.bytes; heard >= plan.request; heard -= plan.request) {
            figures.packets += 1
            figures.bytes += plan.response
            sender.send(plan.response)
          }
          if (event.ended) node.call({ kind: 'close', socket })
          return
        case 'rejected':
        case 'failed':
          return sender.stop()
        default:
      }
    })
  })
  node.call({ kind: 'bind', socket: listener, address: null, port: plan.port })
  node.call({ kind: 'listen', socket: listener, backlog: 128 })
}
