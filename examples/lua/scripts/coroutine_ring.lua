-- SPDX-License-Identifier: MIT
-- coroutine_ring.lua [N]: a token goes round a ring of 503 coroutines N times,
-- then generators are chained into a sieve, a tree is walked by a recursive
-- generator, and many coroutines are made, run once and dropped; one of them
-- fails. Prints where each part ended.

local n = tonumber(arg[1]) or 1000000
local kRing = 503

-- Each member takes the token, counts it down and hands it on.
local function ring(passes)
  local members = {}
  for i = 1, kRing do
    members[i] = coroutine.create(function(token)
      while token > 0 do token = coroutine.yield(token - 1) end
      return -i
    end)
  end
  local at, token = 1, passes
  while true do
    local ok, result = coroutine.resume(members[at], token)
    if not ok then error(result) end
    if result < 0 then return -result end
    token = result
    at = at % kRing + 1
  end
end

local function naturals(limit)
  return coroutine.wrap(function()
    for i = 2, limit do coroutine.yield(i) end
  end)
end

local function without_multiples(source, prime)
  return coroutine.wrap(function()
    for i in source do
      if i % prime ~= 0 then coroutine.yield(i) end
    end
  end)
end

local function sieve(limit)
  local source, sum, found = naturals(limit), 0, 0
  while true do
    local prime = source()
    if not prime then return found, sum end
    found, sum = found + 1, sum + prime
    if prime * prime <= limit then
      source = without_multiples(source, prime)
    end
  end
end

local function insert(tree, key)
  if not tree then return { key = key } end
  local side = key < tree.key and "left" or "right"
  tree[side] = insert(tree[side], key)
  return tree
end

local function walk(tree)
  if tree then
    walk(tree.left)
    coroutine.yield(tree.key)
    walk(tree.right)
  end
end

local function tree_walk(size)
  local tree, key = nil, 1
  for _ = 1, size do
    key = key * 16807 % 2147483647
    tree = insert(tree, key)
  end
  local last, steps = 0, 0
  for k in coroutine.wrap(function() walk(tree) end) do
    if k < last then error("walk out of order") end
    last, steps = k, steps + 1
  end
  return steps, last
end

local function short_lived(count)
  local dead, failed = 0, 0
  for i = 1, count do
    local co = coroutine.create(function(a, b)
      if i % 1000 == 0 then error({ code = i }) end
      return a + coroutine.yield(a * b)
    end)
    local ok, first = coroutine.resume(co, i, 2)
    if ok then
      local _, second = coroutine.resume(co, 1)
      if first ~= i * 2 or second ~= i + 1 then error("wrong values") end
    elseif first.code == i then
      failed = failed + 1
    end
    if coroutine.status(co) == "dead" then dead = dead + 1 end
  end
  return dead, failed
end

io.write(string.format("ring ended at %d\n", ring(n)))
io.write(string.format("sieve: %d primes, sum %d\n", sieve(n / 100)))
io.write(string.format("walk: %d keys, last %d\n", tree_walk(n / 20)))
io.write(string.format("short-lived: %d dead, %d failed\n",
                       short_lived(n / 6)))
