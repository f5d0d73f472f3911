// node browser.mjs DIR CHROMIUM drives the reference's page, DIR/all/index.html, as people
// do. The first thing that is not as it should be ends it, with one line.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

const [dir, executablePath] = process.argv.slice(2)
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const url = (which, rest = '') => pathToFileURL(`${dir}/${which}/index.html`) + rest
const shots = process.env.SHOTS
let doing = 'start'

const check = (holds, what) => { if (!holds) throw new Error(what) }
const equal = (got, want, what) => check(JSON.stringify(got) === JSON.stringify(want), `${what}: ${JSON.stringify(got)}, not ${JSON.stringify(want)}`)
const began = Date.now()
const step = (what) => { doing = what; console.log(`${what} (${((Date.now() - began) / 1000).toFixed()}s)`) }

const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})

// open is a page in a profile of its own. Whatever it says on the console, asks of the
// network or throws is kept in page.said.
async function open (address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(10000)
  page.said = []
  page.on('console', m => page.said.push(m.text()))
  page.on('pageerror', e => page.said.push(e.message))
  page.on('request', r => { if (!/^(file|data):/.test(r.url())) page.said.push('asks for ' + r.url()) })
  await page.goto(address)
  return page
}

async function close (page) {
  equal(page.said, [], 'the page says')
  await page.context().close()
}

const shown = page => page.$$eval('.operation', all => all.filter(e => e.getClientRects().length > 0).map(e => e.id))
const hash = page => page.evaluate(() => location.hash)
const told = page => page.textContent('#_told')
const handlers = page => page.$$eval('.operation', all => all.filter(e => e.getClientRects().length > 0).map(e => e.dataset.also.split(' ')[0]).sort())
// inView says whether an element is what one sees at the top, below the bar.
const inView = (page, id) => page.evaluate(id => {
  const top = document.getElementById(id).getBoundingClientRect().top
  return top > 0 && top < innerHeight / 2
}, id)

async function search (page) {
  await page.keyboard.press('/')
  equal(await page.evaluate(() => document.activeElement.id), '_query', '/ focuses')
  await page.keyboard.type('restore')
  const options = await page.$$eval('[role=option]', all => all.map(e => e.querySelector('b').textContent))
  equal(options[0], 'qemu/restore/begin', 'the first result of restore')
  equal(await page.textContent('#_count'), `${options.length} results`, 'the count of results')
  const active = () => page.$eval('#_query', q => document.getElementById(q.getAttribute('aria-activedescendant'))?.querySelector('b').textContent)
  equal(await active(), options[0], 'the active result')
  await page.keyboard.press('ArrowDown')
  equal(await active(), options[1], 'after the arrow')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('ArrowUp')
  equal(await active(), options.at(-1), 'after arrows up')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Escape')
  equal(await page.isVisible('#_results'), false, 'results after Escape')
  equal(await page.getAttribute('#_query', 'aria-expanded'), 'false', 'aria-expanded after Escape')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  equal(await hash(page), '#qemu-restore-begin', 'Enter goes to')
  check(await inView(page, 'qemu-restore-begin'), 'Enter: the operation is not in view')
  equal(await page.evaluate(() => document.activeElement.id), 'qemu-restore-begin', 'the focus is on')

  // Other ways to name what one looks for.
  for (const [words, want] of [['start', 'qemu/start/begin'], ['lxc', 'lxc'], ['onlxcrelease', 'lxc/release/end'], ['unplugged', 'network/port-deleted/begin'], ['qemu migrate', 'qemu/migrate/begin'], ['shutoffreason', 'ShutoffReason'], ['from snapshot', 'from snapshot']]) {
    await page.fill('#_query', words)
    equal(await page.textContent('#_found_0 b'), want, `the first result of ${words}`)
  }
  await page.fill('#_query', 'no such thing anywhere')
  equal(await page.textContent('#_count'), 'Nothing found', 'the count of nothing')
  await page.fill('#_query', 'qemu/migrate')
  await page.click('#_found_0')
  equal(await hash(page), '#qemu-migrate-begin', 'a click goes to')
}

async function versions (page) {
  const all = await shown(page)
  equal(all.length, 36, 'operations of all versions')
  equal(await told(page), '36 operations', 'the count')
  equal(await page.$$eval('nav a', all => all.filter(a => !(a.getClientRects().length > 0)).length), 0, 'hidden links of the navigation')
  for (const version of ['9.0.0', '1.2.2']) {
    await page.selectOption('#_libvirt', version)
    const { events } = JSON.parse(readFileSync(`${dir}/events-${version}.json`))
    check(events.length > 0 && events.length <= 36, `${version} has ${events.length}`)
    equal(await handlers(page), events.map(e => e.go.handler).sort(), `operations of ${version}`)
    equal(await told(page), `${events.length} operations`, `the count of ${version}`)
    equal(new URL(page.url()).searchParams.get('libvirt'), version, 'the version in the address')
    // The names of the time, and nothing that leads nowhere or speaks of other versions.
    const names = await page.$$eval('.operation h4', all => all.filter(e => e.getClientRects().length > 0).map(e => e.innerText.replace('#', '').trim()))
    equal(names.sort(), events.map(e => `${e.driver}/${e.op}/${e.sub_op}`).sort(), `names of ${version}`)
    const dead = await page.$$eval('a[href^="#"]', all => all.filter(a => a.getClientRects().length > 0).map(a => decodeURIComponent(a.getAttribute('href').slice(1)))
      .filter(id => !(document.getElementById(id)?.getClientRects().length > 0)))
    equal(dead, [], `links of ${version} to what is hidden`)
    equal(await page.$$eval('.when', all => all.filter(e => e.getClientRects().length > 0).length), 0, `words about other versions than ${version}`)
    const lost = await page.$$eval('nav a', all => all.filter(a => !(a.getClientRects().length > 0) && document.getElementById(decodeURIComponent(a.hash.slice(1))).getClientRects().length > 0).map(a => a.hash))
    equal(lost, [], `shown in ${version}, and not in the navigation`)
    const rows = await page.$$eval('.driver tbody tr', all => all.filter(e => e.getClientRects().length > 0).length)
    equal(rows, events.length, `rows of tables of ${version}`)
    const fields = await page.$$eval('.operation .fields > div', all => all.filter(e => e.getClientRects().length > 0 && !e.querySelector('dd').innerText.trim()).map(e => e.innerText))
    equal(fields, [], `empty fields of ${version}`)
    const later = await page.$$eval('[data-since], [data-until]', (all, version) => all.filter(e => {
      const number = v => v.split('.').reduce((n, part) => n * 1000 + +part, 0)
      const [since, until] = [e.getAttribute('data-since'), e.getAttribute('data-until')]
      const has = !(since && number(since) > number(version)) && !(until && number(until) <= number(version))
      return has === (e.hidden === true || e.hasAttribute('hidden'))
    }).length, version)
    equal(later, 0, `parts wrongly shown or hidden in ${version}`)
  }
  // 1.2.2 has no restore: search does not find it, a link to it shows all versions.
  await page.fill('#_query', 'qemu restore begin')
  check(!(await page.$$eval('[role=option] b', all => all.map(e => e.textContent))).includes('qemu/restore/begin'), 'search finds what is hidden')
  await page.keyboard.press('Escape')
  await page.evaluate(() => { location.hash = 'qemu-restore-begin' })
  await page.waitForFunction(() => document.getElementById('_libvirt').value === '')
  equal(await shown(page), all, 'operations after the link')
  await page.selectOption('#_libvirt', '9.0.0')
  await page.selectOption('#_libvirt', '')
  equal(await shown(page), all, 'operations of all versions again')
  check(!page.url().includes('libvirt='), 'the address still names a version')
}

async function keyboard (page) {
  await page.keyboard.press('Tab')
  equal(await page.evaluate(() => document.activeElement.className), 'skip', 'the first Tab is on')
  check(await page.$eval('.skip', e => e.getBoundingClientRect().top >= 0), 'the skip link is not visible')
  await page.keyboard.press('Enter')
  equal(await page.evaluate(() => document.activeElement.id), '_main', 'the skip link focuses')
  const seen = new Set()
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab')
    const at = await page.evaluate(() => {
      const e = document.activeElement
      const style = getComputedStyle(e)
      const box = e.getBoundingClientRect()
      return { name: `${e.tagName}.${e.className} ${e.textContent.slice(0, 40)}`, visible: style.outlineStyle !== 'none' && box.width > 0, below: box.bottom > 0 && box.top < innerHeight }
    })
    check(at.visible, `no focus to be seen on ${at.name}`)
    check(at.below, `the focus is out of view on ${at.name}`)
    seen.add(at.name)
  }
  check(seen.size > 10, 'Tab stays where it is')
  await page.focus('#qemu-migrate-begin .sample > summary')
  await page.keyboard.press('Enter')
  equal(await page.$eval('#qemu-migrate-begin .sample', d => d.open), true, 'a sample opened by Enter')
  check((await page.innerText('#qemu-migrate-begin .sample pre')).startsWith('<domain'), 'the sample has no domain')
}

async function themes (page) {
  const dark = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const light = await dark()
  await page.click('#_theme')
  check(await dark() !== light, 'the toggle changes nothing')
  const chosen = await dark()
  await page.reload()
  equal(await dark(), chosen, 'the colours after a reload')
  await page.click('#_theme')
  equal(await dark(), light, 'the colours after toggling again')
}

// overflow names what makes the page wider than the screen.
const overflow = page => page.evaluate(() => {
  const width = document.documentElement.clientWidth
  if (document.documentElement.scrollWidth <= width) return ''
  const e = [...document.querySelectorAll('body *')].find(e => e.getBoundingClientRect().right > width + 0.5 && !e.closest('.skip, .say'))
  return `${document.documentElement.scrollWidth} pixels by ${e?.tagName}.${e?.className}`
})

async function accessible (page, where, part) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(part => window.axe.run(part ?? document, { resultTypes: ['violations'] }), part)
  for (const v of violations) console.log(`  axe, ${where}: ${v.impact}: ${v.id}: ${v.help}: ${v.nodes.length} times, at ${v.nodes[0].target}`)
  const grave = violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
  equal(grave.map(v => `${v.id} at ${v.nodes[0].target}`), [], `axe, ${where}`)
}

async function shot (page, name) {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png` })
}

try {
  let page
  for (const [name, run] of Object.entries({ search, versions, keyboard, themes })) {
    step(name)
    page = await open(url('all'))
    await run(page)
    await close(page)
  }

  step('links')
  page = await open(url('all', '?libvirt=1.2.2#network-started-begin'))
  equal(await page.inputValue('#_libvirt'), '1.2.2', 'the version of the address')
  check(!(await shown(page)).includes('qemu-restore-begin'), 'restore is shown')
  check(await inView(page, 'network-started-begin'), 'the operation is not in view')
  await page.click('nav a[href="#network-port-created-begin"]')
  equal(await page.innerText('nav a[href="#network-port-created-begin"]'), 'plugged', 'the name of the time')
  equal(new URL(page.url()).searchParams.get('libvirt'), '1.2.2', 'the version after a link')
  await page.goto(url('all', '?libvirt=8.1.0'))
  equal(await page.inputValue('#_libvirt'), '8.1.0', 'a version at which nothing changes')
  await page.goto(url('all', '?libvirt=%3Cb%3E'))
  equal(await page.inputValue('#_libvirt'), '', 'what is no version')
  equal((await shown(page)).length, 36, 'operations of what is no version')
  await close(page)
  // What no link of ours says, and is no encoding.
  page = await open(url('all', '?libvirt=1.2.2#%'))
  equal(await page.inputValue('#_libvirt'), '1.2.2', 'the version beside #%')
  await page.keyboard.press('/')
  await page.keyboard.type('started')
  equal(await page.textContent('#_found_0 b'), 'qemu/started/begin', 'the first result beside #%')
  for (const id of ['%', '%E0%A4%A', 'constructor']) {
    await page.evaluate(id => { location.hash = id; scrollTo(0, 0) }, id)
    await page.waitForFunction(() => scrollY === 0 && !document.querySelector('nav [aria-current]'))
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight))
    await page.waitForFunction(() => document.querySelector('nav [aria-current]'))
  }
  await page.evaluate(() => { location.hash = 'qemu-start%2Dbegin' })
  await page.waitForFunction(() => document.querySelector('nav [aria-current]')?.hash === '#qemu-start-begin')
  await close(page)

  step('one version')
  page = await open(url('one'))
  equal(await page.$('#_libvirt'), null, 'the switch')
  check((await page.innerText('.bar')).includes('libvirt 9.0.0'), 'the bar does not say the version')
  equal(await handlers(page), JSON.parse(readFileSync(`${dir}/events-9.0.0.json`)).events.map(e => e.go.handler).sort(), 'operations')
  await page.keyboard.press('/')
  await page.keyboard.type('restore')
  await page.keyboard.press('Enter')
  equal(await hash(page), '#qemu-restore-begin', 'Enter goes to')
  await close(page)

  for (const width of [1280, 400, 320]) {
    for (const colorScheme of ['light', 'dark']) {
      const where = `${width} pixels, ${colorScheme}`
      step(where)
      page = await open(url('all'), { viewport: { width, height: 900 }, colorScheme, reducedMotion: 'reduce' })
      equal(await overflow(page), '', 'it scrolls sideways')
      await shot(page, `top-${width}-${colorScheme}`)
      if (width < 1280) {
        equal(await page.isVisible('nav'), false, 'the navigation is shown')
        await page.click('#_menu')
        check(await page.isVisible('nav'), 'the menu does not open')
        await shot(page, `menu-${width}-${colorScheme}`)
        if (width > 320) await accessible(page, where + ', menu', 'nav')
        await page.focus('nav a[href="#qemu-migrate-begin"]')
        await page.keyboard.press('Escape')
        equal(await page.isVisible('nav'), false, 'the navigation after Escape')
        equal(await page.evaluate(() => document.activeElement.id), '_menu', 'the focus after Escape')
        await page.click('#_menu')
        await page.click('nav a[href="#qemu-migrate-begin"]')
        equal(await page.isVisible('nav'), false, 'the navigation after a link')
        check(await inView(page, 'qemu-migrate-begin'), 'the operation is not in view')
      }
      await page.fill('#_query', 'restore')
      await page.focus('#_query')
      equal(await overflow(page), '', 'it scrolls sideways, search open')
      await shot(page, `search-${width}-${colorScheme}`)
      if (width > 320) await accessible(page, where + ', search', '.bar')
      await page.keyboard.press('Escape')
      await page.$$eval('details', all => all.forEach(d => { d.open = true }))
      equal(await overflow(page), '', 'it scrolls sideways, all open')
      if (width > 320) await accessible(page, where)
      await page.selectOption('#_libvirt', '1.2.2')
      equal(await overflow(page), '', 'it scrolls sideways in 1.2.2')
      await close(page)
    }
  }

  step('paper')
  page = await open(url('all'), { colorScheme: 'dark' })
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  equal([await page.isVisible('nav'), await page.isVisible('.bar')], [false, false], 'navigation and bar')
  equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'light', 'colours')
  check(await page.isVisible('#qemu-migrate-begin .sample pre'), 'a sample is closed on paper')
  const paper = await page.pdf({ format: 'A4', ...(shots && { path: `${shots}/paper.pdf` }) })
  check(paper.length > 100000, `the PDF has ${paper.length} bytes`)
  await close(page)

  step('without JavaScript')
  for (const width of [1280, 400]) {
    page = await open(url('all'), { javaScriptEnabled: false, viewport: { width, height: 900 } })
    equal(await page.locator('.operation:visible').count(), 36, 'operations')
    check(await page.isVisible('nav'), 'no navigation')
    for (const id of ['_query', '_libvirt', '_theme', '_menu']) equal(await page.isVisible('#' + id), false, `${id}, which does nothing`)
    await page.click('nav a[href="#qemu-restore-begin"]')
    equal(new URL(page.url()).hash, '#qemu-restore-begin', 'a link')
    await shot(page, `plain-${width}`)
    await close(page)
  }
  await browser.close()
} catch (e) {
  console.error(`make browser: ${doing}: ${e.message.replace(/\s+/g, ' ').slice(0, 600)}`)
  process.exit(1)
}
