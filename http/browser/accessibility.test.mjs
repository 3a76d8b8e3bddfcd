// Every page, as axe-core judges it: in each language, in light, in dark and at a phone's width.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import axe from 'axe-core'
import { answer, authorize, fill, ISSUER, newClient, newEmail, newUser, newVisitor, PASSWORD, press, signIn, stop } from './visitor.mjs'

after(stop)

const { SCREENSHOTS } = process.env
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const DESKTOP = { width: 1280, height: 800 }
const LOOKS = {
  light: { scheme: 'light', viewport: DESKTOP },
  dark: { scheme: 'dark', viewport: DESKTOP },
  phone: { scheme: 'light', viewport: { width: 360, height: 740, isMobile: true, hasTouch: true } },
}

// What is wrong with the page that is shown.
async function problems(page) {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(
    // A rule that is off unless it is asked for by name.
    (values) => window.axe.run({ runOnly: { type: 'tag', values }, rules: { 'target-size': { enabled: true } } }),
    RULES,
  )
  const found = violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html}`))
  const unlabelled = await page.$$eval('input:not([type=hidden])', (inputs) =>
    inputs.filter((input) => !input.labels.length).map((input) => `no label: ${input.id}`))
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)
  return [...found, ...unlabelled, ...(wide ? ['wider than the window'] : [])]
}

// Goes to every page once, in the order a browser comes to them.
async function tour(page, look) {
  const client = await newClient()
  await authorize(page, client, { prompt: 'create' })
  await look('sign-up')
  await fill(page, { name: 'Ada Lovelace', email: newEmail(), password: 'password' })
  await press(page, 'sign-up-submit')
  await look('sign-up-refused')
  await fill(page, { password: PASSWORD })
  await press(page, 'sign-up-submit')
  await look('consent')
  await press(page, 'consent-allow')
  await answer(page)

  const email = await newUser('Grace Hopper')
  await authorize(page, client, { prompt: 'login' })
  await look('sign-in')
  await signIn(page, email, 'not the password at all')
  await look('sign-in-refused')
  await press(page, 'forgot-password')
  await look('forgot-password')
  await fill(page, { email })
  await press(page, 'recover-submit')
  await look('mail-sent')
  await press(page, 'go-on')
  await signIn(page, email)
  await press(page, 'consent-allow')
  await answer(page)
  await authorize(page, client, { prompt: 'select_account' })
  await look('select-account')

  // With scripts this page is gone at once.
  await page.setJavaScriptEnabled(false)
  await authorize(page, client, { response_mode: 'form_post' })
  await page.setJavaScriptEnabled(true)
  await look('form-post')

  await page.goto(`${ISSUER}/oauth2/end-session`)
  await look('sign-out')
  await press(page, 'logout-cancel')
  await look('still-signed-in')
  await page.goto(`${ISSUER}/oauth2/end-session`)
  await press(page, 'logout-confirm')
  await look('signed-out')
  await authorize(page, client, { redirect_uri: 'https://evil.example/callback' })
  await look('bad-request')
  await page.goto(`${ISSUER}/sign-in?flow=nonsense`)
  await look('too-old')
}

for (const language of ['en', 'es']) {
  for (const [name, { scheme, viewport }] of Object.entries(LOOKS)) {
    test(`everybody can use every page: ${language}, ${name}`, async () => {
      const { page, leave } = await newVisitor({ language })
      await page.setViewport(viewport)
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      // Of all pages at once, rather than of the first that has one.
      const found = []
      await tour(page, async (step) => {
        const spoken = await page.$eval('html', (html) => html.lang)
        found.push(...[...(await problems(page)), ...(spoken === language ? [] : [`lang is ${spoken}`])].map((what) => `${step}: ${what}`))
        if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, `${step}-${name}-${language}.png`), fullPage: true })
      })
      assert.deepEqual(found, [])
      await leave()
    })
  }
}
