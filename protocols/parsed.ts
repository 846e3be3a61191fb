/** The result of reading bytes from outside. Parsing never throws: what is wrong is a value. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: Malformation }

/**
 * - `truncated`: fewer bytes than the fixed header needs.
 * - `bad-length`: a length inside the packet contradicts the bytes that are there.
 * - `bad-checksum`: the checksum does not match.
 * - `bad-version`: another protocol version than the one asked for.
 * - `bad-option`: an option's own length is impossible.
 * - `unsupported`: well-formed, but of a kind that this codec does not carry.
 */
export type Malformation =
  | 'truncated'
  | 'bad-length'
  | 'bad-checksum'
  | 'bad-version'
  | 'bad-option'
  | 'unsupported'

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value })
export const malformed = (why: Malformation): { ok: false; why: Malformation } => ({
  ok: false,
  why,
})

/** What the readers inside a frame give back, a record or what is wrong, as a result. */
export const toParsed = <T extends object>(read: T | Malformation): Parsed<T> =>
  typeof read === 'string' ? malformed(read) : parsed(read)
