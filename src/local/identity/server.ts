/** The local OpenID provider as a process: `server.ts HOME PORT`. For one machine and fictitious people only. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import { limits } from '../../limits.ts'
import { readSecrets, readState } from '../home.ts'
import { isLogin } from './claims.ts'
import { loginPage } from './login-page.ts'
import { createProvider } from './provider.ts'

const [home, port] = process.argv.slice(2)
const state = home === undefined ? null : readState(home)
const secrets = home === undefined ? null : readSecrets(home)
if (!state || !secrets) throw new Error('No cluster has been started on this state folder.')

const provider = createProvider(state, secrets)
provider.on('server_error', (_, error) => console.error(error))
const protocol = provider.callback()

createServer((request, response) => {
  if (!request.url?.startsWith('/interaction/')) return protocol(request, response)
  interact(provider, request, response).catch((error: Error) => {
    response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' })
    response.end(`${error.message}\n`)
  })
}).listen(Number(port), '127.0.0.1')

/** Shows the people of the sample, and takes the one that was picked at their word. */
async function interact(oidc: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { uid } = await oidc.interactionDetails(request, response)
  if (request.method !== 'POST') {
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    })
    response.end(loginPage(uid))
    return
  }
  const login = new URLSearchParams(await readForm(request)).get('login') ?? ''
  await oidc.interactionFinished(
    request,
    response,
    isLogin(login)
      ? // Picking a name is consent too: a native application must not get a token without somebody's doing (RFC 8252, 8.6).
        { login: { accountId: login }, consent: {} }
      : { error: 'access_denied', error_description: 'This person is not in the sample.' },
  )
}

async function readForm(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > limits.maxLoginFormBytes) throw new Error('The form is too long.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
