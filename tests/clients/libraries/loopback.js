// Loaded before a client: names below .localhost are this machine, as browsers have it. Not every system's resolver knows that.
const dns = require('dns')
const lookup = dns.lookup

dns.lookup = (name, options, callback) => {
  const done = typeof options === 'function' ? options : callback
  if (!name.endsWith('.localhost')) return lookup(name, options, callback)
  if (options && options.all) return done(null, [{ address: '127.0.0.1', family: 4 }])
  return done(null, '127.0.0.1', 4)
}
