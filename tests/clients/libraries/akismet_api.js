// The npm package akismet-api: akismet_api.js FACTS, where FACTS are port, key and texts as JSON. One JSON line for each check.
const { AkismetClient } = require('akismet-api')
const { port, key, wrong, spam, genuine } = JSON.parse(process.argv[2])

const tell = (what, good, seen) => console.log(JSON.stringify({ what, good, seen: String(seen) }))
const client = key => new AkismetClient({ key, blog: 'http://blog.example/', protocol: 'http', host: `copydesk.localhost:${port}` })
const comment = (content, more) => ({ ip: '192.0.2.9', useragent: 'checks', content, name: 'Visitor', type: 'comment', ...more })

async function main() {
  const good = client(key)
  let seen = await good.verifyKey()
  tell('key verified', seen === true, seen)
  seen = await good.checkSpam(comment(spam))
  tell('spam is spam', seen === true, seen)
  seen = await good.checkSpam(comment(genuine))
  tell('genuine is not', seen === false, seen)
  seen = await good.checkSpam(comment(genuine, { name: 'viagra-test-123' }))
  tell('test author is spam', seen === true, seen)
  seen = await good.checkSpam(comment(spam, { role: 'administrator' }))
  tell('administrator is not', seen === false, seen)
  seen = await good.checkSpam(comment(genuine, { honeypot: 'filled in by a machine' }))
  tell('honeypot field is tolerated', typeof seen === 'boolean', seen)
  seen = (await good.submitSpam(comment(spam))).text
  tell('submit-spam', seen.startsWith('Thanks'), seen)
  seen = (await good.submitHam(comment(genuine))).text
  tell('submit-ham', seen.startsWith('Thanks'), seen)
  seen = await client(wrong).verifyKey()
  tell('wrong key refused', seen === false, seen)
  seen = await client(wrong).checkSpam(comment(spam)).catch(error => error)
  tell('check with wrong key fails', seen instanceof Error, seen)
}

main().catch(error => tell('no exception', false, error.stack))
