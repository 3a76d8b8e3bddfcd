// The ways through the pages, as a browser goes them: with scripts, and without.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { answer, authorize, fill, identity, ISSUER, newClient, newEmail, newUser, newVisitor, PASSWORD, press, signIn, stop, text } from './visitor.mjs'

after(stop)

const path = (page) => new URL(page.url()).pathname.replace('/t/demo', '')
const focused = (page) => page.evaluate(() => document.activeElement.id)

async function tabs(page, count) {
  const reached = []
  while (reached.length < count) {
    await page.keyboard.press('Tab')
    reached.push(await focused(page))
  }
  return reached
}

for (const scripts of [true, false]) {
  const walk = (name, steps) =>
    test(`${name}, ${scripts ? 'with' : 'without'} scripts`, async () => {
      const { page, complaints, leave } = await newVisitor({ scripts })
      await steps(page)
      assert.deepEqual(complaints(), [])
      await leave()
    })

  walk('who is new makes an account, consents, and is known to the application', async (page) => {
    const email = newEmail()
    const request = await authorize(page, await newClient(), { prompt: 'create' })
    assert.equal(path(page), '/sign-up')
    assert.deepEqual(await tabs(page, 5), ['name', 'email', 'password', 'sign-up-submit', 'sign-in'])
    await fill(page, { name: 'Ada Lovelace', email, password: PASSWORD })
    await press(page, 'sign-up-submit')
    assert.equal(path(page), '/consent')
    assert.match(await text(page, 'h1'), /Meadow Notes/)
    assert.ok((await text(page, '#account')).includes(email))
    assert.ok(await page.$eval('#client-logo', (logo) => logo.complete && logo.naturalWidth > 0), 'the logo may be shown')
    await press(page, 'consent-allow')
    const info = await identity(request, await answer(page))
    assert.deepEqual([info.email, info.name], [email, 'Ada Lovelace'])
  })

  walk('who gets the password wrong tries again, with the keyboard', async (page) => {
    const email = await newUser()
    const request = await authorize(page, await newClient({ first_party: true }))
    assert.equal(await focused(page), 'username')
    await page.keyboard.type(email)
    assert.deepEqual(await tabs(page, 4), ['password', 'login-submit', 'forgot-password', 'sign-up'])
    await fill(page, { password: 'not the password at all' })
    const refused = await press(page, 'login-submit')
    assert.deepEqual([refused.status(), path(page)], [422, '/sign-in'])
    assert.match(await text(page, '[role=alert]'), /do not go together/)
    assert.equal(await page.$eval('#username', (input) => input.value), email)
    assert.equal(await focused(page), 'password')
    await page.keyboard.type(PASSWORD)
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
    assert.equal((await identity(request, await answer(page))).email, email)
  })

  walk('who does not consent goes back with that', async (page) => {
    const { state } = await authorize(page, await newClient())
    await signIn(page, await newUser())
    await press(page, 'consent-deny')
    const answered = await answer(page)
    assert.deepEqual([answered.error, answered.state, answered.code], ['access_denied', state, undefined])
  })

  walk('who has two accounts chooses', async (page) => {
    const [first, second] = [await newUser('Ada Lovelace'), await newUser('Grace Hopper')]
    const client = await newClient({ first_party: true })
    await authorize(page, client)
    await signIn(page, first)
    await answer(page)
    await authorize(page, client, { prompt: 'select_account' })
    assert.equal(path(page), '/select-account')
    assert.equal(await page.$('#account-2'), null)
    await press(page, 'other-account')
    await signIn(page, second)
    await answer(page)
    const request = await authorize(page, client, { prompt: 'select_account' })
    assert.ok((await text(page, '#account-1')).includes(second), 'the present one is the first')
    assert.ok((await text(page, '#account-2')).includes(first))
    await press(page, 'account-2')
    assert.equal((await identity(request, await answer(page))).email, first)
  })

  walk('who is asked about signing out decides', async (page) => {
    const client = await newClient({ first_party: true })
    const quietly = async () => {
      await authorize(page, client, { prompt: 'none' })
      return (await answer(page)).error
    }
    await authorize(page, client)
    await signIn(page, await newUser())
    await answer(page)
    await page.goto(`${ISSUER}/oauth2/end-session`)
    await press(page, 'logout-cancel')
    assert.equal(await text(page, 'h1'), 'You are still signed in')
    assert.equal(await quietly(), undefined)
    await page.goto(`${ISSUER}/oauth2/end-session`)
    await press(page, 'logout-confirm')
    assert.equal(await text(page, 'h1'), 'You are signed out')
    assert.equal(await quietly(), 'login_required')
  })

  walk('an answer is posted', async (page) => {
    const email = await newUser()
    const request = await authorize(page, await newClient({ first_party: true }), { response_mode: 'form_post' })
    await signIn(page, email)
    if (!scripts) await press(page, 'form-post-submit')
    const answered = await answer(page)
    assert.equal(answered.method, 'POST')
    assert.equal((await identity(request, answered)).email, email)
  })

  walk('an application on the device gets its answer at an address with a scheme of its own', async (page) => {
    const redirect_uri = 'com.example.notes:/callback'
    await authorize(page, await newClient({ redirect_uris: [redirect_uri] }), { redirect_uri })
    await signIn(page, await newUser())
    const network = await page.createCDPSession()
    await network.send('Network.enable')
    const asked = []
    network.on('Network.requestWillBeSent', ({ request }) => asked.push(request.url))
    // It fails in any case: nothing on this machine knows the scheme.
    const failed = new Promise((resolve) => page.once('requestfailed', resolve))
    await page.click('#consent-allow')
    await failed
    assert.ok(asked.at(-1).startsWith(`${redirect_uri}?code=`), asked.at(-1))
  })

  walk('nobody is sent to where it is not certain', async (page) => {
    const { response } = await authorize(page, await newClient(), { redirect_uri: 'https://evil.example/callback' })
    assert.deepEqual([response.status(), path(page)], [400, '/oauth2/authorize'])
    assert.equal(await text(page, 'h1'), 'This request cannot be answered')
  })
}

test('an application says which language its users like', async () => {
  const { page, leave } = await newVisitor()
  await authorize(page, await newClient(), { ui_locales: 'fr es' })
  assert.equal(await page.$eval('html', (html) => html.lang), 'es')
  await leave()
})
