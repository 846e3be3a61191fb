import { ip } from '../protocols/address.ts'
import { fileReceiver } from '../protocols/arq/file-receiver.ts'
import { fileSender } from '../protocols/arq/file-sender.ts'
import { createLoss } from '../protocols/arq/loss.ts'
import { receiveAs, sendAs } from '../protocols/arq/profile.ts'
import { P2MP_PORT, P2MP_PROFILES } from '../protocols/p2mp-ftp/profiles.ts'
import { choice, count, duration, file, flag, ratio } from '../sim/params.ts'
import type { Host } from '../sim/programs.ts'
import { defineScenario } from '../sim/scenario.ts'

const RECEIVERS = ['r1', 'r2', 'r3']

export default defineScenario({
  name: 'p2mp-ftp',
  about: `One file to three receivers over UDP, each with its own luck. The receivers let data packets go
    by chance, as the course has it, and the links lose, reorder and duplicate on top of that. Only
    those who miss a packet get it again. The profile 'sound' is a session with a window, estimated
    timeouts and a hash; 'canonical' and 'seed' are stop-and-wait with 0.1 s: compare how long they take. With
    --set multicast=true a packet goes to a group first: the sender's link carries it once, not thrice.`,
  params: {
    profile: choice(['sound', 'canonical', 'seed'], 'whose packets and timing'),
    file: file('shipped:letter.txt', 'what to send'),
    mss: count(500, 'bytes of the file in each packet'),
    multicast: flag(false, 'a packet’s first time is to a group, which all have joined'),
    p: ratio('5%', 'of data packets let go by each receiver'),
    delay: duration('10ms', 'of each link, each way'),
    loss: ratio('1%', 'of frames, each way'),
    reorder: ratio('5%', 'of frames that overtake'),
    duplicate: ratio('1%', 'of frames that arrive twice'),
  },
  topology: { sender: 'host', s: 'switch', r1: 'host', r2: 'host', r3: 'host' },
  links: ({ delay, loss, reorder, duplicate }) => [
    { ends: { sender: '10.0.0.100/24', s: null } },
    ...RECEIVERS.map((name, i) => ({
      ends: { [name]: `10.0.0.${i + 1}/24`, s: null },
      delay,
      loss,
      reorder,
      duplicate,
    })),
  ],
  programs: ({ profile: name, file: sent, mss, p, multicast }) => {
    const group = multicast ? ip('239.1.2.3') : null
    const profile = P2MP_PROFILES.find((each) => each.name === name)!
    const receive = (index: number) => (host: Host) => {
      const state = receiveAs(profile, { port: P2MP_PORT, group, loss: createLoss(p, index) })
      let got = 0
      let lost = 0
      host.run(fileReceiver, state, (report) => {
        if (report.kind === 'data') host.note(`bytes at ${host.name}`, (got += report.bytes))
        else if (report.kind === 'line') host.note(`let go at ${host.name}`, (lost += 1))
      })
    }
    return {
      r1: receive(1),
      r2: receive(2),
      r3: receive(3),
      sender: (host) => {
        const content = sent.bytes
        host.note('size', content.length)
        const peers = RECEIVERS.map((_, i) => ({ address: ip(`10.0.0.${i + 1}`), port: P2MP_PORT }))
        const state = sendAs(profile, {
          peers,
          group: group === null ? null : { address: group, port: P2MP_PORT },
          unitBytes: mss,
          content,
          name: 'letter',
        })
        let timeouts = 0
        host.run(fileSender, state, (report) => {
          if (report.kind === 'line') host.note('timeouts', (timeouts += 1))
          if (report.kind === 'failed') host.note('failed', 1)
          if (report.kind === 'finished') host.mark('everybody has it')
        })
      },
    }
  },
  until: '600s',
  expect: ({ notes }) => [
    ...RECEIVERS.map((name) => ({
      note: `bytes at ${name}`,
      equals: notes['size'] ?? -1,
    })),
    { mark: 'everybody has it', within: '600s' },
  ],
})
