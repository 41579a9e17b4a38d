-- SPDX-License-Identifier: MIT
-- closures.lua [N]: functions that make functions: counters sharing an upvalue,
-- composition, currying, memoizing, lazy streams, objects made of closures.
-- Many short-lived closures and open upvalues. Prints the result of each part.

local n = tonumber(arg[1]) or 400000

-- Two closures over one variable.
local function counter()
  local value = 0
  local function add(by) value = value + by end
  local function get() return value end
  return add, get
end

local function part_counters()
  local sum = 0
  for i = 1, n do
    local add, get = counter()
    add(i)
    add(i % 7)
    sum = (sum + get()) % 1000000007
  end
  return sum
end

-- Each turn of a loop has a fresh variable.
local function part_loop_variables()
  local functions = {}
  for i = 1, n / 4 do
    functions[i] = function(k) i = i + k; return i end
  end
  local sum = 0
  for turn = 1, 3 do
    for _, f in ipairs(functions) do sum = (sum + f(turn)) % 1000000007 end
  end
  return sum
end

local function compose(...)
  local functions = { ... }
  return function(x)
    for _, f in ipairs(functions) do x = f(x) end
    return x
  end
end

local function part_compose()
  local function plus(a) return function(x) return x + a end end
  local function times(a) return function(x) return x * a % 1000003 end end
  local sum = 0
  for i = 1, n / 8 do
    local f = compose(plus(i), times(3), plus(1), times(i % 11 + 1))
    sum = (sum + f(i)) % 1000000007
  end
  return sum
end

local function curry(f)
  return function(a)
    return function(b)
      return function(c) return f(a, b, c) end
    end
  end
end

local function part_curry()
  local f = curry(function(a, b, c) return a * 100 + b * 10 + c end)
  local sum = 0
  for i = 1, n / 4 do sum = (sum + f(i % 9)(i % 8)(i % 7)) % 1000000007 end
  return sum
end

local function memoize(f)
  local known = {}
  return function(x)
    local y = known[x]
    if y == nil then
      y = f(x)
      known[x] = y
    end
    return y
  end
end

local function part_memoize()
  local steps
  steps = memoize(function(x)
    if x == 1 then return 0 end
    return 1 + steps(x % 2 == 0 and math.floor(x / 2) or 3 * x + 1)
  end)
  local best, longest = 0, 0
  for i = 1, n / 10 do
    local s = steps(i)
    if s > longest then best, longest = i, s end
  end
  return best * 1000 + longest
end

-- A stream is a function that returns a head and the rest.
local function from(i)
  return function() return i, from(i + 1) end
end

local function filter(stream, keep)
  return function()
    local head, rest = stream()
    while not keep(head) do head, rest = rest() end
    return head, filter(rest, keep)
  end
end

local function part_streams()
  local stream = from(1)
  for d = 2, 5 do
    stream = filter(stream, function(x) return x % d ~= 0 end)
  end
  local sum, head = 0, 0
  for _ = 1, n / 25 do
    head, stream = stream()
    sum = sum + head
  end
  return sum
end

local function account(balance)
  local self = {}
  function self.deposit(v) balance = balance + v; return self end
  function self.withdraw(v)
    if v > balance then return self end
    balance = balance - v
    return self
  end
  function self.balance() return balance end
  return self
end

local function part_objects()
  local sum = 0
  for i = 1, n / 8 do
    local a = account(i).deposit(10).withdraw(i % 20).deposit(1)
    sum = (sum + a.balance()) % 1000000007
  end
  return sum
end

local function report(name, value)
  io.write(string.format("%-14s %d\n", name, value))
end

report("counters", part_counters())
report("loop variables", part_loop_variables())
report("compose", part_compose())
report("curry", part_curry())
report("memoize", part_memoize())
report("streams", part_streams())
report("objects", part_objects())
