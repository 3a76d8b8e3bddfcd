-- Where a reader goes on. KEYS[1]: the stream. ARGV: the reader's last id or '', the server it was read from, the
-- stream's length. Gives the server, the id to read after, and 1 when notices may have been missed.
--
-- The entry at the reader's place is still there, and the server is the same process: nothing was lost. Otherwise a
-- mark is left in the stream, so that there is a place to come back to.
local said = redis.pcall('INFO', 'server')
local server = type(said) == 'string' and string.match(said, 'run_id:(%x+)') or ''
if ARGV[1] ~= '' and server ~= '' and server == ARGV[2]
    and #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 1 then
    return { server, ARGV[1], 0 }
end
local mark = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'mark', '1')
return { server, mark, 1 }
