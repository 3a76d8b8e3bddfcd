-- What the living say of themselves. KEYS as in beat.lua. ARGV: seconds a node lives without a beat.
local clock = redis.call('TIME')
local alive = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. (clock[1] - ARGV[1]), '+inf')
if #alive == 0 then return {} end
return redis.call('HMGET', KEYS[2], unpack(alive))
