// A user signs in to applications written with openid-client and oauth4webapi.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { CALLBACK, CORE, ISSUER, OPERATOR, ask, introspect, newUser, register } from './instance.mjs'

// On this machine there is no TLS.
const insecure = { [oauth.allowInsecureRequests]: true }

const discover = (made, metadata, authentication) =>
  openid.discovery(new URL(ISSUER), made.client_id, metadata, authentication, { execute: [openid.allowInsecureRequests] })

async function newKey() {
  const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  return { privateKey, jwks: { keys: [{ kty, crv, x, y, alg: 'ES256', kid: 'own', use: 'sig' }] } }
}

/** A request with PKCE, and what to check its answer with. */
async function newRequest(scope) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()]
  const parameters = {
    redirect_uri: CALLBACK, scope, state: expectedState, nonce: expectedNonce,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
  }
  return { parameters, checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true } }
}

test('openid-client: code and PKCE, refresh, introspection, UserInfo, revocation, logout', async () => {
  const after = 'https://app.example.com/signed-out'
  const made = await register({ name: 'Orders', redirect_uris: [CALLBACK], post_logout_redirect_uris: [after] })
  const configuration = await discover(made, made.client_secret)
  const { parameters, checks } = await newRequest('openid profile email offline_access')
  const user = await newUser()
  const back = await user.visit(openid.buildAuthorizationUrl(configuration, parameters))
  const tokens = await openid.authorizationCodeGrant(configuration, back, checks)
  const { sub } = tokens.claims()
  const learned = await openid.fetchUserInfo(configuration, tokens.access_token, sub)
  assert.deepEqual([learned.email, learned.name], [user.email, 'Ada Lovelace'])
  assert.equal((await openid.tokenIntrospection(configuration, tokens.access_token)).sub, sub)
  const next = await openid.refreshTokenGrant(configuration, tokens.refresh_token)
  assert.equal(next.claims().sub, sub)
  await openid.tokenRevocation(configuration, next.refresh_token)
  assert.equal((await introspect(next.access_token)).active, false)
  const end = openid.buildEndSessionUrl(configuration, { id_token_hint: tokens.id_token, post_logout_redirect_uri: after, state: 's' })
  assert.equal((await user.visit(end)).href, `${after}?state=s`)
  const silent = await newRequest('openid')
  const refused = await user.visit(openid.buildAuthorizationUrl(configuration, { ...silent.parameters, prompt: 'none' }))
  await assert.rejects(openid.authorizationCodeGrant(configuration, refused, silent.checks), { error: 'login_required' })
})

test('openid-client: pushed requests, DPoP, private_key_jwt', async () => {
  const { privateKey, jwks } = await newKey()
  const made = await register({
    name: 'Bank', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'private_key_jwt', jwks, first_party: true,
    require_pushed_authorization_requests: true, dpop_bound_access_tokens: true, id_token_signed_response_alg: 'ES256',
  })
  const metadata = { id_token_signed_response_alg: 'ES256', use_mtls_endpoint_aliases: false }
  const configuration = await discover(made, metadata, openid.PrivateKeyJwt({ key: privateKey, kid: 'own' }))
  const DPoP = openid.getDPoPHandle(configuration, await openid.randomDPoPKeyPair('ES256'))
  const { parameters, checks } = await newRequest('openid profile')
  const address = await openid.buildAuthorizationUrlWithPAR(configuration, parameters, { DPoP })
  const back = await (await newUser()).visit(address)
  const tokens = await openid.authorizationCodeGrant(configuration, back, checks, undefined, { DPoP })
  assert.equal(tokens.token_type, 'dpop')
  const { sub } = tokens.claims()
  const learned = await openid.fetchUserInfo(configuration, tokens.access_token, sub, { DPoP })
  assert.equal(learned.sub, sub)
  await assert.rejects(openid.fetchUserInfo(configuration, tokens.access_token, sub))
  const next = await openid.refreshTokenGrant(configuration, tokens.refresh_token, undefined, { DPoP })
  assert.equal((await introspect(next.access_token)).token_type, 'DPoP')
})

test('openid-client: signed requests', async () => {
  const { privateKey, jwks } = await newKey()
  const made = await register({
    name: 'Signer', redirect_uris: [CALLBACK], jwks, first_party: true, require_signed_request_object: true,
  })
  const configuration = await discover(made, made.client_secret)
  const { parameters, checks } = await newRequest('openid')
  const signing = { key: privateKey, kid: 'own' }
  const back = await (await newUser()).visit(await openid.buildAuthorizationUrlWithJAR(configuration, parameters, signing))
  const tokens = await openid.authorizationCodeGrant(configuration, back, checks)
  assert.ok(tokens.claims().sub)
})

test('oauth4webapi: a public client', async () => {
  const made = await register({ name: 'Native', redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none' })
  const issuer = new URL(ISSUER)
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  const client = { client_id: made.client_id }
  const verifier = oauth.generateRandomCodeVerifier()
  // A native application listens where it can (RFC 8252 §7.3).
  const redirect_uri = 'http://127.0.0.1:49152/callback'
  const address = new URL(server.authorization_endpoint)
  address.search = new URLSearchParams({
    client_id: made.client_id, redirect_uri, response_type: 'code', scope: 'openid email', state: 'st',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })
  const user = await newUser()
  const parameters = oauth.validateAuthResponse(server, client, await user.visit(address), 'st')
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), parameters, redirect_uri, verifier, insecure,
  )
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { requireIdToken: true })
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  const asked = await oauth.userInfoRequest(server, client, tokens.access_token, insecure)
  assert.equal((await oauth.processUserInfoResponse(server, client, sub, asked)).email, user.email)
})

test('openid-client: a client that registers itself', async () => {
  await ask('PATCH', `${CORE}/v1/settings`, OPERATOR, { oauth: { registration: 'open' } })
  const configuration = await openid.dynamicClientRegistration(
    new URL(ISSUER), { redirect_uris: [CALLBACK], client_name: 'Agent' }, undefined, { execute: [openid.allowInsecureRequests] },
  )
  const { parameters, checks } = await newRequest('openid')
  const back = await (await newUser()).visit(openid.buildAuthorizationUrl(configuration, parameters))
  const tokens = await openid.authorizationCodeGrant(configuration, back, checks)
  assert.equal(tokens.claims().aud, configuration.clientMetadata().client_id)
  const { registration_access_token, registration_client_uri } = configuration.clientMetadata()
  const gone = await fetch(registration_client_uri, {
    method: 'DELETE', headers: { authorization: `Bearer ${registration_access_token}` },
  })
  assert.equal(gone.status, 204)
  assert.equal((await introspect(tokens.access_token)).active, false)
})
