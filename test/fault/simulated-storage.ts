/**
 * A database that can lose what is not durable yet, as one that the power leaves: what a commit changes is visible at once
 * and durable later. Everything since `begin` can be undone, so that one database serves thousands of runs.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { LogRow, LogSql, LogValue } from '../../src/audit/log-store.ts'

interface Commit {
  readonly name: string
  isDurable: boolean
}

export class SimulatedDatabase {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  /** Commits from the oldest that is not durable on, each inside the one before. */
  #commits: Commit[] = []
  #hasBackup = false

  constructor(database = new DatabaseSync(':memory:')) {
    this.#database = database
  }

  all(sql: string, ...params: readonly LogValue[]): LogRow[] {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement.all(...params) as LogRow[]
  }

  begin(): void {
    this.#database.exec('begin')
    this.#commits = []
    this.#hasBackup = false
  }

  /** Forgets everything since `begin`. */
  undo(): void {
    this.#database.exec('rollback')
  }

  /** Makes everything since `begin` the state that later runs begin with. */
  keep(): void {
    this.#database.exec('commit')
  }

  /** @throws what `change` throws; then nothing is changed. */
  write<T>(change: () => T): { readonly value: T; readonly commit: Commit } {
    const commit = { name: `commit_${this.#commits.length}`, isDurable: false }
    this.all(`savepoint ${commit.name}`)
    try {
      const value = change()
      this.#commits.push(commit)
      return { value, commit }
    } catch (error) {
      this.#rollBackTo(commit.name)
      throw error
    }
  }

  /** The last commit that was written did not take place after all. */
  revert(commit: Commit): void {
    if (this.#commits.pop() !== commit) throw new Error('only the newest commit can be reverted')
    this.#rollBackTo(commit.name)
  }

  /** This commit survives from now on, and with it all before. */
  makeDurable(commit: Commit): void {
    const at = this.#commits.indexOf(commit)
    for (const each of this.#commits.slice(0, at + 1)) each.isDurable = true
    const [first] = this.#commits
    if (first && this.#commits.every(({ isDurable }) => isDurable)) {
      this.all(`release ${first.name}`)
      this.#commits = []
    }
  }

  /** What a power cut leaves. */
  loseUndurable(): void {
    const lost = this.#commits.find(({ isDurable }) => !isDurable)
    if (!lost) return
    this.#rollBackTo(lost.name)
    const [first] = this.#commits
    if (first && first !== lost) this.all(`release ${first.name}`)
    this.#commits = []
  }

  get hasBackup(): boolean {
    return this.#hasBackup
  }

  /** Notes the state as it is, if all of it is durable. */
  backUp(): boolean {
    if (this.#commits.length > 0) return false
    this.#database.exec('savepoint backup')
    this.#hasBackup = true
    return true
  }

  restore(): void {
    this.#database.exec('rollback to backup')
    this.#commits = []
  }

  #rollBackTo(name: string): void {
    this.all(`rollback to ${name}`)
    this.all(`release ${name}`)
  }
}

export type { Commit }

/** The log's view of a database, with a note of what it ran. */
export function recordingSql(database: SimulatedDatabase, ran: string[]): LogSql {
  return {
    exec: (sql, ...params) => {
      ran.push(sql)
      return database.all(sql, ...params)
    },
  }
}
