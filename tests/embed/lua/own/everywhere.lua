-- SPDX-License-Identifier: MIT
-- What tlua does beyond PUC Lua: a yield across C functions. Checks itself.
local function drive(f)
  local co = coroutine.create(f)
  local yields = 0
  while true do
    local ok, v = coroutine.resume(co, yields)
    assert(ok, v)
    if coroutine.status(co) == "dead" then return v, yields end
    yields = yields + 1
  end
end

local list = { 5, 3, 9, 1, 7 }
local v, n = drive(function()
  table.sort(list, function(a, b) coroutine.yield() return a < b end)
  return table.concat(list, ",")
end)
assert(v == "1,3,5,7,9" and n > 4, v)

v, n = drive(function()
  return (("a-b-c"):gsub("%a", function(c) return c .. coroutine.yield() end))
end)
assert(v == "a1-b2-c3" and n == 3, v)

v, n = drive(function()
  local text = load(function() coroutine.yield() return nil end)
  return type(text)
end)
assert(v == "function" and n == 1)

-- A suspended coroutine's variable outlives it: dropped, closed, or collected.
local function leaky()
  local get, set
  local co = coroutine.create(function()
    local x = { "kept" }
    get = function() return x[1] end
    set = function(y) x = { y } end
    coroutine.yield()
  end)
  coroutine.resume(co)
  return get, set, co
end
local get, set = leaky()
collectgarbage()
assert(get() == "kept")
set("new" .. 1)
collectgarbage()
for _ = 1, 1000 do set({}) end
set("last")
collectgarbage()
assert(get() == "last")
local get2, set2, co = leaky()
set2("closed")
assert(coroutine.close(co))
collectgarbage()
assert(get2() == "closed")

-- Many suspended coroutines that nobody refers to.
for i = 1, 3000 do
  local w = coroutine.wrap(function(a) local t = { a } coroutine.yield(t[1])
  end)
  assert(w(i) == i)
end

local stats = collectgarbage("stats")
for _, name in ipairs { "cycles", "heap_live", "bytes_allocated",
                        "gc_cpu_share", "pause_p50_us", "pause_p99_us",
                        "pause_max_us", "ttsp_p99_us", "ttsp_max_us" } do
  assert(type(stats[name]) == "number", name)
end
assert(stats.cycles >= 4 and collectgarbage("count") > 0)
collectgarbage("stop")
assert(not collectgarbage("isrunning"))
collectgarbage("restart")
assert(collectgarbage("isrunning"))
print("ok")
