import { performance } from 'node:perf_hooks'
import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import { NEVER, type Nanos } from '../protocols/time.ts'
import { OUTSIDE_PORT } from '../sim/binding.ts'
import type { Programs } from '../sim/programs.ts'
import { EnvironmentError } from '../sim/user-error.ts'
import type { World } from '../sim/world.ts'
import { DelayHistogram } from '../trace/delay-histogram.ts'
import { type Alarm, TimerAlarm, TimeoutAlarm } from './alarm.ts'
import { errorName } from './device.ts'
import { finish } from './replay.ts'
import type { Recorder } from './recording.ts'
import { Vigil } from './vigil.ts'
import type { WirePort } from './wire-port.ts'

/** What moves: a world, the programs in it, and when it ends. */
export interface Driven {
  readonly world: World
  readonly programs: Programs
  readonly until: Nanos
}

export interface RealTimeOptions {
  readonly ports: readonly WirePort[]
  readonly read: (bytes: Uint8Array) => EthernetFrame
  readonly recorder?: Recorder | null
}

/** How late events happened: nanoseconds behind the time at which they were due. */
export interface Lateness {
  readonly events: number
  readonly p50: Nanos
  readonly p99: Nanos
  readonly max: Nanos
}

/** So many frames of a device are taken before the clock is looked at again. */
const BATCH = 32
/** So long the loop runs before signals, timers and files get their turn, milliseconds. */
const SLICE_MS = 4
/** The alarm is set this much early, and the rest is spent looking at the clock. */
const LEAD: Nanos = 40_000

/** After a frame the next one is waited for in this thread for so long. */
const VIGIL: Nanos = 50e6
/** And so long at a time: a turn of Node's loop is what a frame would have to wait for, milliseconds. */
const WATCH_MS = 10

/**
 * Runs a world by the machine's clock. An event happens when it is due or, where the machine is
 * late, as soon as possible, in due order and at its due time as the world sees it. A frame comes
 * into the world at the time at which it is taken, behind everything due until then. Sleeps until
 * the next event is due or a device has a frame.
 */
export class RealTime {
  readonly #run: Driven
  readonly #ports: readonly WirePort[]
  readonly #read: (bytes: Uint8Array) => EthernetFrame
  readonly #recorder: Recorder | null
  readonly #alarm: Alarm
  /** What the alarm is set for; `NEVER` where it is not. */
  #alarmAt: Nanos = NEVER
  /** `null`: a device cannot be waited for in this thread. */
  #vigil: Vigil | null = null
  #frameAt: Nanos = -Infinity
  readonly #lateness = new DelayHistogram()
  #events = 0
  #origin = 0
  #end: Nanos
  /** Programs are going on: the clock stands. */
  #settling = false
  #scheduled = false
  #done = false
  /** The device that ended the run by going away. */
  lost: EnvironmentError | null = null
  #finish: (error: unknown) => void = () => {}

  constructor(run: Driven, { ports, read, recorder = null }: RealTimeOptions) {
    this.#run = run
    this.#ports = ports
    this.#read = read
    this.#recorder = recorder
    this.#end = run.until
    this.#alarm = makeAlarm(() => {
      this.#alarmAt = NEVER
      this.#turn()
    })
  }

  /** Nanoseconds since the start. */
  #now(): Nanos {
    return Math.round((performance.now() - this.#origin) * 1e6)
  }

  /** Runs until the end comes, `stop` is called, a program fails or a device is gone. */
  async run(): Promise<void> {
    const { programs } = this.#run
    const ended = new Promise<void>((resolve, reject) => {
      this.#finish = (error) => {
        if (this.#done) return
        this.#done = true
        if (error === null) resolve()
        else reject(error)
      }
    })
    try {
      await programs.settle()
      this.#origin = performance.now()
      for (const { device } of this.#ports) device.listen(() => this.#turn())
      this.#vigil = vigilOver(this.#ports)
      this.#turn()
      await ended
      await finish(this.#run, this.#end)
      for (const port of this.#ports) port.flush()
    } finally {
      this.#done = true
      for (const { node } of this.#ports) node.outside = null
      await this.#alarm.close()
    }
  }

  /** Ends the run now. */
  stop(): void {
    this.#end = Math.min(this.#end, Math.max(this.#now(), this.#run.world.now))
    this.#turn()
  }

  /** Does something to the world from outside, now: behind everything that was due until then. */
  act(work: () => void): void {
    if (this.#done) return
    const { world, programs } = this.#run
    const now = Math.max(this.#now(), world.now)
    if (!this.#settling) this.#runDue(now)
    if (this.#settling || programs.mayGoOn) {
      this.#turn()
      setImmediate(() => this.act(work))
      return
    }
    world.runUntil(now)
    work()
    this.#turn()
  }

  get lateness(): Lateness {
    const percentile = (rank: number) => (this.#events === 0 ? 0 : this.#lateness.percentile(rank))
    return {
      events: this.#events,
      p50: percentile(50),
      p99: percentile(99),
      max: percentile(100),
    }
  }

  #turn(): void {
    if (this.#settling || this.#done) return
    try {
      this.#work()
    } catch (error) {
      this.#finish(error)
    }
    for (const port of this.#ports) port.flush()
  }

  /** Does what is to be done now, and arranges for the next time. */
  #work(): void {
    const { programs } = this.#run
    const start = performance.now()
    let busySince = start
    for (;;) {
      const busy = this.#pass()
      if (programs.mayGoOn) return this.#settle()
      if (this.#isOver()) return
      const now = performance.now()
      if (busy) {
        if (now - busySince < SLICE_MS) continue
        return this.#soon()
      }
      const left = WATCH_MS - (now - start)
      if (left <= 0) return this.#soon()
      if (!this.#watch(left * 1e6)) return this.#sleep()
      busySince = performance.now()
    }
  }

  /** Frames seldom come alone: waits for the next one here. @returns whether to look again. */
  #watch(most: Nanos): boolean {
    const vigil = this.#vigil
    if (vigil === null) return false
    const now = this.#now()
    const due = Math.min(this.#run.world.nextDue(), this.#end) - now - LEAD
    if (now - this.#frameAt < VIGIL && due > 0 && vigil.hold()) {
      // What was collected does not wait with us.
      for (const port of this.#ports) port.flush()
      vigil.wait(Math.min(most, due))
      return true
    }
    vigil.release()
    return false
  }

  /** One look at events and devices; stops where a program may go on. @returns whether to look again. */
  #pass(): boolean {
    const { programs } = this.#run
    this.#runDue(Math.min(this.#now(), this.#end))
    if (programs.mayGoOn) return true
    let busy = false
    for (const port of this.#ports) {
      if (port.next === port.inbox.length) {
        if (port.fetch(BATCH)) busy = true
        else if (port.device.failure !== 0) return this.#lose(port)
      }
      if (port.inbox.length === 0) continue
      busy = true
      if (!this.#handOver(port)) return true
    }
    return busy
  }

  #lose({ device }: WirePort): boolean {
    this.lost = new EnvironmentError(`${device.name} is gone (${errorName(device.failure)})`)
    this.#end = Math.min(this.#end, Math.max(this.#now(), this.#run.world.now))
    this.#finish(null)
    return false
  }

  /** @returns whether all was handed over, and no program wants to go on. */
  #handOver(port: WirePort): boolean {
    const { world, programs } = this.#run
    const now = this.#now()
    if (now > this.#end) return true
    this.#frameAt = now
    while (port.next < port.inbox.length) {
      this.#runDue(now)
      if (programs.mayGoOn) return false
      const bytes = port.inbox[port.next++]!
      const at = Math.max(now, world.now)
      world.runUntil(at)
      this.#recorder?.frame(at, this.#ports.indexOf(port), bytes)
      world.inject(port.node, OUTSIDE_PORT, this.#read(bytes))
      if (programs.mayGoOn) return false
    }
    port.inbox.length = 0
    port.next = 0
    return true
  }

  #runDue(until: Nanos): void {
    const { world, programs } = this.#run
    for (let due = world.nextDue(); due <= until && due < NEVER; due = world.nextDue()) {
      this.#lateness.add(Math.max(this.#now() - due, 0))
      this.#events += 1
      world.step()
      if (programs.mayGoOn) return
    }
  }

  /** Programs that can go on do so before the clock moves, as in a simulation. */
  #settle(): void {
    this.#settling = true
    this.#run.programs.settle().then(
      () => {
        this.#settling = false
        this.#turn()
      },
      (error: unknown) => this.#finish(error),
    )
  }

  #isOver(): boolean {
    const over = this.#run.programs.failure !== null || this.#now() >= this.#end
    if (over) this.#finish(null)
    return over
  }

  #sleep(): void {
    const due = Math.min(this.#run.world.nextDue(), this.#end)
    // A timer that was pushed back leaves an alarm that comes too early, and costs nothing till then.
    if (this.#alarmAt <= due) return
    const left = due - this.#now()
    if (left > LEAD) {
      this.#alarm.set(left - LEAD)
      this.#alarmAt = due
    } else this.#soon()
  }

  /** Again, behind whatever else the process has to do. */
  #soon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#turn()
    })
  }
}

function vigilOver(ports: readonly WirePort[]): Vigil | null {
  const readers = ports.flatMap(({ device }) => device.reader ?? [])
  return readers.length === ports.length && ports.length > 0 ? new Vigil(readers) : null
}

function makeAlarm(ring: () => void): Alarm {
  try {
    return new TimerAlarm(ring)
  } catch (e) {
    if (e instanceof EnvironmentError) return new TimeoutAlarm(ring)
    throw e
  }
}
