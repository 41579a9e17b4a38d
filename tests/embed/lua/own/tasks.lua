-- SPDX-License-Identifier: MIT
-- task.spawn and join. Checks itself.
local function sum(n) local s = 0 for i = 1, n do s = s + i end return s end
local jobs = {}
for i = 1, 8 do jobs[i] = task.spawn(sum, i * 1000) end
for i = 1, 8 do
  assert(jobs[i]:join() == i * 1000 * (i * 1000 + 1) // 2)
  assert(jobs[i]:join() == i * 1000 * (i * 1000 + 1) // 2, "twice")
end

-- Values of all plain kinds, tables copied (cycles, too), both ways.
local t = { 1, 2.5, "three", { nested = true }, [10] = math.maxinteger }
t.self = t
local h = task.spawn(function(x, a, b, ...)
  assert(x.self == x and x[4].nested and x[10] == math.maxinteger)
  x[1] = "changed"
  return x, a, b, select("#", ...), string.format("%s/%s", x[3], x[2])
end, t, nil, false, "e", nil)
local copy, a, b, n, text = h:join()
assert(copy[1] == "changed" and t[1] == 1 and copy.self == copy)
assert(a == nil and b == false and n == 2 and text == "three/2.5")

-- Captured scalars are copied, globals are the child's own.
local captured, count = "text", 41
global_of_parent = "mine"
h = task.spawn(function()
  count = count + 1
  assert(global_of_parent == nil)
  global_of_child = 1
  return captured .. count, _VERSION, type(print)
end)
assert(select(2, h:join()) == "Lua 5.4" and h:join() == "text42")
assert(count == 41 and global_of_child == nil)

-- Named errors.
local function fails(pattern, f, ...)
  local ok, e = pcall(f, ...)
  assert(not ok and tostring(e):find(pattern), e)
end
local captured_table = {}
fails("upvalue 'captured_table' of the function is a table", task.spawn,
      function() return captured_table end)
fails("argument is a function", task.spawn, function() end, print)
fails("a key that is a table", task.spawn, function() end, { [{}] = 1 })
fails("Lua function expected", task.spawn, print)
fails("child broke", function()
  task.spawn(function() error("child broke") end):join() end)
fails("result is a function", function()
  task.spawn(function() return print end):join() end)
local ok, e = pcall(function()
  task.spawn(function() error({ code = 7 }) end):join() end)
assert(not ok and e.code == 7)

-- Tasks in tasks, coroutines in tasks, garbage in tasks.
local function tree(d) return d == 0 and {} or { 1, 2 } end
local function fib(n)
  if n < 2 then return n end
  local child = task.spawn(function(m)
    local function plain(k)
      if k < 2 then return k end
      return plain(k - 1) + plain(k - 2)
    end
    return plain(m)
  end, n - 1)
  local rest = n < 2 and n or 0
  local w = coroutine.wrap(function()
    local a, b = 0, 1
    while true do coroutine.yield(a) a, b = b, a + b end
  end)
  for _ = 0, n - 2 do rest = w() end
  return child:join() + rest
end
jobs = {}
for i = 1, 4 do jobs[i] = task.spawn(fib, 15 + i) end
local expected = { 987, 1597, 2584, 4181 }
for i = 1, 4 do assert(jobs[i]:join() == expected[i]) end

jobs = {}
for i = 1, 6 do
  jobs[i] = task.spawn(function(seed)
    local keep, total = {}, 0
    for i = 1, 20000 do
      keep[i % 100 + 1] = { i, tostring(i + seed) }
      total = total + #keep[i % 100 + 1][2]
    end
    return total
  end, i * 100000)
end
for i = 1, 6 do assert(jobs[i]:join() == 120000) end
-- Two states run on two threads: an M that is busy with one leaves the other to
-- somebody else, at the latest when it is preempted.
local function threads_seen(n)
  local seen, count = {}, 0
  for _ = 1, n do
    local id = task.thread()
    if not seen[id] then
      seen[id] = true
      count = count + 1
    end
    local x = {}
    for i = 1, 50 do x[i] = { i } end
  end
  return count, seen
end
if (tonumber(os.getenv("TRIMAXPROCS")) or 2) > 1 then
  local all, n = {}, 0
  for _ = 1, 50 do
    local pair = {
      task.spawn(threads_seen, 3000), task.spawn(threads_seen, 3000),
    }
    for i = 1, 2 do
      local _, seen = pair[i]:join()
      for id in pairs(seen) do
        if not all[id] then all[id], n = true, n + 1 end
      end
    end
    if n >= 2 then break end
  end
  assert(n >= 2, "all tasks ran on one thread")
end

for _ = 1, 200 do task.spawn(function() return 1 end) end  -- never joined
local d = task.spawn(function() return 1 end)
d:join()
assert(d:done())

-- A failed task may still be joined after others have been spawned; only one
-- that never is makes the exit code 1.
local failed = task.spawn(function() error("late", 0) end)
while not failed:done() do end
for _ = 1, 20 do task.spawn(function() return 1 end) end
collectgarbage()
ok, e = pcall(failed.join, failed)
assert(not ok and e == "late")
print("ok")
