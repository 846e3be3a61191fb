import { lookup } from 'node:dns/promises'
import { formatIp, type IpAddress, parseIpText } from '../protocols/address.ts'
import type { Errno } from '../protocols/errno.ts'
import { parseCount } from '../sim/units.ts'
import { EnvironmentError, isRefusal, UserError } from '../sim/user-error.ts'
import { KernelHost } from '../wire/kernel-host.ts'
import { EXIT_INTERRUPTED } from './exit-codes.ts'

/** What commands on the kernel's sockets have in common. */

/** An address, or the first one of a name. */
export async function addressOf(host: string): Promise<IpAddress> {
  const written = parseIpText(host)
  if (written !== null) return written
  try {
    const found = await lookup(host)
    return parseIpText(found.address)!
  } catch {
    throw new UserError(`there is no host '${host}'`, { hint: 'an address or a name' })
  }
}

export function portOf(text: string, where: string): number {
  const port = parseCount(text)
  if (!isRefusal(port) && port >= 1 && port <= 0xffff) return port
  throw new UserError(`'${text}' is no port`, { where, hint: 'from 1 to 65535' })
}

/** Sockets of the family of an address. */
export const hostFor = (address: IpAddress): KernelHost =>
  new KernelHost({ family: typeof address === 'string' ? 6 : 4 })

/** Why a server could not begin, and what to do about it. */
export function cannotListen(address: IpAddress, port: number, error: Errno): EnvironmentError {
  const place = `${formatIp(address)}:${port}`
  const hints: { readonly [error: string]: string } = {
    EADDRINUSE: `another program is there: 'ss -ltnp sport = :${port}' names it, or take --port`,
    EADDRNOTAVAIL: "no interface has this address: 'ip address' lists them",
    EACCES: 'ports below 1024 are for root: take another one with --port',
  }
  return new EnvironmentError(`cannot listen on ${place}: ${error}`, hints[error])
}

/**
 * Runs `act` on the kernel's sockets until it calls `done` with the exit code, throws, or Ctrl-C is
 * pressed. Every socket is closed then.
 */
export async function onKernel(
  host: KernelHost,
  act: (done: (code: number) => void, fail: (error: unknown) => void) => void,
): Promise<number> {
  let interrupt = (): void => {}
  try {
    return await new Promise<number>((resolve, reject) => {
      interrupt = () => resolve(EXIT_INTERRUPTED)
      process.once('SIGINT', interrupt)
      process.once('SIGTERM', interrupt)
      act(resolve, reject)
    })
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
    host.close()
  }
}
