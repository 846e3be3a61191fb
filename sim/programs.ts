import type { Application } from '../protocols/application.ts'
import type { Nanos } from '../protocols/time.ts'
import { type IpAddress, parseIpText } from '../protocols/address.ts'
import type { DnsData, DnsTypeName } from '../protocols/dns/message.ts'
import type { Bytes } from '../protocols/bytes.ts'
import { hasItsAddresses } from '../protocols/host/readiness.ts'
import { type RunningApplication, startApplication } from './application.ts'
import { type Sink, startBulk, startSink } from './bulk.ts'
import type { TraceObserver, TraceRecord } from '../trace/record.ts'
import { readCondition } from './fault-condition.ts'
import type { Files } from './files.ts'
import type { Node } from './node.ts'
import { poll, type Watched } from './poll.ts'
import type { Readiness } from './readiness.ts'
import type { Program, Quantity } from './scenario.ts'
import { Dhcp, type DhcpOptions } from './dhcp.ts'
import { namesOf } from './dns.ts'
import { type EchoAnswer, EchoSocket, UdpSocket } from './datagram-sockets.ts'
import {
  closingOnError,
  type Data,
  openSocket,
  type Settle,
  SocketError,
  toBytes,
  toIp,
} from './socket.ts'
import { TcpListener } from './tcp-listener.ts'
import { newTcpSocket, type TcpSocket } from './tcp-socket.ts'
import { Samples } from './samples.ts'
import { serve, type ServeOptions, type ServiceName } from './service.ts'
import { type RandomStream, stream } from './random.ts'
import type { TrafficSpec } from './traffic/spec.ts'
import type { Traffic } from './traffic/place.ts'
import { startTraffic } from './traffic/traffic.ts'
import { turn } from './turn.ts'
import { parseDuration } from './units.ts'
import { isRefusal, refused, UserError } from './user-error.ts'
import type { World } from './world.ts'

/** A host as a program on it sees it. */
export interface Host {
  readonly name: string
  /** How often the host was started, this time included. */
  readonly boots: number
  /** What outlives a crash, like a disk. */
  readonly storage: Map<string, Bytes>
  /** What the host's clock shows: virtual time since the start of the run. */
  readonly now: Nanos
  /** Files of whoever runs the scenario. */
  readonly files: Files
  sleep(span: Quantity): Promise<void>
  /** Resolves when the host's clock shows a time; at once where it has passed. */
  at(time: Quantity): Promise<void>
  /** `for await (const count of host.every('1s'))`: after each span, without drift, for ever. */
  every(span: Quantity): AsyncGenerator<number, never>
  /** Resolves when the trace shows it: `'first retransmit on a'`, or a predicate over records. */
  when(condition: string | ((record: TraceRecord) => boolean)): Promise<void>
  /**
   * Starts a DHCP client, on an interface without an address of its own. Its lease outlives a crash of
   * the host, and is asked for again.
   */
  dhcp(options?: DhcpOptions): Dhcp
  /** From now on these servers are asked for names: `connect` and `resolve` take them. */
  useDns(servers: readonly string[]): void
  /** What a name has of one type, aliases followed; rejects with a `ResolveError`. Default: A. */
  resolve(name: string, type?: DnsTypeName): Promise<readonly DnsData[]>
  /**
   * Resolves when the connection stands; rejects with a `SocketError`, or with a `ResolveError` where the
   * remote is a name. `first`: bytes to begin with, which go with the SYN where the server has given a cookie
   * (TCP Fast Open, RFC 7413).
   */
  connect(remote: string | IpAddress, port: number, first?: Data): Promise<TcpSocket>
  /** A TCP socket that is not connected: `bind` and `tryConnect` come next. */
  tcp(): TcpSocket
  /**
   * Resolves when one of the sockets is ready for something that was asked for, at the very time, or when
   * the time is up. What each is ready for; nothing, where the time was up. As poll(2).
   */
  poll(watched: readonly Watched[], timeout?: Quantity): Promise<readonly Readiness[]>
  /** A TCP server socket. `backlog`: how many handshakes may be under way. */
  listen(port: number, backlog?: number): TcpListener
  /** A UDP socket, bound where a port is given. */
  udp(port?: number): UdpSocket
  /**
   * Resolves when the host may use its addresses: at once, unless it probes for them first. Rejects
   * with `EADDRNOTAVAIL` where one of them belongs to somebody else.
   */
  ready(): Promise<void>
  /** An ICMP echo socket that hears the answers of one host. */
  echo(remote: string | IpAddress): EchoSocket
  /** Sends to a TCP port as fast as it goes: so many bytes, or without end. */
  bulk(remote: string | IpAddress, port: number, bytes?: number): void
  /** Accepts and reads whatever comes to a TCP port. The result counts. */
  sink(port: number): Sink
  /** Runs echo, discard, daytime, chargen or iperf3's server over UDP and TCP while the host is up. */
  serve(service: ServiceName, options?: ServeOptions): void
  /**
   * Runs an application engine for as long as the host is up, and hands over what it reports. In a
   * recorded run its states are immutable, too.
   */
  run<State, Command, Report>(
    engine: Application<State, Command, Report>,
    state: State,
    report?: (report: Report, now: Nanos) => void,
  ): RunningApplication<State, Command>
  /** Starts a traffic generator. What it counts goes on counting. */
  traffic(spec: TrafficSpec): Traffic
  /** One ICMP echo request; `null` when nothing came back in time. */
  ping(remote: string | IpAddress, options?: PingOptions): Promise<PingResult | null>
  /** Puts a figure or a word into the run's outcome. */
  note(name: string, value: string | number): void
  /** Adds a span to a series, of which the outcome shows percentiles. */
  sample(name: string, span: Nanos): void
  /** Says that something has happened, now. */
  mark(name: string): void
  /** A named random stream of this host: numbers from 0 to 1. */
  random(name: string): RandomStream
}

export interface PingOptions {
  /** 0 to 65,535; one more than the last where left out. */
  readonly sequence?: number
  readonly data?: Data
  readonly ttl?: number
  readonly timeout?: Quantity
}
export type PingResult = EchoAnswer & { readonly rtt: Nanos }

/** The programs of a run: it goes on for as long as they do, in steps with the clock. */
export class Programs {
  readonly notes: { [name: string]: string | number } = {}
  readonly marks: { [name: string]: Nanos } = {}
  readonly samples = new Samples()
  /** The first program that threw, and where. */
  failure: { readonly node: string; readonly error: unknown } | null = null
  /** Programs that have not come to their end. */
  running = 0
  readonly #world: World
  readonly #files: Files
  readonly #observers: TraceObserver[]
  readonly #programs: { readonly node: Node; readonly program: Program }[] = []
  /** By node: what its programs keep across a crash. */
  readonly #storage = new Map<Node, Map<string, Bytes>>()
  #mayGoOn = false
  /** The last echo request's number, by host: a late reply must not pass for the next one's. */
  readonly #echoes = new Map<string, number>()

  /** `observers`: those of the world's trace; what programs wait for is added to them. */
  constructor(world: World, files: Files, observers: TraceObserver[] = []) {
    this.#world = world
    this.#files = files
    this.#observers = observers
  }

  start(node: Node, program: Program): void {
    this.#programs.push({ node, program })
    this.#launch(node, program)
  }

  /** A host has started again: so do its programs, from the beginning. */
  restart(node: Node): void {
    for (const each of this.#programs) if (each.node === node) this.#launch(node, each.program)
  }

  #launch(node: Node, program: Program): void {
    this.running += 1
    this.#mayGoOn = true
    const host = this.#hostOf(node)
    void Promise.resolve()
      .then(() => program(host))
      .catch((error: unknown) => {
        this.failure ??= { node: node.name, error }
      })
      .then(() => {
        this.running -= 1
      })
  }

  /** Lets every program that can go on do so, until all wait for the network again. */
  async settle(): Promise<void> {
    while (this.#mayGoOn) {
      this.#mayGoOn = false
      await turn()
    }
  }

  get mayGoOn(): boolean {
    return this.#mayGoOn
  }

  #storageOf(node: Node): Map<string, Bytes> {
    const storage = this.#storage.get(node) ?? new Map<string, Bytes>()
    this.#storage.set(node, storage)
    return storage
  }

  /** Waiting, by the host's own clock. A program does not outlive its host. */
  #timesOf(node: Node, settle: Settle): Pick<Host, 'sleep' | 'at' | 'every' | 'when'> {
    const world = this.#world
    const { boots } = node
    const goOn = (resolve: () => void) =>
      node.whenRunning(() => {
        if (!node.up || node.boots !== boots) return
        settle()
        resolve()
      })
    const until = (local: Nanos) =>
      new Promise<void>((resolve) => {
        world.at(node.toWorld(local), () => goOn(resolve))
      })
    return {
      sleep: (span) => until(node.now + nanosOf(span)),
      at: (time) => until(nanosOf(time)),
      async *every(span) {
        const [start, step] = [node.now, nanosOf(span)]
        if (step === 0) throw new UserError('an interval is longer than nothing')
        for (let count = 1; ; count++) {
          await until(start + count * step)
          yield count
        }
      },
      when: (condition) =>
        new Promise<void>((resolve) => {
          // The trace shows it within a step: the program goes on behind that.
          const fire = () => void world.at(world.now, () => goOn(resolve))
          const seen = readCondition(condition, 1, `program on ${node.name}`, world, fire)
          this.#observers.push((record) => seen.see(record))
        }),
    }
  }

  /** What runs on a host by itself, once started. */
  #loadOf(node: Node, settle: Settle): Pick<Host, 'bulk' | 'sink' | 'traffic' | 'serve' | 'run'> {
    const world = this.#world
    return {
      bulk: (remote, port, bytes = Infinity) =>
        startBulk(node, { address: toIp(remote), port }, bytes),
      sink: (port) => startSink(node, port),
      traffic: (spec) => {
        const sample = (name: string, span: Nanos) => this.samples.add(name, span)
        return startTraffic({ world, node, files: this.#files, sample }, spec)
      },
      run: (engine, state, report) =>
        startApplication(world, node, engine, state, (said, now) => {
          settle() // a program may be waiting for it
          report?.(said, now)
        }),
      serve: (service, options = {}) =>
        serve(world, node, service, options, `${world.seed}/${node.name}/${service}`),
    }
  }

  #hostOf(node: Node): Host {
    const world = this.#world
    const settle: Settle = () => {
      this.#mayGoOn = true
    }
    const names = namesOf(world, node, settle)
    return {
      ...this.#timesOf(node, settle),
      name: node.name,
      boots: node.boots,
      storage: this.#storageOf(node),
      get now() {
        return node.now
      },
      files: this.#files,
      ...names,
      async connect(remote, port, first) {
        const isName = typeof remote === 'string' && parseIpText(remote) === null
        const to = { address: isName ? await names.address(remote) : toIp(remote), port }
        const id = openSocket(node, 'tcp')
        const socket = newTcpSocket(node, settle, id, to)
        try {
          await socket.connect(first)
        } catch (error) {
          socket.close()
          throw error
        }
        return socket
      },
      tcp: () => newTcpSocket(node, settle, openSocket(node, 'tcp')),
      poll: (watched, timeout) =>
        poll(world, node, settle, watched, timeout === undefined ? Infinity : nanosOf(timeout)),
      listen(port, backlog = 128) {
        const listener = new TcpListener(node, settle, openSocket(node, 'tcp'))
        closingOnError(listener, () => listener.listen(port, backlog))
        return listener
      },
      udp(port) {
        const socket = new UdpSocket(node, settle, openSocket(node, 'udp'))
        if (port !== undefined) closingOnError(socket, () => socket.bind(port))
        return socket
      },
      ready: () => addressesReady(node, settle),
      dhcp: (options) => new Dhcp(world, node, settle, this.#storageOf(node), options),
      echo(remote) {
        const socket = new EchoSocket(node, settle, openSocket(node, 'icmp'))
        socket.connect(toIp(remote))
        return socket
      },
      ...this.#loadOf(node, settle),
      ping: (remote, options = {}) => {
        const { sequence = ((this.#echoes.get(node.name) ?? 0) + 1) & 0xffff } = options
        this.#echoes.set(node.name, sequence)
        return ping(world, node, settle, toIp(remote), { ...options, sequence })
      },
      note: (name, value) => {
        this.notes[name] = value
      },
      sample: (name, span) => this.samples.add(name, span),
      mark: (name) => {
        this.marks[name] = world.now
      },
      random: (name) => stream(world.seed, `${node.name}/${name}`),
    }
  }
}

async function ping(
  world: World,
  node: Node,
  settle: Settle,
  remote: IpAddress,
  options: PingOptions & { readonly sequence: number },
): Promise<PingResult | null> {
  const { sequence, data = PING_DATA, ttl = 64, timeout = '1s' } = options
  const socket = new EchoSocket(node, settle, openSocket(node, 'icmp'))
  const sent = world.now
  const { boots } = node
  try {
    const answer = socket.request(remote, sequence, toBytes(data), ttl)
    const stopWaiting = world.at(sent + nanosOf(timeout), () => {
      if (node.up && node.boots === boots) node.whenRunning(() => socket.giveUp(sequence))
    })
    const result = await answer
    stopWaiting()
    return result === null ? null : { ...result, rtt: world.now - sent }
  } finally {
    socket.close()
  }
}

/** 56 bytes, as ping sends them where it has no room for a time stamp. */
const PING_DATA = Uint8Array.from({ length: 56 }, (_, i) => i)

function nanosOf(span: Quantity): Nanos {
  const parsed = parseDuration(span)
  if (isRefusal(parsed)) throw refused(parsed, 'a time span')
  return parsed
}

function addressesReady(node: Node, settle: Settle): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const ready = hasItsAddresses(node.state)
      if (ready === false) return node.onAddress(look)
      settle()
      if (ready) resolve()
      else reject(new SocketError('EADDRNOTAVAIL', `an address of ${node.name} is taken`))
    }
    look()
  })
}
