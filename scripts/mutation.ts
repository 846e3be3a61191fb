/** One thing that the TCP does wrong. */
export interface Mutation {
  readonly name: string
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
}

export const tcp = (name: string, file: string, find: string, replace: string): Mutation => ({
  name,
  file: `protocols/tcp/${file}.ts`,
  find,
  replace,
})

export const sim = (name: string, file: string, find: string, replace: string): Mutation => ({
  name,
  file: `sim/${file}.ts`,
  find,
  replace,
})

export const host = (name: string, file: string, find: string, replace: string): Mutation => ({
  name,
  file: `protocols/host/${file}.ts`,
  find,
  replace,
})
