-- For wrk: sends the tokens of the file named by BENCH_TOKENS (one a line) in turn, and prints one line of JSON.

local requests = {}
local sent = 0

function init(args)
  for token in io.lines(os.getenv("BENCH_TOKENS")) do
    requests[#requests + 1] = wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. token })
  end
end

function request()
  sent = sent % #requests + 1
  return requests[sent]
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  local line = '{"requests": %d, "seconds": %f, "failed": %d}\n'
  io.write(string.format(line, summary.requests, summary.duration / 1e6, failed))
end
