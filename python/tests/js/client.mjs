// Makes DPoP proofs with npm's `dpop` or `jose`, and sends requests with them. Reads a command a line, as JSON; answers in kind.
import { createInterface } from 'node:readline'
import { createHash, randomUUID } from 'node:crypto'
import * as dpop from 'dpop'
import * as jose from 'jose'

const makers = {
  async dpop(alg) {
    const pair = await dpop.generateKeyPair(alg)
    const proof = ({ htu, htm, nonce, token }) => dpop.generateProof(pair, htu, htm, nonce, token)
    return { jkt: await dpop.calculateThumbprint(pair.publicKey), proof }
  },
  async jose(alg) {
    const { privateKey, publicKey } = await jose.generateKeyPair(alg)
    const jwk = await jose.exportJWK(publicKey)
    const ath = (token) => createHash('sha256').update(token).digest('base64url')
    const proof = ({ htu, htm, nonce, token }) =>
      new jose.SignJWT({ htu, htm, nonce, ath: ath(token), jti: randomUUID() })
        .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk })
        .setIssuedAt()
        .sign(privateKey)
    return { jkt: await jose.calculateJwkThumbprint(jwk), proof }
  },
}

let client
const commands = {
  async key({ maker, alg }) {
    client = await makers[maker](alg)
    return { jkt: client.jkt }
  },
  async proof(wanted) {
    return { proof: await client.proof(wanted) }
  },
  async send({ url, method, token, proof }) {
    const headers = { authorization: `DPoP ${token}`, dpop: proof }
    const answer = await fetch(url, { method, headers })
    return { status: answer.status, nonce: answer.headers.get('dpop-nonce'), body: await answer.text() }
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...wanted } = JSON.parse(line)
  console.log(JSON.stringify(await commands[command](wanted)))
}
