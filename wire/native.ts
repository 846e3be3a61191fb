import { createRequire } from 'node:module'
import { EnvironmentError } from '../sim/user-error.ts'

/** The C library's calls that devices need. Pointers are bytes; results are as in C. */
export interface Libc {
  open(path: string, flags: number): number
  close(fd: number): number
  read(fd: number, bytes: Uint8Array, size: number): number
  write(fd: number, bytes: Uint8Array, size: number): number
  ioctl(fd: number, request: number, argument: Uint8Array): number
  /** With a number in the place of a pointer. */
  ioctlValue(fd: number, request: number, value: number): number
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, size: number): number
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, size: number): number
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, size: Uint8Array): number
  sendto(
    fd: number,
    bytes: Uint8Array,
    size: number,
    flags: number,
    address: Uint8Array,
    addressSize: number,
  ): number
  memcpy(to: Uint8Array, from: Uint8Array, size: number): void
  eventfd(initial: number, flags: number): number
  /** With `timeout` a struct timespec. */
  ppoll(fds: Uint8Array, count: number, timeout: Uint8Array, mask: null): number
  timerfdCreate(clock: number, flags: number): number
  timerfdSettime(fd: number, flags: number, value: Uint8Array, old: null): number
  /** Why the last call failed. */
  errno(): number
}

interface Koffi {
  load(library: string): { func(prototype: string): unknown }
  errno(): number
}

const PROTOTYPES: { readonly [Call in Exclude<keyof Libc, 'errno'>]: string } = {
  open: 'int open(const char* path, int flags)',
  close: 'int close(int fd)',
  read: 'long read(int fd, void* bytes, size_t size)',
  write: 'long write(int fd, const void* bytes, size_t size)',
  ioctl: 'int ioctl(int fd, unsigned long request, void* argument)',
  ioctlValue: 'int ioctl(int fd, unsigned long request, long value)',
  socket: 'int socket(int domain, int type, int protocol)',
  bind: 'int bind(int fd, const void* address, uint32_t size)',
  setsockopt: 'int setsockopt(int fd, int level, int name, const void* value, uint32_t size)',
  getsockopt: 'int getsockopt(int fd, int level, int name, void* value, void* size)',
  sendto:
    'long sendto(int fd, const void* bytes, size_t size, int flags, const void* address, uint32_t n)',
  memcpy: 'void memcpy(void* to, const void* from, size_t size)',
  eventfd: 'int eventfd(uint32_t initial, int flags)',
  ppoll: 'int ppoll(void* fds, unsigned long count, const void* timeout, const void* mask)',
  timerfdCreate: 'int timerfd_create(int clock, int flags)',
  timerfdSettime: 'int timerfd_settime(int fd, int flags, const void* value, void* old)',
}

const nativeRequire = createRequire(import.meta.url)
let loaded: Libc | null = null

/**
 * Loads koffi, on which every device rests, when it is first needed.
 *
 * @throws EnvironmentError where it is missing, or the system is not Linux on a 64-bit machine.
 */
export function libc(): Libc {
  return (loaded ??= load())
}

function load(): Libc {
  if (process.platform !== 'linux') {
    throw new EnvironmentError(`live mode needs Linux, and this is ${process.platform}`)
  }
  const koffi = requireKoffi()
  const library = koffi.load('libc.so.6')
  const calls = Object.entries(PROTOTYPES).map(([name, prototype]) => [
    name,
    library.func(prototype),
  ])
  return { ...Object.fromEntries(calls), errno: () => koffi.errno() } as Libc
}

function requireKoffi(): Koffi {
  try {
    return nativeRequire('koffi') as Koffi
  } catch (e) {
    throw new EnvironmentError(`live mode needs the package koffi (${firstLine(e)})`, KOFFI_HINT)
  }
}

export const KOFFI_HINT = 'install it: npm install koffi'

/** Where a worker finds koffi: it has no place of its own to start the search from. */
export const koffiPath = (): string => nativeRequire.resolve('koffi')

const firstLine = (e: unknown): string =>
  (e instanceof Error ? e.message : String(e)).split('\n')[0]!.replace(/^Error: /, '')

/** struct pollfd: the descriptor, then what is asked for and what has happened. */
const POLLFD = 8
const POLLIN = 1

/** The argument of poll(2) for descriptors that are to be read. */
export function pollSet(fds: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(POLLFD * fds.length)
  const view = new DataView(bytes.buffer)
  for (const [i, fd] of fds.entries()) {
    view.setInt32(POLLFD * i, fd, true)
    view.setInt16(POLLFD * i + 4, POLLIN, true)
  }
  return bytes
}
