import { conversationsOf } from '../protocols/encapsulation/conversations.ts'
import { readTable } from '../protocols/encapsulation/table.ts'
import { encapsulationScenario } from '../sim/encapsulation.ts'

const HEADER = [
  'app_protocol',
  'src_app',
  'dst_app',
  'src_port',
  'dst_port',
  'message',
  'timestamp',
]
const ROWS = [
  ['HTTP', 'browser', 'web', '50000', '80', 'GET /index.html HTTP/1.1', '0.100'],
  ['HTTP', 'web', 'browser', '80', '50000', 'HTTP/1.1 200 OK', '0.150'],
  ['CHAT', 'anna', 'ben', '50001', '5000', 'Is anybody there?', '0.200'],
  ['SMTP', 'browser', 'mail', '50002', '25', 'HELO browser.example', '0.250'],
  ['CHAT', 'ben', 'anna', '5000', '50001', 'Wer fragt das? Grüße', '0.300'],
]

const table = readTable(
  HEADER,
  ROWS.map((fields, i) => ({ line: i + 2, fields })),
)
const conversations = 'error' in table ? table : conversationsOf(table.messages)
if ('error' in conversations) throw new Error(conversations.error)

export default encapsulationScenario({
  name: 'encapsulation',
  about: `Messages of applications, told by a table with ports and times, become conversations of five
    hosts: handshake, segments at the right times, acknowledgements, end. 'twinwire encapsulate' does
    the same with a table of yours.`,
  conversations,
})
