import { afterAll, describe, expect, test } from 'vitest'
import { Desk } from '../cli/program.ts'
import { TIME_WAIT_CASES } from '../protocols/tcp/time-wait-cases.ts'
import { Namespace, needs } from './namespace.ts'

// What the kernel makes of segments to a connection in TIME-WAIT: the table that the linux profile is held
// against. Its peer is a program at the other end of a TUN.

const able = needs('python3', 'ss')

const PEER = `
import fcntl, json, os, select, socket, struct, subprocess, sys, time

tun = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack('16sH', b'tun0', 0x1001))
for command in ('ip addr add 10.0.0.1/24 dev tun0', 'ip link set tun0 up', 'sysctl -qw net.ipv4.tcp_timestamps=0'):
    subprocess.check_call(command.split())
OURS, THEIRS = (socket.inet_aton(a) for a in ('10.0.0.1', '10.0.0.2'))
BITS = {'F': 1, 'S': 2, 'R': 4, 'P': 8, '.': 16}

def checksum(b):
    total = sum(struct.unpack('!%dH' % (len(b) // 2), b)) if len(b) % 2 == 0 else checksum_odd(b)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff

def checksum_odd(b):
    return sum(struct.unpack('!%dH' % ((len(b) + 1) // 2), b + b'\\0'))

def send(port, flags, seq, ack, length=0):
    bits = sum(BITS[f] for f in flags)
    t = struct.pack('!HHIIBBHHH', port, 8080, seq & 0xffffffff, ack & 0xffffffff, 80, bits, 32767, 0, 0) + bytes(length)
    sum_ = checksum(THEIRS + OURS + struct.pack('!BBH', 0, 6, len(t)) + t)
    t = t[:16] + struct.pack('!H', sum_) + t[18:]
    h = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(t), 1, 0, 64, 6, 0, THEIRS, OURS)
    os.write(tun, h[:10] + struct.pack('!H', checksum(h)) + h[12:] + t)

def answers(port):
    got, end = [], time.time() + 0.06
    while select.select([tun], [], [], max(end - time.time(), 0))[0]:
        p = os.read(tun, 4000)
        if p[0] >> 4 == 4 and p[9] == 6 and struct.unpack('!H', p[22:24])[0] == port:
            got.append((''.join(f for f in 'SFRP.' if p[33] & BITS[f]), struct.unpack('!I', p[24:28])[0]))
    return got

server = socket.socket()
server.bind(('10.0.0.1', 8080))
server.listen()
results = []
for i, case in enumerate(json.loads(sys.argv[1])):
    port = 40000 + i
    send(port, 'S', 1000, 0)
    isn = answers(port)[0][1]
    send(port, '.', 1001, isn + 1)
    accepted, _ = server.accept()
    accepted.close()
    send(port, '.', 1001, isn + 2)
    send(port, 'F.', 1001, isn + 2)
    answers(port)
    ack = isn + case['ack'] if '.' in case['flags'] else 0
    send(port, case['flags'], 1000 + case['seq'], ack, case['length'])
    said = ' '.join(flags for flags, _ in answers(port))
    left = subprocess.run(['ss', '-tan', 'state', 'time-wait'], capture_output=True, text=True).stdout
    results.append({'name': case['name'], 'answer': said, 'isGone': ':%d ' % port not in left + ' '})
print(json.dumps(results))
`

describe.skipIf(!able)('the kernel in TIME-WAIT', () => {
  const desk = new Desk()
  const namespace = able ? new Namespace() : null
  afterAll(() => {
    namespace?.remove()
    desk.clear()
  })

  test('does what the table says', { timeout: 30_000 }, () => {
    desk.write('peer.py', PEER)
    const asked = JSON.stringify(TIME_WAIT_CASES)
    const { out, err } = namespace!.run('python3', `${desk.path}/peer.py`, asked)
    expect(err).toBe('')
    expect(JSON.parse(out)).toEqual(
      TIME_WAIT_CASES.map(({ name, answer, isGone }) => ({ name, answer, isGone })),
    )
  })
})
