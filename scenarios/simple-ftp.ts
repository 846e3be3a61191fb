import { ip } from '../protocols/address.ts'
import { fileReceiver } from '../protocols/arq/file-receiver.ts'
import { fileSender } from '../protocols/arq/file-sender.ts'
import { createLoss } from '../protocols/arq/loss.ts'
import { receiveAs, sendAs } from '../protocols/arq/profile.ts'
import { goBackN, selectiveRepeat, soundSimple } from '../protocols/simple-ftp/profiles.ts'
import { choice, count, duration, file, ratio } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'

const PORT = 7735

export default defineScenario({
  name: 'simple-ftp',
  about: `A file with N packets under way, over a link of 50 ms and a receiver that lets one packet in
    twenty go. Go-back-N sends everything again from the loss on, Selective Repeat only what is
    missing, and a session estimates its timeout and hears what has come: --set arq=session,
    --set arq=selective-repeat, --set n=1 for stop-and-wait.`,
  params: {
    arq: choice(['go-back-n', 'selective-repeat', 'session'], 'what happens after a loss'),
    n: count(16, 'packets under way'),
    mss: count(500, 'bytes of the file in each packet'),
    p: ratio('5%', 'of data packets let go by the receiver'),
    file: file('shipped:letter.txt', 'what to send'),
    delay: duration('25ms', 'of the link, each way'),
  },
  topology: { client: 'host', server: 'host' },
  links: ({ delay }) => [
    { ends: { client: '10.0.0.1/24', server: '10.0.0.2/24' }, delay, rate: '10Mbit' },
  ],
  programs: ({ arq, n, mss, p, file: sent }) => {
    const make = { 'go-back-n': goBackN, 'selective-repeat': selectiveRepeat, session: soundSimple }
    const profile = make[arq](n)
    return {
      server: (host) => {
        const state = receiveAs(profile, { port: PORT, loss: createLoss(p, 1) })
        let got = 0
        host.run(fileReceiver, state, (report) => {
          if (report.kind === 'data') host.note('bytes received', (got += report.bytes))
        })
      },
      client: (host) => {
        const content = sent.bytes
        host.note('size', content.length)
        const peers = [{ address: ip('10.0.0.2'), port: PORT }]
        const state = sendAs(profile, { peers, unitBytes: mss, content, name: 'letter' })
        host.run(fileSender, state, (report) => {
          if (report.kind !== 'finished') return
          host.mark('acknowledged')
          host.note('packets sent again', report.peers[0]!.resent)
        })
      },
    }
  },
  until: '600s',
  expect: ({ notes }) => [
    { note: 'bytes received', equals: notes['size'] ?? -1 },
    { mark: 'acknowledged', within: '600s' },
  ],
})
