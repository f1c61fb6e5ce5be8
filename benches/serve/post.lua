-- For wrk: posts the bodies of a file one after the other, each on a line, and counts answers by status. See compare.py.
local file, threads = nil, {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
end

function init(arguments)
  bodies, position = {}, (number - 1) * 37
  for line in io.lines(arguments[1]) do bodies[#bodies + 1] = line end
  headers = { ["Content-Type"] = arguments[2], ["Authorization"] = arguments[3] }
  ok, refused, other = 0, 0, 0
end

function request()
  position = position % #bodies + 1
  return wrk.format("POST", nil, headers, bodies[position])
end

function response(status)
  if status == 200 then ok = ok + 1 elseif status == 429 then refused = refused + 1 else other = other + 1 end
end

function done(summary, latency, requests)
  local ok, refused, other = 0, 0, 0
  for _, thread in ipairs(threads) do
    ok, refused, other = ok + thread:get("ok"), refused + thread:get("refused"), other + thread:get("other")
  end
  local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    '{"seconds": %.3f, "ok": %d, "refused": %d, "other": %d, "lost": %d, "p50_ms": %.2f, "p99_ms": %.2f, "max_ms": %.2f}\n',
    summary.duration / 1e6, ok, refused, other, lost, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
