// The instance under test, as the tests of clients need it: things of the operator's, and a user with a browser that runs no
// script.

import assert from 'node:assert/strict'

export const { CORE, AUTH, OPERATOR, SERVICE } = process.env
export const ISSUER = `${CORE}/t/demo`
export const CALLBACK = 'https://app.example.com/callback'
const PASSWORD = 'plain oat zebra lantern'

/** Asks the API with a key, and answers with what it says. */
export async function ask(method, url, key, body) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'plinto-tenant': 'demo' }
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) })
  assert.ok(answer.ok, `${method} ${url}: ${answer.status} ${await answer.clone().text()}`)
  return answer.status === 204 ? undefined : answer.json()
}

/** Registers a client. */
export const register = (wish) => ask('POST', `${CORE}/v1/clients`, OPERATOR, wish)

/** What the auth service says of a token. */
export async function introspect(token) {
  const answer = await fetch(`${AUTH}/v1/introspect`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SERVICE}` },
    body: new URLSearchParams({ token }),
  })
  return answer.json()
}

let users = 0

/** A new user with a browser: `visit` goes to an address, signs in and consents where asked, and says where it ended up. */
export async function newUser() {
  const email = `user-${process.pid}-${++users}@example.com`
  const body = JSON.stringify({ email, password: PASSWORD, name: 'Ada Lovelace' })
  const made = await fetch(`${ISSUER}/v1/auth/sign-up`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  assert.equal(made.status, 202)
  const cookies = new Map()
  return { email, visit: (address) => visit(new URL(address), cookies, email) }
}

const FILLED = { '/sign-in': (email) => ({ username: email, password: PASSWORD }), '/consent': () => ({ decision: 'allow' }) }

async function visit(start, cookies, email) {
  let request = { url: start, method: 'GET' }
  for (let steps = 0; steps < 15; steps++) {
    if (request.url.origin !== new URL(CORE).origin) return request.url
    const answer = await send(request, cookies)
    const location = answer.headers.get('location')
    if (answer.status === 303) {
      request = { url: new URL(location, request.url), method: 'GET' }
      continue
    }
    const page = await answer.text()
    const fill = Object.entries(FILLED).find(([step]) => request.url.pathname.endsWith(step))
    assert.ok(fill && answer.status === 200, `${request.url.pathname}: ${answer.status} ${page}`)
    request = { ...formOf(page, request.url, fill[1](email)), method: 'POST' }
  }
  assert.fail('pages without end')
}

async function send({ url, method, body }, cookies) {
  const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
  const answer = await fetch(url, { method, body, headers, redirect: 'manual' })
  for (const line of answer.headers.getSetCookie()) {
    const [name, value] = line.split(';')[0].split('=')
    cookies.set(name, value)
  }
  return answer
}

function formOf(page, address, filled) {
  const attribute = (tag, name) => tag.match(new RegExp(`${name}="([^"]*)"`))[1].replaceAll('&#38;', '&')
  const form = page.slice(page.indexOf('<form'))
  const hidden = form.match(/<input type="hidden"[^>]*>/g).map((tag) => [attribute(tag, 'name'), attribute(tag, 'value')])
  const body = new URLSearchParams([...hidden, ...Object.entries(filled)])
  return { url: new URL(attribute(form, 'action'), address), body }
}
