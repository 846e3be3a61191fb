import { z } from 'zod'
import type {
  AdvertiseSpec,
  ClaimSpec,
  HostEndSpec,
  NatSpec,
  SwitchEndSpec,
  ClockSpec,
  ExpectationSpec,
  Fault,
  FaultActionSpec,
  HostSpec,
  LinkBetween,
  LinkSpec,
  RandomFaults,
  ScheduleEntry,
  SwitchSpec,
  Ipv6Choices,
} from '../sim/scenario.ts'
import { TCP_PROFILE_NAMES } from '../protocols/tcp/profile.ts'
import { TCP_OPTIONS } from '../sim/topology-tcp.ts'
import { HOLE, type Keys, quantity, record, strict, text, whole, yesOrNo } from './yaml-values.ts'
import { dataPrograms } from './yaml-programs-schema.ts'

/*
 * The form of a scenario file, once: files are checked against it, and `twinwire schema` prints it.
 * Every record is complete by its type: a key that the simulator learns has to be named here. What
 * the values mean is the simulator's to judge.
 */

const nodeName = text.describe('the name of a node')
const list = <Of extends z.ZodType>(of: Of) => z.array(of, { error: 'expected a list' })

const dropRule = z
  .union([text, list(z.int()), list(z.union([text, list(z.int())]))], {
    error: "expected a pattern such as '3rd data segment', frame numbers, or a list of these",
  })
  .describe("forced drops: '3rd data segment', [1, 5], or a list of these")

const LINK: Keys<LinkSpec> = {
  delay: quantity.describe("time on the way: '10ms'"),
  jitter: quantity.describe("how far the delay spreads, and a correlation: '2ms', '2ms 25%'"),
  distribution: z
    .union([text, list(z.number())], { error: 'expected a name or a list of numbers' })
    .describe('uniform, normal, pareto, paretonormal, or a table in 1/8192 of the jitter'),
  keepOrder: yesOrNo.describe('false: frames may overtake each other by their jitter'),
  loss: quantity.describe("share of frames lost: '1%', '1% 25%', 'gemodel …', 'state …'"),
  duplicate: quantity.describe('share of frames that arrive twice'),
  reorder: quantity.describe("share of frames that skip the delay: '25% 50% gap 5'"),
  corrupt: quantity.describe('share of frames with one flipped bit'),
  rate: quantity.describe("bits per second: '10Mbit', 'unlimited'"),
  trace: z
    .union([text, list(z.number())], { error: 'expected milliseconds, or a ${file}' })
    .describe('milliseconds at which 1500 bytes may leave, in the place of rate'),
  slot: quantity.describe("frames come out together: '10ms 20ms packets 5 bytes 3000B'"),
  queue: z
    .union([quantity, z.looseObject({})], { error: "expected a limit such as '100 frames'" })
    .describe("what may wait for the rate: '100 frames', '64KiB', or a queue discipline"),
  mtu: quantity.describe('the largest Ethernet payload, bytes'),
  drop: dropRule,
  schedule: z
    .lazy(() => list(scheduleEntry))
    .describe('what changes from a time on: [{ at: 5s, rate: 1Mbit }]'),
}
const link = record<LinkSpec>(LINK).meta({ id: 'link', title: 'One direction of a link' })

const { schedule: _schedule, ...changes } = LINK
const scheduleEntry = record<ScheduleEntry>({ at: quantity.describe('when'), ...changes })

const towards = z
  .record(nodeName, link)
  .describe('what differs towards one of the ends: { b: { loss: 1% } }')
const address = z.union([text, list(text), z.null()], {
  error: "expected an address such as '10.0.0.1/24', a list of them, or null",
})
const vlanEnd = z.union([
  address,
  record<HostEndSpec>({
    vlans: z.record(z.string(), address).describe("by VLAN: { 10: '10.0.10.1/24' }"),
    untagged: address.describe('what has no tag'),
  }),
  record<SwitchEndSpec>({
    access: z.number().describe('in this VLAN, without tags'),
    trunk: z
      .union([z.array(z.number()), z.literal('all')])
      .describe('VLANs that pass with their tags'),
    native: z.number().describe('of a trunk: this one without'),
  }),
])
const traits = { ...LINK, to: towards }
const linkBetween = record<LinkBetween & { between: unknown }>({
  ends: z
    .record(nodeName, vlanEnd)
    .describe('the two nodes, each with its address: { a: 10.0.0.1/24, s: null }'),
  between: z
    .tuple([nodeName, nodeName], { error: 'expected the names of two nodes' })
    .describe('the two nodes; addresses are given out. In the place of ends, for all links'),
  ...traits,
})
const linkTraits = record<Omit<LinkBetween, 'ends'>>(traits)

const TCP_KINDS = {
  flag: yesOrNo,
  durations: text,
  duration: quantity,
  count: quantity,
  size: quantity,
}
const tcp = record<{ [option: string]: unknown }>({
  profile: text.describe(`${TCP_PROFILE_NAMES.join(', ')}: whose choices the TCP makes`),
  ...Object.fromEntries(
    Object.entries(TCP_OPTIONS).map(([option, kind]) => [
      option,
      typeof kind === 'object'
        ? z.enum([...kind]).describe('by name')
        : TCP_KINDS[kind].describe(kind === 'durations' ? "'1s 2s 4s'" : `a ${kind}`),
    ]),
  ),
}).describe('TCP choices that differ from the profile')

const ARP_WORDS = ['off', 'probe', 'announce'] as const
const arp = z
  .union(
    [
      z.enum(ARP_WORDS),
      HOLE,
      record<ClaimSpec>({
        method: text.describe('probe or announce'),
        defend: text.describe('never, once or always'),
        from: quantity.describe('when the interfaces come up'),
      }),
    ],
    { error: `expected ${ARP_WORDS.join(', ')} or a record` },
  )
  .describe('how the node comes by its addresses (RFC 5227)')

const IPV6_WORDS = ['static', 'dad', 'auto'] as const
const ipv6 = z
  .union(
    [
      z.enum(IPV6_WORDS),
      HOLE,
      record<Ipv6Choices>({
        addresses: text.describe('static, dad or auto'),
        advertise: z
          .union([
            z.boolean(),
            record<AdvertiseSpec>({
              interval: quantity.describe("at most so long between two: '600s'"),
              lifetime: quantity.describe('how long it is a default router'),
              preferred: quantity.describe('how long addresses of its prefixes are preferred'),
              valid: quantity.describe('how long they are valid at all'),
            }),
          ])
          .describe('routers tell of themselves and of the networks of their links'),
      }),
    ],
    { error: `expected ${IPV6_WORDS.join(', ')} or a record` },
  )
  .describe('how the node comes by its IPv6 addresses (RFC 4861, RFC 4862)')

// A TUN is for programs that a file of YAML cannot have.
const host: Omit<Keys<HostSpec>, 'kind' | 'nat' | 'tun'> = {
  gateway: text.describe('the default gateway'),
  routes: list(text).describe("'10.2.0.0/16 via 10.255.0.2', 'default via 10.0.0.1'"),
  tcp,
  arp,
  ipv6,
  clock: record<ClockSpec>({
    skew: quantity.describe("how far off it starts: '-5ms'"),
    drift: quantity.describe("what it gains: '50ppm'"),
  }).describe("a clock that is not the world's"),
}
const nat = z
  .union([
    text,
    record<NatSpec>({
      outside: text.describe('the node at the far end of the link that leads outside'),
      filtering: text.describe(
        'endpoint-independent, address-dependent, address-and-port-dependent',
      ),
      udpTimeout: quantity.describe('default 5 minutes'),
      tcpTimeout: quantity.describe('default 2 hours 4 minutes'),
      tcpTransitory: quantity.describe('default 4 minutes'),
      icmpTimeout: quantity.describe('default 1 minute'),
      mappingsMax: quantity.describe('default 16384'),
    }),
  ])
  .describe('those behind it share one address (RFC 4787)')
const hostTraits = record<Omit<HostSpec, 'kind' | 'nat' | 'tun'>>(host)
/** A record that says its kind. `needed` are the keys that it cannot do without. */
const ofKind = (
  kind: string,
  keys: { readonly [key: string]: z.ZodType },
  needed: readonly string[] = [],
) => {
  const rest = Object.entries(keys).map(([key, type]) => [
    key,
    needed.includes(key) ? type : type.optional(),
  ])
  return strict({ kind: z.literal(kind), ...(Object.fromEntries(rest) as z.ZodRawShape) })
}
const NODE_WORDS = ['host', 'router', 'switch', 'hub'] as const
const node = z
  .union(
    [
      z.enum(NODE_WORDS),
      z.discriminatedUnion('kind', [
        ofKind('host', host),
        ofKind('router', { ...host, nat }),
        ofKind('switch', {
          ageing: quantity.describe("how long an address counts: '300s'"),
          tableSize: whole.describe('how many addresses it can remember'),
        } satisfies Omit<Keys<SwitchSpec>, 'kind'>),
        ofKind('hub', {}),
      ]),
    ],
    { error: `expected ${NODE_WORDS.join(', ')}, or a record with one of them as its kind` },
  )
  .meta({ id: 'node' })

const SHAPE = {
  pool: text.describe('where addresses come from: 10.0.0.0/8'),
  host: hostTraits.describe('what all hosts have'),
  router: hostTraits.describe('what all routers have'),
}
const shapeOf = (
  kind: string,
  keys: { readonly [key: string]: z.ZodType },
  needed: readonly string[],
) => ofKind(kind, { ...keys, ...SHAPE }, needed)
const both = { link: linkTraits, access: linkTraits }
const shape = z
  .discriminatedUnion(
    'kind',
    [
      shapeOf('chain', { routers: whole, ...both }, ['routers']),
      shapeOf('star', { hosts: whole, centre: text, link: linkTraits }, ['hosts']),
      shapeOf('dumbbell', { pairs: whole, bottleneck: linkTraits, access: linkTraits }, ['pairs']),
      shapeOf('tree', { depth: whole, fanout: whole, of: text, ...both }, ['depth', 'fanout']),
      shapeOf('full-mesh', { routers: whole, ...both }, ['routers']),
      shapeOf(
        'random',
        { seed: z.union([text, z.number()]), routers: whole, extra: whole, hosts: whole, ...both },
        ['seed', 'routers'],
      ),
    ],
    { error: 'expected chain, star, dumbbell, tree, full-mesh or random' },
  )
  .describe('a common topology, in the place of topology and links')

const about = text.describe('a phrase that says what it is')
const withDefault = (kind: string, type: z.ZodType) =>
  ofKind(kind, { default: type, about }, ['default'])
const param = z
  .discriminatedUnion(
    'kind',
    [
      withDefault('duration', quantity),
      withDefault('rate', quantity),
      withDefault('size', quantity),
      withDefault('ratio', quantity),
      withDefault('count', z.union([text, z.int()], { error: 'expected a whole number' })),
      withDefault('text', text),
      withDefault('flag', z.boolean({ error: 'expected true or false' })),
      ofKind('choice', { choices: list(text).min(1), about }, ['choices']),
      ofKind('file', { default: text.nullable(), about }),
      ofKind('output', { about }),
    ],
    { error: 'expected a parameter such as { kind: count, default: 10 }' },
  )
  .meta({ id: 'param' })

const yes = z.literal(true, { error: 'expected true' })
const ACTION: Keys<FaultActionSpec> = {
  link: text.describe('one direction, a>b, or both, a-b'),
  set: link.describe('what changes for frames sent from then on'),
  down: yes,
  up: yes,
  hold: yes.describe('frames wait at the far end'),
  release: yes,
  partition: list(list(nodeName)).describe('groups of nodes that are cut off from each other'),
  oneWay: yes.describe('only towards the first group'),
  heal: yes.describe('every link up, nothing held'),
  crash: nodeName,
  restart: nodeName,
  pause: nodeName,
  resume: nodeName,
}
const fault = record<Fault>({
  at: quantity.describe('when'),
  every: quantity.describe('again and again'),
  from: quantity.describe('the first time of every'),
  until: quantity.describe('the last time of every'),
  when: text.describe("'first retransmit on a', 'state ESTABLISHED on b'"),
  after: quantity.describe('how long after when'),
  times: whole.describe('how often when may strike'),
  for: quantity.describe('mended after this span'),
  random: record<RandomFaults>({
    every: quantity.describe('the mean pause between two'),
    for: z.tuple([quantity, quantity]).describe('the shortest and the longest'),
    of: list(record<FaultActionSpec>(ACTION)),
    from: quantity,
    until: quantity.describe('all are mended by then'),
    name: text.describe('names the random stream'),
  }).describe('faults at random times'),
  ...ACTION,
}).meta({ id: 'fault' })

const expectation = record<ExpectationSpec>({
  note: text.describe('what a program noted'),
  sample: text.describe('what a program sampled'),
  percentile: z.number().describe('of the sample; the maximum unless given'),
  mark: text.describe('that it happened'),
  within: quantity.describe('of the start, or of after'),
  after: text.describe("'faults' or another mark"),
  goodput: text.describe('of all flows from one node to another, a>b'),
  retransmissions: text.describe('of all flows from one node to another, a>b, or all'),
  utilisation: text.describe('of a direction, a>b'),
  drops: text.describe('of a direction, a>b'),
  equals: z.union([text, z.number()]),
  below: quantity,
  above: quantity,
  atMost: quantity,
  atLeast: quantity,
}).meta({ id: 'expectation' })

/** A whole scenario file. */
export const scenarioSchema = strict({
  name: text,
  about: text.describe('what it shows and what to try').optional(),
  params: z.record(text, param).describe('what --set can change; used as ${name}').optional(),
  topology: z.record(nodeName, node).optional(),
  links: list(linkBetween).optional(),
  shape: shape.optional(),
  programs: dataPrograms.optional(),
  faults: list(fault).optional(),
  until: quantity.describe('when to stop at the latest').optional(),
  expect: list(expectation).describe('what must hold at the end').optional(),
}).meta({ title: 'A Twinwire scenario' })
