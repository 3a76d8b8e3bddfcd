// What the tests share: an application, its users, and a browser of a visitor's own.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import puppeteer from 'puppeteer-core'

const { CORE, OPERATOR, CHROMIUM } = process.env
export const ISSUER = `${CORE}/t/demo`
export const PASSWORD = 'plain oat zebra lantern'

const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" fill="#0a7d55"/></svg>`
// The application's own server. Its callback shows what came, so that a test can read it off the page.
const application = createServer(async (request, response) => {
  const { pathname, search } = new URL(request.url, 'http://application')
  if (pathname === '/logo.svg') return response.setHeader('content-type', 'image/svg+xml').end(LOGO)
  if (pathname !== '/callback') return response.writeHead(204).end()
  const sent = request.method === 'POST' ? (await request.toArray()).join('') : search
  const answer = { method: request.method, ...Object.fromEntries(new URLSearchParams(sent)) }
  const text = JSON.stringify(answer).replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  response.setHeader('content-type', 'text/html').end(`<!doctype html><title>Back</title><pre id="answer">${text}</pre>`)
}).listen(0, '127.0.0.1')
await once(application, 'listening')
const PLACE = `http://127.0.0.1:${application.address().port}`
export const CALLBACK = `${PLACE}/callback`

const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
export const stop = () => Promise.all([browser.close(), application.close()])

async function post(url, body, headers = {}) {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
  assert.ok(answer.ok, `${url}: ${answer.status} ${await answer.clone().text()}`)
  return answer.status === 202 ? undefined : answer.json()
}

// A public client with PKCE. Users of a first party are not asked for consent.
export async function newClient(more = {}) {
  const definition = {
    name: 'Meadow Notes',
    redirect_uris: ['http://127.0.0.1/callback'],
    token_endpoint_auth_method: 'none',
    logo_uri: `${PLACE}/logo.svg`,
    client_uri: PLACE,
    policy_uri: `${PLACE}/privacy`,
    tos_uri: `${PLACE}/terms`,
    ...more,
  }
  const made = await post(`${CORE}/v1/clients`, definition, { authorization: `Bearer ${OPERATOR}`, 'plinto-tenant': 'demo' })
  return made.client_id
}

export const newEmail = () => `visitor-${randomBytes(6).toString('hex')}@example.com`

export async function newUser(name = 'Ada Lovelace') {
  const email = newEmail()
  await post(`${ISSUER}/v1/auth/sign-up`, { email, password: PASSWORD, name })
  return email
}

// A page in a browser of its own, which nobody is signed in in.
export async function newVisitor({ scripts = true, language = 'en' } = {}) {
  const page = await (await browser.createBrowserContext()).newPage()
  await page.setJavaScriptEnabled(scripts)
  await page.setExtraHTTPHeaders({ 'accept-language': language })
  const [errors, refused] = [[], new Set()]
  page.on('pageerror', (error) => errors.push({ text: error.message }))
  page.on('console', (message) => message.type() === 'error' && errors.push({ text: message.text(), url: message.location().url }))
  page.on('response', (response) => {
    if (response.request().isNavigationRequest() && response.status() >= 400) refused.add(response.url())
  })
  // Each once, with where it happened. A page that says with its own status that something is refused is meant to.
  const complaints = () => {
    const meant = ({ text, url }) => text.startsWith('Failed to load resource') && refused.has(url)
    const place = (url) => (url ? new URL(url).pathname : 'a script')
    return [...new Set(errors.filter((error) => !meant(error)).map(({ text, url }) => `${place(url)}: ${text.trim()}`))]
  }
  return { page, complaints, leave: () => page.browserContext().close() }
}

// Sends a visitor to the server, as an application does.
export async function authorize(page, client, parameters = {}) {
  const [verifier, state, nonce] = [32, 8, 8].map((length) => randomBytes(length).toString('base64url'))
  const query = new URLSearchParams({
    client_id: client,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid profile email offline_access',
    state,
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  })
  const response = await page.goto(`${ISSUER}/oauth2/authorize?${query}`)
  return { client, verifier, state, nonce, response }
}

export async function press(page, id) {
  const [response] = await Promise.all([page.waitForNavigation(), page.click(`#${id}`)])
  return response
}

export async function fill(page, values) {
  for (const [id, value] of Object.entries(values)) await page.type(`#${id}`, value)
}

export async function signIn(page, username, password = PASSWORD) {
  await fill(page, { username, password })
  return press(page, 'login-submit')
}

export const text = (page, selector) => page.$eval(selector, (element) => element.textContent.trim())

// What the application got.
export async function answer(page) {
  await page.waitForSelector('#answer')
  return JSON.parse(await text(page, '#answer'))
}

// Who the application learns the user is.
export async function identity({ client, verifier, state, nonce }, answered) {
  assert.deepEqual([answered.state, answered.iss], [state, ISSUER])
  const form = { grant_type: 'authorization_code', code: answered.code, redirect_uri: CALLBACK, code_verifier: verifier, client_id: client }
  const redeemed = await fetch(`${ISSUER}/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) })
  const tokens = await redeemed.json()
  assert.equal(redeemed.status, 200, JSON.stringify(tokens))
  const claims = JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url'))
  assert.equal(claims.nonce, nonce)
  const { userinfo_endpoint } = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json()
  const info = await (await fetch(userinfo_endpoint, { headers: { authorization: `Bearer ${tokens.access_token}` } })).json()
  assert.equal(claims.sub, info.sub)
  return info
}
