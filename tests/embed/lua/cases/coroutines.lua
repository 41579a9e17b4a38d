-- SPDX-License-Identifier: MIT
-- Coroutines, also across pcall, metamethods and iterators.
local co = coroutine.create(function(a, b)
  print("start", a, b)
  local c = coroutine.yield(a + b)
  print("got", c)
  local d, e = coroutine.yield(c * 2, "two")
  return d, e, "end"
end)
print(coroutine.status(co), coroutine.resume(co, 1, 2))
print(coroutine.status(co), coroutine.resume(co, 10))
print(coroutine.resume(co, "d", "e"))
print(coroutine.status(co), coroutine.resume(co))
local gen = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i)
  end end)
print(gen(), gen(), gen(), gen(), pcall(gen))
local function values(...)
  local args = table.pack(...)
  return coroutine.wrap(function()
    for i = 1, args.n do coroutine.yield(args[i]) end
  end)
end
for v in values("a", "b", "c") do io.write(v, " ") end print()
co = coroutine.create(function()
  local ok, e = pcall(function()
    coroutine.yield("inside pcall")
    error("after yield")
  end)
  coroutine.yield(ok, e)
  local t = setmetatable({}, { __index = function(_, k)
    return coroutine.yield("index " .. k) end,
    __add = function(a, b) return coroutine.yield("add") end,
    __lt = function() return coroutine.yield("lt") end,
    __call = function(_, x) return coroutine.yield("call" .. x) end,
    __concat = function() return coroutine.yield("concat") end,
    __len = function() return coroutine.yield("len") end })
  print(t.field, t + 1, t < t, t(5), t .. "x", #t)
  for k in (function() return coroutine.yield("iter") end) do
    print("k", k)
    break
  end
  return "done"
end)
local function drain(co)
  local answer = 1
  while true do
    local r = table.pack(coroutine.resume(co, answer))
    print(table.unpack(r, 1, r.n))
    if coroutine.status(co) == "dead" then break end
    answer = answer + 1
  end
end
drain(co)
print(coroutine.resume(coroutine.create(function() error("oops") end)))
print(type(select(2, coroutine.resume(coroutine.create(function()
  error({ code = 1 }) end)))))
print(select("#", coroutine.resume(coroutine.create(function() end))))
print(coroutine.isyieldable(), select(2, coroutine.running()))
print(coroutine.wrap(function() return coroutine.isyieldable(),
  select(2, coroutine.running()) end)())
local outer = coroutine.wrap(function()
  local inner = coroutine.wrap(function()
    coroutine.yield(1); coroutine.yield(2) end)
  coroutine.yield(inner()); coroutine.yield(inner()); return "last" end)
print(outer(), outer(), outer())
local me
me = coroutine.create(function()
  print(coroutine.status(me), coroutine.resume(me))
  local other = coroutine.create(function()
    print(coroutine.status(me), coroutine.resume(me)) end)
  coroutine.resume(other)
end)
coroutine.resume(me)
local many = coroutine.wrap(function(...)
  local r = table.pack(...)
  while true do r = table.pack(coroutine.yield(table.unpack(r, 1, r.n))) end
end)
local big = {}
for i = 1, 100 do big[i] = i end
print(select("#", many(table.unpack(big))), (select(100,
  many(table.unpack(big)))))
print(many(), many(nil), many(1, nil, 3))
local counter
local c2 = coroutine.create(function()
  local n = 0
  counter = function() n = n + 1; return n end
  coroutine.yield()
  coroutine.yield(n)
end)
coroutine.resume(c2)
print(counter(), counter(), coroutine.resume(c2))
print(counter(), coroutine.close(c2), coroutine.status(c2), counter())
print(coroutine.close(coroutine.create(print)))
local failed = coroutine.create(function() error("bad") end)
coroutine.resume(failed)
print(coroutine.close(failed), coroutine.status(failed))
local function producer()
  return coroutine.create(function()
    for i = 1, 4 do coroutine.yield("item" .. i) end return nil end)
end
local function filter(p)
  return coroutine.create(function()
    while true do
      local _, v = coroutine.resume(p)
      if not v then return nil end
      coroutine.yield(v:upper())
    end
  end)
end
local f = filter(producer())
while true do
  local _, v = coroutine.resume(f)
  if not v then break end
  io.write(v, " ")
end
print()
local dropped = 0
for i = 1, 2000 do
  local c = coroutine.wrap(function(x) local keep = { x }
    coroutine.yield(keep) end)
  dropped = dropped + c(i)[1]
end
print(dropped)
local function recurse(n)
  if n == 0 then return coroutine.yield("bottom") end
  return recurse(n - 1) + 1
end
local rc = coroutine.create(recurse)
print(coroutine.resume(rc, 500)) print(coroutine.resume(rc, 0))
print(pcall(coroutine.resume, nil), pcall(coroutine.create, 1))
