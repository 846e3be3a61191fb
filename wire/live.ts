import type { Nanos } from '../protocols/time.ts'
import type { Outcome } from '../sim/outcome.ts'
import { type PrepareOptions, PreparedRun } from '../sim/prepared-run.ts'
import type { EnvironmentError } from '../sim/user-error.ts'
import type { Scenario } from '../sim/scenario.ts'
import { type Binding, openBinding } from './bind-device.ts'
import type { DeviceStats, FrameDevice } from './device.ts'
import { Dressing } from './dressing.ts'
import { scenarioIdentity } from './identity.ts'
import { type Lateness, RealTime } from './real-time.ts'
import { Recorder, type RecordingHeader } from './recording.ts'
import type { FileWriter } from '../sim/files.ts'
import { WirePort, readHeader, readWhole } from './wire-port.ts'

export interface LiveOptions extends Omit<PrepareOptions, 'places' | 'until'> {
  readonly bindings: readonly Binding[]
  /** How long at most; without it, until `stop`. */
  readonly for?: Nanos
  readonly record?: RecordOptions
  /** Reads nothing behind the Ethernet header: only where no part of the network looks there. */
  readonly opaque?: boolean
}

/** Where a recording goes, and what the run alone does not know of itself. */
export interface RecordOptions extends Pick<RecordingHeader, 'scenario' | 'version'> {
  readonly file: FileWriter
  /** The files that the scenario was written in. */
  readonly sources: readonly Uint8Array[]
}

/** A device in its place, and what it counted. */
export interface BoundDevice {
  readonly place: string
  readonly device: string
  readonly mtu: number
  readonly stats: DeviceStats
}

export interface LiveOutcome {
  readonly outcome: Outcome
  readonly devices: readonly BoundDevice[]
  readonly lateness: Lateness
  /** The recording; `null` without one. */
  readonly recording: string | null
  /** The device that went away and ended the run; `null` where none did. */
  readonly lost: EnvironmentError | null
}

/** A scenario on the wire: its world under the machine's clock, some of its places taken by devices. */
export class LiveRun {
  readonly run: PreparedRun
  readonly #options: LiveOptions
  readonly #devices: FrameDevice[] = []
  readonly #driver: RealTime
  readonly #recorder: Recorder | null

  private constructor(run: PreparedRun, options: LiveOptions, devices: FrameDevice[]) {
    this.run = run
    this.#options = options
    this.#devices = devices
    this.#recorder = options.record === undefined ? null : startRecording(run, options)
    const ports = run.outlets.map((outlet, i) => {
      const device = devices[i]!
      const dressing = device.layer === 'ip' ? new Dressing(outlet, run.network) : null
      return new WirePort(device, run.world.node(outlet.node), dressing)
    })
    const read = options.opaque === true ? readHeader : readWhole
    this.#driver = new RealTime(run, { ports, read, recorder: this.#recorder })
  }

  /**
   * Prepares the scenario and opens the devices.
   *
   * @throws UserError for what the user wrote, EnvironmentError for what the machine refuses.
   */
  static async open(scenario: Scenario, options: LiveOptions): Promise<LiveRun> {
    const places = options.bindings.map(({ place }) => place)
    const until = options.for === undefined ? {} : { until: options.for }
    const run = new PreparedRun(scenario, { ...options, ...until, places })
    const devices: FrameDevice[] = []
    try {
      for (const [i, binding] of options.bindings.entries()) {
        devices.push(openBinding(binding, run.outlets[i]!, run.network))
      }
      return new LiveRun(run, options, devices)
    } catch (e) {
      await closeAll(devices)
      throw e
    }
  }

  /** Ends the run now. */
  stop(): void {
    this.#driver.stop()
  }

  /** Does something to the world, now. A recording knows nothing of it. */
  act(work: () => void): void {
    this.#driver.act(work)
  }

  /** Runs to the end and closes the devices. */
  async go(): Promise<LiveOutcome> {
    try {
      await this.#driver.run()
    } catch (e) {
      this.#recorder?.discard()
      throw e
    } finally {
      await closeAll(this.#devices)
    }
    const outcome = this.run.outcome()
    const devices = this.#devices.map((device, i) => ({
      place: this.#options.bindings[i]!.place,
      device: device.name,
      mtu: device.mtu,
      stats: device.stats(),
    }))
    const recording = this.#recorder?.end(this.run.world.now, outcome.digest) ?? null
    const { lateness, lost } = this.#driver
    return { outcome, devices, lateness, recording, lost }
  }
}

async function closeAll(devices: readonly FrameDevice[]): Promise<void> {
  for (const device of devices) await device.close()
}

function startRecording(run: PreparedRun, options: LiveOptions): Recorder {
  const { file, scenario, version, sources } = options.record!
  return new Recorder(file, {
    scenario,
    version,
    identity: scenarioIdentity(sources, run),
    params: run.params,
    seed: run.seed,
    bindings: options.bindings.map(({ place, kind, name }) => `${place}=${kind}:${name}`),
    made: new Date().toISOString(),
  })
}
