// The npm package akismet: akismet.js FACTS, where FACTS are port, key and texts as JSON. One JSON line for each check.
const { promisify } = require('util')
const akismet = require('akismet')
const { port, key, wrong, spam, genuine } = JSON.parse(process.argv[2])

const tell = (what, good, seen) => console.log(JSON.stringify({ what, good, seen: String(seen) }))
const comment = (comment_content, more) => ({ user_ip: '192.0.2.9', comment_author: 'Visitor', comment_content, ...more })

function client(apiKey) {
  const host = 'copydesk.localhost'
  const found = akismet.client({ blog: 'http://blog.example/', apiKey, host, endPoint: `${apiKey}.${host}`, port })
  const methods = ['verifyKey', 'checkComment', 'submitSpam', 'submitHam'].map(name => [name, promisify(found[name].bind(found))])
  return Object.fromEntries(methods)
}

async function main() {
  const good = client(key)
  let seen = await good.verifyKey()
  tell('key verified', seen === true, seen)
  seen = await good.checkComment(comment(spam))
  tell('spam is spam', seen === true, seen)
  seen = await good.checkComment(comment(genuine))
  tell('genuine is not', seen === false, seen)
  seen = await good.checkComment(comment(genuine, { comment_author: 'viagra-test-123' }))
  tell('test author is spam', seen === true, seen)
  seen = await good.checkComment(comment(spam, { user_role: 'administrator' }))
  tell('administrator is not', seen === false, seen)
  await good.submitSpam(comment(spam))
  tell('submit-spam', true, 'no error')
  await good.submitHam(comment(genuine))
  tell('submit-ham', true, 'no error')
  seen = await client(wrong).verifyKey()
  tell('wrong key refused', seen === false, seen)
  // The package tells no error here: an answer that is not `true` is not spam.
  seen = await client(wrong).checkComment(comment(spam))
  tell('check with wrong key never says spam', seen === false, seen)
}

main().catch(error => tell('no exception', false, error.stack))
