import type { Service } from './server.ts'

/** RFC 863: what comes is thrown away, and nothing is said. */
export const discard: Service = {
  name: 'discard',
  port: 9,
  answer: () => null,
  greeting: () => null,
  endsAfterGreeting: false,
  sendsBack: false,
  more: () => null,
}
