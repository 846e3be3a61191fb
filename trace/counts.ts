/** How often each of a few named things happened. */
export class Counts {
  readonly #counts = new Map<string, number>()

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  /** By name in the order of code units, so that the order of events does not show. */
  sorted(): { [name: string]: number } {
    const names = [...this.#counts.keys()].sort((a, b) => (a < b ? -1 : 1))
    return Object.fromEntries(names.map((name) => [name, this.#counts.get(name)!]))
  }
}
