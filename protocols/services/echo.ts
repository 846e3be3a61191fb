import type { Service } from './server.ts'

/** RFC 862: what comes is sent back. */
export const echo: Service = {
  name: 'echo',
  port: 7,
  answer: (_state, _now, payload) => payload,
  greeting: () => null,
  endsAfterGreeting: false,
  sendsBack: true,
  more: () => null,
}
