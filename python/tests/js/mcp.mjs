// The official TypeScript client: reads what to do as a line of JSON, asks for logins, and tells what the tools returned.
import { createInterface } from 'node:readline'
import { Client, DpopSession, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const say = (message) => console.log(JSON.stringify(message))

const wanted = await read()
const session = wanted.dpop ? await DpopSession.create() : undefined
const kept = { client: wanted.client }

const provider = {
  redirectUrl: wanted.callback,
  clientMetadataUrl: wanted.client_metadata_url,
  clientMetadata: {
    redirect_uris: [wanted.callback],
    client_name: 'A test',
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: wanted.client ? 'client_secret_post' : 'none',
  },
  clientInformation: () => kept.client,
  saveClientInformation: (client) => void (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
  redirectToAuthorization: (url) => void (kept.login = url.href),
  dpop: () => session,
}

const logIn = async (transport) => {
  say({ login: kept.login })
  await transport.finishAuth(new URLSearchParams(await read()))
}

// Runs one step. Where it needs a login first, it runs once more afterwards, over a new connection.
const connected = async () => {
  const transport = new StreamableHTTPClientTransport(new URL(wanted.url), { authProvider: provider })
  const client = new Client({ name: 'test', version: '1' })
  try {
    await client.connect(transport)
    return { client, transport }
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error
    await logIn(transport)
    return connected()
  }
}

let connection = await connected()
const call = async (name) => {
  try {
    const result = await connection.client.callTool({ name, arguments: {} })
    return result.content[0].text
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error
    await logIn(connection.transport)
    connection = await connected()
    return call(name)
  }
}

const texts = [await call('who'), await call('pay')]
kept.tokens = { ...kept.tokens, access_token: 'ended' }
texts.push(await call('who'))
await connection.client.close()
say({ texts, jkt: session?.thumbprint ?? null, token_type: kept.tokens.token_type, client_id: kept.client.client_id })
process.exit(0)
