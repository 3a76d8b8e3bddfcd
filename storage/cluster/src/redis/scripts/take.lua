-- GCRA, as in gcra.rs. KEYS[1]: the limit. ARGV: period in microseconds, burst, cells.
-- Gives the cells granted and the microseconds until one more.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local period, burst, cells = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local latest = now + burst * period
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
if full_at < now then full_at = now end
if full_at > latest then full_at = latest end
local granted = math.min(math.floor((latest - full_at) / period), cells)
if granted > 0 then
    full_at = full_at + granted * period
    -- After that it is full, which is what an unknown key is. A year is longer than any limit means.
    local life = math.min(math.ceil((full_at - now) / 1000), 31536000000)
    redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', string.format('%.0f', life))
end
return { granted, math.max(0, full_at + period - latest) }
