import { type RegisterVerb } from './verb.ts'

// Apart from what it runs, which brings a library that no other command needs.

export const schemaVerb: RegisterVerb = (program, _files, verb) => {
  program
    .command('schema')
    .description('print the JSON Schema of scenario files')
    .action(() => {
      verb.act = async () => ({ code: (await import('./schema.ts')).schema() })
    })
}
