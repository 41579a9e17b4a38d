-- SPDX-License-Identifier: MIT
-- pcall, xpcall, error values and levels, errors in unusual places.
print(pcall(error, "msg"), pcall(error, "msg", 0), pcall(error, nil))
print(pcall(error, { 1 }) == false, select(2, pcall(error, 42)))
local function lvl(n) error("level" .. n, n) end
print(pcall(lvl, 1)) print(pcall(lvl, 2)) print(pcall(lvl, 0))
print(pcall(function() lvl(2) end))
print(xpcall(function() error("E") end, function(m) return "H:" .. m end))
print(xpcall(function(...) return select("#", ...), ... end, print, 1, nil, 3))
print(xpcall(function() local x = nil; x() end, function(m) return m:upper()
  end))
print(pcall(pcall), pcall(pcall, error), pcall(xpcall))
print(pcall(function() return pcall(function() error("in") end) end))
local function rec(n) if n == 0 then error("deep") end
  local ok, e = pcall(rec, n - 1); error(e .. n, 0) end
print(pcall(rec, 20))
local ok, e = pcall(function() local function f() return 1 + f()
  end return f() end)
print(ok, e:match("stack overflow"))
ok, e = pcall(function() local function f() return f(f()) end return f() end)
print(ok, e:match("stack overflow"))
local t = setmetatable({}, { __index = function(t, k) error("no field " .. k,
  2) end })
print(pcall(function() return t.missing end))
print(select("#", pcall(error)), (pcall(error)))
print(pcall(string.rep)) print(pcall(setmetatable, 1, {}))
print(pcall(function() error(setmetatable({}, { __tostring = function()
  return "obj" end })) end) == false)
local n = 0
for i = 1, 1000 do
  local ok = pcall(function() if i % 3 == 0 then error(i) end; n = n + 1 end)
end
print(n)
local function cleanup(f) local ok,
  e = pcall(f); print("cleanup"); if not ok then
  error(e, 0) end end
print(pcall(cleanup, function() error("X", 0) end))
print(pcall(assert, false), pcall(assert, nil, "m"), pcall(assert, 1, 2))
print(pcall(function() assert(false, "text") end))
print(select(2, pcall(function() assert(false, { code = 7 }) end)).code)
print(load("error('in chunk')", "=mychunk") ~= nil,
  pcall(load("error('in chunk')", "=mychunk")))
print(pcall(load("local x = ...; return x.y.z", "@file.lua"), {}))
print(pcall(load("return 1 + {}", "some code\nsecond")))
print(tostring(pcall(function() local a; a.b = 1 end)))
print(xpcall(error, function(m) return type(m) end, nil))
local up = "u"
print(pcall(function() return up.x.y end), pcall(function() up() end))
print(pcall(function() return math.nothing.x end))
print(pcall(function() local s = "x"; return s:nope() end))
print(pcall(function() return ("x") + 1 end), pcall(function()
  return {} .. 1 end))
print(pcall(function() return 1 < "x" end), pcall(function()
  return {} <= {} end))
print(pcall(function() return #nil end), pcall(function() return -{} end))
print(pcall(function() undefined_function() end))
print(pcall(function() local t = {}; t.a.b.c = 1 end))
print(pcall(function() local t = {}; t[nil] = 1 end))
print(pcall(function() local t = {}; t[0 / 0] = 1 end))
print(pcall(function() for i = 1, "x" do end end))
print(pcall(next, {}, {}) == false)
print(pcall(ipairs), pcall(pairs))
print(pcall(function() string.format("%d", "x") end))
print(pcall(function() ("x"):rep(1, 2, 3); return ("x"):bad() end))
print(pcall(function() return table.concat({ 1, {}, 3 }) end))
print(pcall(function() table.insert({ 1 }, 5, 2) end))
print(pcall(function() table.insert({}) end))
print(pcall(function() return tostring() end))
print(pcall(function() return setmetatable({}, 5) end))
