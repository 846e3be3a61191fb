import { createSocket } from 'node:dgram'

/** Sends datagrams of 64 bytes at a steady rate: `node live-flood.js ADDRESS PORT RATE SECONDS`. */
const [address = '', port = '', rate = '', seconds = ''] = process.argv.slice(2)
const socket = createSocket('udp4')
const payload = new Uint8Array(64)
const total = Number(rate) * Number(seconds)
const start = performance.now()
let sent = 0

socket.connect(Number(port), address, () => {
  const turn = () => {
    const due = Math.min(((performance.now() - start) / 1000) * Number(rate), total)
    // A few at a time: a sender that was held up does not make good for it in one burst.
    for (let i = 0; sent < due && i < 200; i++, sent++) socket.send(payload)
    if (sent < total) return void setImmediate(turn)
    process.stdout.write(`${sent} in ${((performance.now() - start) / 1000).toFixed(2)} s\n`)
    socket.close()
  }
  turn()
})
