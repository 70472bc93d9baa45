/** The part of oidc-provider 9 that the local provider uses; the package ships no types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

  export interface Interaction {
    readonly uid: string
    readonly prompt: { readonly name: string }
  }

  export interface Token {
    readonly accountId?: string
    readonly clientId?: string
    readonly scope?: string
  }

  export interface Context {
    readonly oidc: {
      readonly client: { readonly clientId: string }
      readonly session: { readonly accountId: string }
      readonly provider: Provider
      readonly params: { readonly scope?: string }
      /** What the request's code stands for, at the token endpoint. */
      readonly entities: { readonly AuthorizationCode?: Token }
    }
  }

  export class Grant {
    constructor(of: { clientId: string; accountId: string })
    addOIDCScope(scope: string): void
    addResourceScope(resource: string, scope: string): void
    save(): Promise<string>
  }

  export default class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>)
    readonly Grant: typeof Grant
    callback(): RequestListener
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result:
        | { login: { accountId: string }; consent: Record<string, never> }
        | { error: string; error_description: string },
    ): Promise<void>
    on(event: 'server_error', listener: (context: Context, error: Error) => void): this
  }

  export const errors: { readonly InvalidScope: new (description: string, scope?: string) => Error }
}
