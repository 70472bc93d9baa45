/** The whole of Dossier on one machine: real parts, loopback only. */

export interface ClusterOptions {
  /** State folder; made when absent. Secrets in it are readable by its owner only. */
  readonly home: string
  /** Port of the Worker; 0: a free one. */
  readonly port: number
  /** What an operator should see: progress, and children that died. One line each. */
  readonly onMessage?: (line: string) => void
}

export type ProcessName =
  | 'records-primary'
  | 'records-replica'
  | 'local-montreal'
  | 'local-quebec'
  | 'audit'
  | 'identity'
  | 'worker'

export interface ClusterDatabase {
  readonly url: string
  readonly readToken: string
  readonly writeToken: string
}

/** One child process, kept running by its supervisor until it is killed on purpose. */
export interface ClusterProcess {
  pid(): number | undefined
  /** Ends it and waits for its exit; it stays down until `start`. Default SIGTERM. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** SIGKILL, as a fault would do it; resolves when it is gone. The supervisor starts it again. */
  crash(): Promise<void>
  /** Resolves when it answers again (also after `crash`). */
  start(): Promise<void>
}

export interface TokenOptions {
  /** v3-ActReason code; default TREAT for providers, HCOMPL for a privacy officer. */
  readonly purpose?: string
  /** Further scopes, separated by spaces; `facility=<id>` and `subject_role=<role>` choose among several roles. */
  readonly scope?: string
}

export interface Cluster {
  /** Of the Worker, without a slash at the end. */
  readonly url: string
  readonly home: string
  readonly issuer: string
  readonly audience: string
  readonly databases: {
    readonly primary: ClusterDatabase
    readonly replica: ClusterDatabase
    readonly audit: ClusterDatabase
    /** By name of region. */
    readonly local: Readonly<Record<string, ClusterDatabase>>
  }
  readonly processes: Readonly<Record<ProcessName, ClusterProcess>>
  /** An access token of the identity provider, obtained by its real flow: a login, or `system-<facility>`. */
  token(name: string, options?: TokenOptions): Promise<string>
  /** Ends every child: SIGTERM, then SIGKILL. */
  stop(): Promise<void>
}
