import { host, type Mutation, tcp } from './mutation.ts'

/** Of Fast Open (RFC 7413). */
export const FAST_OPEN_MUTATIONS: readonly Mutation[] = [
  tcp(
    'a cookie on a SYN that is sent again',
    'negotiate',
    "(s.state !== 'SYN-SENT' || s.rto.total > 0)",
    "s.state !== 'SYN-SENT'",
  ),
  tcp(
    'what a SYN,ACK did not take is lost',
    'fast-open',
    '  snd.nxt = snd.una\n  s.fellBack',
    '  s.fellBack',
  ),
  tcp('a cookie of an odd length', 'fast-open-option', ' && length % 2 === 0', ''),
  tcp(
    'the window of a SYN scaled before the handshake is over',
    'fast-open',
    'snd.wnd = snd.maxWnd = seg.window\n',
    'snd.wnd = snd.maxWnd = seg.window << snd.wndScale\n',
  ),
  tcp(
    'the FIN sent again in place of the SYN,ACK',
    'fast-open',
    "s.state === 'SYN-RECEIVED' || isPending(s)",
    "s.state === 'SYN-RECEIVED'",
  ),
  host(
    'any cookie will do',
    'fast-open',
    'if (equalBytes(option.cookie, ours))',
    'if (option.cookie.length > 0)',
  ),
  host(
    'no limit of requests that wait',
    'fast-open',
    'fastOpen.waiting + fastOpen.resets.length < most',
    'most > 0',
  ),
  host('a refusal forgotten', 'fast-open', 'if (refusedFor === 0) return peer', 'return peer'),
]
