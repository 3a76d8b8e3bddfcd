-- This node is alive. KEYS: when each was seen, what each says of itself. ARGV: id, text, seconds a node lives without
-- a beat. Gives how many are alive.
local clock = redis.call('TIME')
local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', clock[1] - ARGV[3])
for _, id in ipairs(dead) do
    redis.call('ZREM', KEYS[1], id)
    redis.call('HDEL', KEYS[2], id)
end
redis.call('ZADD', KEYS[1], clock[1], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], 60)
redis.call('EXPIRE', KEYS[2], 60)
return redis.call('ZCARD', KEYS[1])
