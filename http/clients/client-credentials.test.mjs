// A client's token for itself (RFC 6749 §4.4), as two libraries ask for it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { CORE, OPERATOR, ask, introspect, register } from './instance.mjs'

// On this machine there is no TLS.
const insecure = { [oauth.allowInsecureRequests]: true }

const newClient = () =>
  register({
    name: 'billing',
    scopes: ['invoices:read', 'invoices:write'],
    resources: ['https://invoices.example/'],
  })

async function discovered() {
  const issuer = new URL(`${CORE}/t/demo`)
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
  return oauth.processDiscoveryResponse(issuer, response)
}

for (const [name, authentication] of [
  ['client_secret_basic', oauth.ClientSecretBasic],
  ['client_secret_post', oauth.ClientSecretPost],
]) {
  test(`oauth4webapi with ${name}`, async () => {
    const server = await discovered()
    assert.ok(server.token_endpoint_auth_methods_supported.includes(name))
    const made = await newClient()
    const client = { client_id: made.client_id }
    const parameters = new URLSearchParams({ scope: 'invoices:read', resource: 'https://invoices.example/' })
    const response = await oauth.clientCredentialsGrantRequest(
      server, client, authentication(made.client_secret), parameters, insecure,
    )
    const token = await oauth.processClientCredentialsResponse(server, client, response)
    assert.equal(token.token_type, 'bearer')
    assert.equal(token.scope, 'invoices:read')
    // As a resource server checks it (RFC 9068), with the published keys.
    const request = new Request('https://invoices.example/1', {
      headers: { authorization: `Bearer ${token.access_token}` },
    })
    const claims = await oauth.validateJwtAccessToken(server, request, 'https://invoices.example/', insecure)
    assert.equal(claims.client_id, made.client_id)
    assert.equal((await introspect(token.access_token)).active, true)
  })
}

test('oauth4webapi is told what is wrong', async () => {
  const server = await discovered()
  const made = await newClient()
  const client = { client_id: made.client_id }
  const attempt = async (secret, parameters) => {
    const response = await oauth.clientCredentialsGrantRequest(
      server, client, oauth.ClientSecretBasic(secret), new URLSearchParams(parameters), insecure,
    )
    return oauth.processClientCredentialsResponse(server, client, response)
  }
  await assert.rejects(attempt('wrong', {}), (error) => error.code === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' && error.status === 401)
  await assert.rejects(attempt(made.client_secret, { scope: 'admin' }), { error: 'invalid_scope' })
  await assert.rejects(attempt(made.client_secret, { resource: 'https://other.example/' }), { error: 'invalid_target' })
})

test('openid-client', async () => {
  const server = await discovered()
  const made = await newClient()
  const configuration = await openid.discovery(
    new URL(server.issuer), made.client_id, made.client_secret, undefined,
    { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] },
  )
  const token = await openid.clientCredentialsGrant(configuration, { scope: 'invoices:read invoices:write' })
  assert.equal(token.expires_in, 3600)
  await ask('DELETE', `${CORE}/v1/clients/${made.client_id}`, OPERATOR)
  assert.equal((await introspect(token.access_token)).active, false)
  await assert.rejects(openid.clientCredentialsGrant(configuration, {}))
})
